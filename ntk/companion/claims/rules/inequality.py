"""A bound: a number, every entry of an array, or the mean over replicates keeps to it."""

import operator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special  # scipy.stats would take a second to load

from ntk.companion.claims.numerals import Real, each, finite_array
from ntk.companion.claims.rules.base import Numbers, Outcome, Rule
from ntk.companion.claims.rules.monte_carlo import mean_and_error
from ntk.errors import InvalidValueError, ShapeError

Sense = Literal["<=", "<", ">=", ">"]
_HOLDS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt}


@dataclass(frozen=True)
class Inequality(Rule):
    r"""A comparison that every entry keeps, and with replicates its whole t-interval.

    The entry nearest to the bound (or farthest beyond it) is recorded; where the bound itself
    is an array, as its difference to the bound, with prediction 0.

    Parameters
    ----------
    sense : {"<=", "<", ">=", ">"}
        Read "measured `sense` predicted".
    replicates : bool
        Whether axis 0 of measured runs over independent replicates. Then the whole interval
        :math:`\bar m \pm t\, s / \sqrt{n}` of the mean must keep the bound.
    confidence : float
        Two-sided level of that interval.
    drift : float
        How far a number without replicates may move on another machine, relative to the larger
        of measured and predicted. It has no part in the verdict.

    Raises
    ------
    InvalidValueError
        If the sense is unknown, or the confidence or the drift out of range.

    Examples
    --------
    >>> Inequality("<=").judge([0.1, 0.2], 0.3).passed, Inequality(">").judge(0.3, 0.3).passed
    (True, False)
    """

    sense: Sense
    replicates: bool = False
    confidence: Real = 0.99
    drift: Real = 1e-6
    kind: ClassVar[str] = "inequality"

    def __post_init__(self) -> None:
        if self.sense not in _HOLDS:
            raise InvalidValueError(f"sense is {self.sense!r}; use one of {[*_HOLDS]}")
        if not 0.5 <= self.confidence < 1 or not 0 <= self.drift <= 0.1:
            raise InvalidValueError(
                "confidence must be in [0.5, 1) and drift in [0, 0.1], "
                f"got {self.confidence} and {self.drift}"
            )

    def describe(self) -> str:
        """Return the rule in words."""
        if self.replicates:
            level = f"{100 * self.confidence:g}%"
            return f"inequality, whole {level} t-interval of the mean {self.sense} predicted"
        return f"inequality, measured {self.sense} predicted"

    def judge(self, measured: Any, predicted: Any) -> Outcome:
        """Judge numbers against one bound, or a bound for each entry."""
        m, bound = finite_array(measured, "measured"), finite_array(predicted, "predicted")
        sample: dict[str, int | bool] = {}
        half = error = np.zeros_like(m)
        if self.replicates:
            sample["replicates"] = len(m) if m.ndim else 0
            m, error = mean_and_error(m)
            half = -error * special.stdtrit(sample["replicates"] - 1, (1 - self.confidence) / 2)
        if bound.shape not in ((), m.shape):
            raise ShapeError(
                f"predicted has shape {bound.shape}, what it bounds {m.shape}; "
                "give one bound, or one for each entry"
            )
        sample["entries"] = m.size
        if bound.ndim:
            m, bound = m - bound, np.zeros(())
        above = self.sense in (">=", ">")
        edge = m - half if above else m + half
        worst = np.unravel_index(int(np.argmin(edge) if above else np.argmax(edge)), m.shape)
        value, limit = float(m[worst]), float(bound)
        numbers = Numbers(
            value,
            limit,
            within=float(error[worst]) or self.drift * max(abs(value), abs(limit)),
            interval=(value - float(half[worst]), value + float(half[worst]))
            if self.replicates
            else None,
            sample=sample,
        )
        what = "interval's end" if self.replicates else "value"
        margin = f"the {what} {edge[worst]:.6g} is {abs(edge[worst] - limit):.3g} from the bound"
        return Outcome(numbers, self.implied(numbers), margin)

    def implied(self, numbers: Numbers) -> bool | None:
        """Return whether the recorded number, or its interval, keeps the recorded bound."""
        if self.replicates and numbers.interval is None:
            return None
        ends = numbers.interval if self.replicates else each(numbers.measured)
        limit = each(numbers.predicted or 0.0)[0]
        return all(_HOLDS[self.sense](value, limit) for value in ends or ())
