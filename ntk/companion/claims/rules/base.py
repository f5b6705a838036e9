"""What every acceptance rule does: judge a measurement, and judge a stored record again."""

import abc
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ntk.companion.claims.numerals import Value


@dataclass(frozen=True)
class Numbers:
    """The numbers of a claim that go into its record.

    Parameters
    ----------
    measured, predicted : float or tuple of float
        A number each, or a few; `predicted` is None for an open claim without one.
    within : float or tuple of float, optional
        How far `measured` may move when another machine runs the same computation.
    interval : tuple of two floats, optional
        Confidence interval of `measured`.
    unit : str, optional
        Unit that the rule itself brings along, such as standard errors.
    sample : mapping
        Sizes of the sample, such as the number of replicates.
    """

    measured: Value
    predicted: Value | None
    within: Value | None = None
    interval: tuple[float, float] | None = None
    unit: str | None = None
    sample: Mapping[str, int | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """A judgement: the numbers, whether they pass (None: not judged), and how far off they are."""

    numbers: Numbers
    passed: bool | None
    margin: str = ""


class Rule(abc.ABC):
    """An acceptance rule; its tolerance is fixed before anything is measured.

    A rule is a frozen dataclass of plain numbers, so that a record can name it completely.
    """

    kind: ClassVar[str]
    can_fail: ClassVar[bool] = True

    @abc.abstractmethod
    def describe(self) -> str:
        """Return the rule and its parameters in words."""

    @abc.abstractmethod
    def judge(self, measured: Any, predicted: Any) -> Outcome:
        """Apply the rule to a measurement."""

    @abc.abstractmethod
    def implied(self, numbers: Numbers) -> bool | None:
        """Return the judgement that recorded numbers imply, None if they do not suffice."""

    def parameters(self) -> dict[str, Any]:
        """Return the rule's parameters as they stand in a record."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Rule":
        """Return the rule that has these recorded parameters."""
        return cls(**parameters)
