"""A power law: the slope on logarithmic axes lies in a band, and so does its uncertainty."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ntk.companion.claims.numerals import Floats, Real, each, finite_array, show
from ntk.companion.claims.rules.base import Numbers, Outcome, Rule
from ntk.companion.claims.scaling import Scaling
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError

Summary = Literal["mean", "rms", "median", "std"]

FEWEST_POINTS = 4
FEWEST_SEEDS = 5
_SEED = 20180620
_ENTRIES_AT_ONCE = 2_000_000


def _rms(values: Floats) -> Floats:
    return np.asarray(np.sqrt(np.mean(values**2, axis=-1)))


def _std(values: Floats) -> Floats:
    return np.asarray(np.std(values, axis=-1, ddof=1))


_SUMMARIES = {
    "mean": lambda values: np.mean(values, axis=-1),
    "rms": _rms,
    "median": lambda values: np.median(values, axis=-1),
    "std": _std,
}


@dataclass(frozen=True)
class Slope(Rule):
    r"""A log-log slope, shown by equivalence: its whole interval lies inside the band.

    The slope is the least-squares line through :math:`(\log x_i, \log S_i)`, :math:`S_i` the
    summary over seeds at :math:`x_i`. The interval is the percentile bootstrap over seeds. An
    interval that merely *contains* the expected slope would reward noise and does not pass.

    Parameters
    ----------
    low, high : float
        The band; either may be infinite for a one-sided claim.
    summary : {"mean", "rms", "median", "std"}
        What is taken over the seeds.
    confidence : float
        Level of the interval.
    resamples : int
        Bootstrap resamples; they start from a fixed seed, so that a rerun gives the same.

    Raises
    ------
    InvalidValueError
        If the band is empty or unbounded on both sides; later, if there are fewer than four
        values of x or five seeds, or if a summary is not positive.

    Examples
    --------
    >>> x = np.array([64, 128, 256, 512])
    >>> noise = np.random.default_rng(0).lognormal(sigma=0.1, size=(4, 50))
    >>> rule = Slope.around(-0.5, tolerance=0.1)
    >>> rule.judge(Scaling(x, x[:, None] ** -0.5 * noise), -0.5).passed
    True
    >>> rule.judge(Scaling(x, x[:, None] ** -0.9 * noise), -0.5).passed
    False
    """

    low: Real
    high: Real
    summary: Summary = "mean"
    confidence: Real = 0.99
    resamples: int = 2000
    kind: ClassVar[str] = "slope"

    def __post_init__(self) -> None:
        if not self.low < self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise InvalidValueError(
                f"low and high must bound a band, got {self.low} and {self.high}; "
                "low < high, at most one of them infinite"
            )
        if self.summary not in _SUMMARIES:
            raise InvalidValueError(f"summary is {self.summary!r}; use one of {[*_SUMMARIES]}")
        if not 0.5 <= self.confidence < 1 or self.resamples * (1 - self.confidence) < 5:
            raise InvalidValueError(
                f"confidence {self.confidence} with {self.resamples} resamples leaves too few in "
                "the tails; confidence must be in [0.5, 1), with resamples >= 5 / (1 - confidence)"
            )

    @classmethod
    def around(cls, slope: Real, tolerance: Real = 0.1, **options: Any) -> "Slope":
        """Return the rule with the band `slope` plus or minus `tolerance`.

        Examples
        --------
        >>> Slope.around(1, tolerance=0.25).high
        1.25
        """
        return cls(low=slope - tolerance, high=slope + tolerance, **options)

    def describe(self) -> str:
        """Return the rule in words."""
        low, high = show(self.low), show(self.high)
        if math.isinf(self.low):
            band = f"at most {high}"
        elif math.isinf(self.high):
            band = f"at least {low}"
        else:
            band = f"in [{low}, {high}]"
        level = f"{100 * self.confidence:g}%"
        return f"log-log slope of the {self.summary} {band}, whole {level} bootstrap interval"

    def parameters(self) -> dict[str, Any]:
        """Return the parameters; an open end is None, as JSON has no infinity."""
        values = dataclasses.asdict(self)
        return {k: None if v in (-math.inf, math.inf) else v for k, v in values.items()}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Slope":
        """Return the rule that has these recorded parameters."""
        ends = {"low": -math.inf, "high": math.inf}
        filled: dict[str, Any] = {
            name: ends.get(name) if value is None else value for name, value in parameters.items()
        }
        return cls(**filled)

    def judge(self, measured: Any, predicted: Any) -> Outcome:
        """Judge a `Scaling` with one column for each seed; `predicted` lies in the band."""
        x, values = _checked(measured)
        expected = float(finite_array(predicted, "predicted").reshape(-1)[0])
        if np.size(predicted) != 1 or not self.low <= expected <= self.high:
            raise InvalidValueError(
                f"predicted must be one slope inside the band of the rule, got {predicted!r} for "
                f"'{self.describe()}'; a control has its own measured, not another prediction"
            )
        slope = float(self._slopes(np.log(x), values[None])[0])
        low, high = self._interval(np.log(x), values, measured.paired)
        sample = {"points": len(x), "seeds": values.shape[1], "paired": bool(measured.paired)}
        numbers = Numbers(
            slope, expected, within=(high - low) / 2, interval=(low, high), sample=sample
        )
        beyond = max(self.low - low, high - self.high)
        margin = f"the interval [{low:.4g}, {high:.4g}] leaves the band by {beyond:.3g}"
        return Outcome(numbers, beyond <= 0, margin)

    def implied(self, numbers: Numbers) -> bool | None:
        """Return whether the recorded interval lies in the band, around the recorded slope."""
        if numbers.interval is None:
            return None
        low, high = numbers.interval
        around = low <= each(numbers.measured)[0] <= high
        return around and self.low <= low and high <= self.high

    def _slopes(self, log_x: Floats, values: Floats) -> Floats:
        """Return the slope for each leading entry of values (resamples, points, seeds)."""
        summary = np.asarray(_SUMMARIES[self.summary](values))
        if np.any(summary <= 0):
            raise InvalidValueError(
                f"the {self.summary} over seeds is not positive at some x, or in a resample of the "
                "seeds: no logarithm. The quantity is not clear of zero: take summary='rms' or "
                "absolute values, or more seeds"
            )
        centred = log_x - log_x.mean()
        return np.asarray(np.log(summary) @ centred / (centred @ centred))

    def _interval(self, log_x: Floats, values: Floats, paired: bool) -> tuple[float, float]:
        rng = np.random.default_rng(_SEED)
        points, seeds = values.shape
        at_once = max(1, _ENTRIES_AT_ONCE // values.size)
        slopes = []
        for start in range(0, self.resamples, at_once):
            count = min(at_once, self.resamples - start)
            rows = 1 if paired else points
            drawn = rng.integers(seeds, size=(count, rows, seeds))
            slopes.append(self._slopes(log_x, values[np.arange(points)[:, None], drawn]))
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(np.concatenate(slopes), [tail, 1 - tail])
        return float(low), float(high)


def _checked(measured: Any) -> tuple[Floats, Floats]:
    if not isinstance(measured, Scaling):
        raise InvalidTypeError(
            f"measured must be a claims.Scaling(x, values), got {type(measured).__name__}"
        )
    x, values = measured.x, measured.values
    if values.ndim != 2:
        raise ShapeError(f"values must have shape (m, seeds), got {values.shape}; keep the seeds")
    points, seeds = values.shape
    if points < FEWEST_POINTS or seeds < FEWEST_SEEDS:
        raise InvalidValueError(
            f"measured has {points} values of x and {seeds} seeds; a slope needs at least "
            f"{FEWEST_POINTS} and {FEWEST_SEEDS}"
        )
    if np.any(x <= 0):
        raise InvalidValueError(f"x must be positive for a log-log slope, got {x.tolist()}")
    if np.all(values == values[:, :1]):
        raise InvalidValueError(
            "values are the same for every seed, so that there is nothing to bootstrap; "
            "vary the seed, or state a deterministic claim with claims.Identity or claims.Limit"
        )
    return x, values
