"""Two computations of the same thing agree to rounding."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntk.companion.claims.numerals import Real, each, finite_array, is_low_precision, plain
from ntk.companion.claims.rules.base import Numbers, Outcome, Rule
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError

_SINGLE_PRECISION = 1e-6


@dataclass(frozen=True)
class Identity(Rule):
    r"""Equality up to a relative tolerance: :math:`\max|m - p| \le \tau \max|p|`.

    The scale is the largest entry of the prediction; where all of it is zero, the tolerance is
    absolute. Arrays are recorded as their discrepancy, with prediction 0.

    Parameters
    ----------
    tolerance : float
        :math:`\tau`. Below 1e-6 the rule refuses numbers of single precision, which could
        only meet it by accident.

    Raises
    ------
    InvalidValueError
        If the tolerance is not in (0, 1).

    Examples
    --------
    >>> Identity(1e-12).judge([1.0, 2.0], [1.0, 2.0 + 1e-13]).passed
    True
    >>> Identity(1e-12).judge(1.0, 1.001).passed
    False
    """

    tolerance: Real = 1e-12
    kind: ClassVar[str] = "identity"

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1:
            raise InvalidValueError(
                f"tolerance must lie between 0 and 1, got {self.tolerance}; it is relative"
            )

    def describe(self) -> str:
        """Return the rule in words."""
        return f"identity, relative {self.tolerance:g}"

    def judge(self, measured: Any, predicted: Any) -> Outcome:
        """Compare two numbers, or two arrays of the same shape."""
        m, p = finite_array(measured, "measured"), finite_array(predicted, "predicted")
        for name, value in (("measured", measured), ("predicted", predicted)):
            if self.tolerance < _SINGLE_PRECISION and is_low_precision(value):
                raise InvalidTypeError(
                    f"{name} has dtype {np.asarray(value).dtype}, too coarse for a relative "
                    f"tolerance of {self.tolerance:g}. Compute in float64 "
                    "(jax.config.update('jax_enable_x64', True)) or state a tolerance of at "
                    f"least {_SINGLE_PRECISION:g}."
                )
        if p.shape not in ((), m.shape):
            raise ShapeError(
                f"measured has shape {m.shape}, predicted {p.shape}; give both the same shape"
            )
        off = float(np.max(np.abs(m - p)))
        scale = self._scale(float(np.max(np.abs(p))))
        if m.ndim == 0:
            numbers = Numbers(plain(m), plain(p), within=self.tolerance * scale)
        else:
            unit = "relative difference" if np.any(p) else "difference"
            numbers = Numbers(
                off / scale, 0.0, self.tolerance, unit=unit, sample={"entries": m.size}
            )
        times = off / scale / self.tolerance
        margin = f"off by {off:.3g}, {times:.3g} times the allowed {self.tolerance * scale:.3g}"
        return Outcome(numbers, off <= self.tolerance * scale, margin)

    def implied(self, numbers: Numbers) -> bool | None:
        """Return whether the recorded pair, or discrepancy, meets the tolerance."""
        m, p = each(numbers.measured), each(numbers.predicted or 0.0)
        if len(m) != 1 or len(p) != 1:
            return None
        return abs(m[0] - p[0]) <= self.tolerance * self._scale(abs(p[0]))

    @staticmethod
    def _scale(largest: float) -> float:
        return largest if largest > 0 else 1.0
