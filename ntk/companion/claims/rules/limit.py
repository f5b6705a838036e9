"""A sequence approaches its limit."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntk.companion.claims.numerals import Real, each, finite_array
from ntk.companion.claims.rules.base import Numbers, Outcome, Rule
from ntk.companion.claims.scaling import Scaling
from ntk.errors import InvalidValueError, ShapeError

FEWEST_VALUES = 3
_ROUNDING = 1e-13


@dataclass(frozen=True)
class Limit(Rule):
    r"""The last value is near the limit, and every step came nearer.

    With values :math:`v_1, \dots, v_m` along a growing parameter and the limit :math:`p`:
    :math:`|v_m - p| \le \tau` and :math:`|v_{i+1} - p| < |v_i - p|`, where distances below
    1e-13 of the largest value count as arrived.

    Parameters
    ----------
    tolerance : float
        :math:`\tau`, absolute.

    Raises
    ------
    InvalidValueError
        If the tolerance is not positive; later, if there are fewer than three values.

    Examples
    --------
    >>> Limit(0.1).judge([1.5, 1.2, 1.05], 1.0).passed
    True
    >>> Limit(0.1).judge([1.05, 1.2, 1.05], 1.0).passed
    False
    """

    tolerance: Real
    kind: ClassVar[str] = "limit"

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < float("inf"):
            raise InvalidValueError(f"tolerance must be positive, got {self.tolerance}")

    def describe(self) -> str:
        """Return the rule in words."""
        return f"limit, last value within {self.tolerance:g}, distances decreasing"

    def judge(self, measured: Any, predicted: Any) -> Outcome:
        """Judge a list of values, or a `Scaling` (sorted by x, averaged over seeds)."""
        if isinstance(measured, Scaling):
            values = measured.values[np.argsort(measured.x)]
            values = values if values.ndim == 1 else values.mean(axis=1)
        else:
            values = finite_array(measured, "measured")
        limit = finite_array(predicted, "predicted")
        if values.ndim != 1 or limit.ndim != 0:
            raise ShapeError(
                f"measured must be a sequence of numbers and predicted one number, got shapes "
                f"{values.shape} and {limit.shape}; reduce each value to a norm or one entry"
            )
        if len(values) < FEWEST_VALUES:
            raise InvalidValueError(
                f"measured has {len(values)} values, a limit needs at least {FEWEST_VALUES}"
            )
        distances = np.abs(values - limit)
        distances[distances <= _ROUNDING * max(np.max(np.abs(values)), abs(limit))] = 0.0
        steps = (np.diff(distances) < 0) | (distances[1:] == 0)
        numbers = Numbers(
            float(values[-1]), float(limit), self.tolerance, sample={"values": len(values)}
        )
        margin = f"last distance {distances[-1]:.3g}, allowed {self.tolerance:.3g}"
        if not np.all(steps):
            step = int(np.argmin(steps))
            margin += (
                f"; the distance does not decrease from value {step + 1} to {step + 2} "
                f"({distances[step]:.3g} to {distances[step + 1]:.3g})"
            )
        near = abs(numbers.measured - limit) <= self.tolerance
        return Outcome(numbers, bool(near and np.all(steps)), margin)

    def implied(self, numbers: Numbers) -> bool | None:
        """Return False if the last value is too far off; the record does not hold the others."""
        near = abs(each(numbers.measured)[0] - each(numbers.predicted or 0.0)[0]) <= self.tolerance
        return None if near else False
