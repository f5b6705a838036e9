"""A mean over independent replicates agrees with its expectation."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import special  # scipy.stats would take a second to load

from ntk.companion.claims.numerals import Real, each, finite_array, plain
from ntk.companion.claims.rules.base import Numbers, Outcome, Rule
from ntk.errors import InvalidValueError, ShapeError

FEWEST_REPLICATES = 5
_NORMAL_FROM = 30
_LISTED_ENTRIES = 8
_ROUNDING = 8 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class MonteCarlo(Rule):
    r"""The mean of replicates lies within some standard errors of the prediction.

    For every entry :math:`|\bar m - p| \le k\, s / \sqrt{n}` with the standard deviation
    :math:`s` of the :math:`n` replicates. With fewer than 30 of them :math:`k` is replaced by
    Student's quantile (:math:`n - 1` degrees of freedom) of the same two-sided level. Up to
    eight entries are recorded as they are, more as the largest deviation in standard errors.

    Parameters
    ----------
    standard_errors : float
        :math:`k`.

    Raises
    ------
    InvalidValueError
        If :math:`k` is not positive; later, if there are fewer than five replicates, or if
        replicates do not differ although they miss the prediction.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal(size=400)
    >>> MonteCarlo().judge(draws, 0.0).passed, MonteCarlo().judge(draws, 0.3).passed
    (True, False)
    """

    standard_errors: Real = 4.0
    kind: ClassVar[str] = "monte-carlo"

    def __post_init__(self) -> None:
        if not 0 < self.standard_errors < float("inf"):
            raise InvalidValueError(
                f"standard_errors must be positive and finite, got {self.standard_errors}"
            )

    def describe(self) -> str:
        """Return the rule in words."""
        return (
            f"Monte Carlo, within {self.standard_errors:g} standard errors, "
            f"Student's quantile below {_NORMAL_FROM} replicates"
        )

    def critical(self, replicates: int) -> float:
        """Return the allowed deviation in standard errors for this many replicates.

        Examples
        --------
        >>> MonteCarlo().critical(30), round(MonteCarlo().critical(10), 1)
        (4.0, 7.0)
        """
        if replicates >= _NORMAL_FROM:
            return float(self.standard_errors)
        return float(-special.stdtrit(replicates - 1, special.ndtr(-self.standard_errors)))

    def judge(self, measured: Any, predicted: Any) -> Outcome:
        """Judge replicates along axis 0 against a number, or an array of the other axes."""
        draws, p = finite_array(measured, "measured"), finite_array(predicted, "predicted")
        mean, error = mean_and_error(draws)
        if p.shape not in ((), mean.shape):
            raise ShapeError(
                f"predicted has shape {p.shape}, one replicate {mean.shape} "
                f"(measured: {draws.shape}, replicates along axis 0); give both the same shape"
            )
        p = np.broadcast_to(p, mean.shape)
        off, rounding = np.abs(mean - p), _ROUNDING * np.maximum(np.max(np.abs(draws), 0), abs(p))
        constant = error <= rounding
        if np.any(constant & (off > rounding)):
            raise InvalidValueError(
                "measured has entries without any scatter over the replicates that differ from "
                "predicted: not a Monte Carlo estimate. Use claims.Identity, or vary the seed."
            )
        deviation = np.where(constant, 0.0, off / np.where(constant, 1.0, error))
        worst, limit = float(np.max(deviation)), self.critical(len(draws))
        sample = {"replicates": len(draws), "entries": mean.size}
        if mean.size <= _LISTED_ENTRIES:
            numbers = Numbers(plain(mean), plain(p), plain(error), sample=sample)
        else:
            numbers = Numbers(worst, 0.0, 1.0, unit="standard errors", sample=sample)
        margin = f"off by {worst:.3g} standard errors, allowed {limit:.3g}"
        return Outcome(numbers, worst <= limit, margin)

    def implied(self, numbers: Numbers) -> bool | None:
        """Return whether the recorded means lie within the recorded standard errors."""
        replicates = numbers.sample.get("replicates")
        if replicates is None or numbers.within is None or numbers.predicted is None:
            return None
        m, p, errors = each(numbers.measured), each(numbers.predicted), each(numbers.within)
        if not len(m) == len(p) == len(errors):
            return False
        limit = self.critical(int(replicates)) * (1 + 1e-9)
        rounding = [_ROUNDING * max(abs(a), abs(b)) for a, b in zip(m, p, strict=True)]
        return all(
            abs(a - b) <= limit * e + r for a, b, e, r in zip(m, p, errors, rounding, strict=True)
        )


def mean_and_error(draws: Any) -> tuple[Any, Any]:
    """Return mean and standard error over axis 0, for at least five replicates."""
    if draws.ndim == 0 or len(draws) < FEWEST_REPLICATES:
        found = 0 if draws.ndim == 0 else len(draws)
        raise InvalidValueError(
            f"measured has {found} replicates (shape {draws.shape}), at least "
            f"{FEWEST_REPLICATES} are needed along axis 0; run more seeds"
        )
    return draws.mean(axis=0), draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
