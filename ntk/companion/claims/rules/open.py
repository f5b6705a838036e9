"""A measurement that is reported without a verdict."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntk.companion.claims.numerals import Real, Value, each, finite_array, plain
from ntk.companion.claims.rules.base import Numbers, Outcome, Rule
from ntk.errors import InvalidValueError, ShapeError

_LISTED_ENTRIES = 8


@dataclass(frozen=True)
class Open(Rule):
    """Measured and reported; nothing is claimed, so nothing can fail.

    Parameters
    ----------
    drift : float
        How far the number may move on another machine, relative to its size.

    Raises
    ------
    InvalidValueError
        If the drift is not in [0, 1].

    Examples
    --------
    >>> Open().judge(12.5, None).passed is None
    True
    """

    drift: Real = 1e-6
    kind: ClassVar[str] = "open"
    can_fail: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.drift <= 1:
            raise InvalidValueError(f"drift must be in [0, 1], got {self.drift}")

    def describe(self) -> str:
        """Return the rule in words."""
        return "open, measured and reported"

    def judge(self, measured: Any, predicted: Any) -> Outcome:
        """Take down a number, or a few; `predicted` may be None."""
        m = _few(measured, "measured")
        p = None if predicted is None else _few(predicted, "predicted")
        moves = tuple(self.drift * abs(v) for v in each(m))
        return Outcome(Numbers(m, p, moves if isinstance(m, tuple) else moves[0]), None)

    def implied(self, numbers: Numbers) -> bool | None:  # noqa: ARG002 (the rules' interface)
        """Return None: an open claim is not judged."""
        return None


def _few(value: Any, name: str) -> Value:
    array = finite_array(value, name)
    if array.ndim > 1 or array.size > _LISTED_ENTRIES:
        raise ShapeError(
            f"{name} has shape {array.shape}; an open claim reports a number or a list of at most "
            f"{_LISTED_ENTRIES}. Summarise it, and show the rest in a figure"
        )
    return plain(np.asarray(array))
