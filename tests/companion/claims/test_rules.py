"""Every rule says yes where it should, and no where it should."""

import numpy as np
import pytest
from scipy import stats

from ntk.companion import claims
from ntk.companion.claims.rules import RULES, rule_from
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError, UnknownNameError

WIDTHS = np.array([64, 128, 256, 512, 1024])


def power_law(power: float, scatter: float, seeds: int, seed: int = 0) -> claims.Scaling:
    """Return positive noisy values that fall as a power of the width."""
    rng = np.random.default_rng(seed)
    noise = np.exp(scatter * rng.normal(size=(len(WIDTHS), seeds)))
    return claims.Scaling(WIDTHS, WIDTHS[:, None] ** float(power) * noise)


# ---- identity ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("off", "passed"), [(0.9e-12, True), (1.1e-12, False)])
def test_identity_is_relative_to_the_largest_prediction(off, passed):
    predicted = np.array([1e-3, 2.0])
    outcome = claims.Identity(1e-12).judge(predicted + np.array([2 * off, 0.0]), predicted)
    assert outcome.passed is passed
    assert outcome.numbers.predicted == 0.0
    assert outcome.numbers.measured == pytest.approx(off, rel=1e-3)


def test_identity_of_scalars_records_both_numbers():
    numbers = claims.Identity(1e-2).judge(2.01, 2).numbers
    assert (numbers.measured, numbers.predicted, numbers.within) == (2.01, 2.0, 0.02)


def test_identity_is_absolute_where_the_prediction_vanishes():
    rule = claims.Identity(1e-3)
    assert rule.judge(np.full(3, 5e-4), np.zeros(3)).passed
    assert not rule.judge(2e-3, 0.0).passed


def test_identity_refuses_single_precision_unless_the_tolerance_allows_it():
    single = np.ones(2, np.float32)
    with pytest.raises(InvalidTypeError, match=r"measured has dtype float32.*jax_enable_x64"):
        claims.Identity(1e-7).judge(single, np.ones(2))
    with pytest.raises(InvalidTypeError, match="predicted has dtype float16"):
        claims.Identity().judge(np.ones(2), np.ones(2, np.float16))
    assert claims.Identity(1e-6).judge(single, np.ones(2)).passed


def test_identity_refuses_arrays_of_different_shapes():
    with pytest.raises(ShapeError, match=r"\(3,\).*\(3, 1\)"):
        claims.Identity().judge(np.ones(3), np.ones((3, 1)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, [1.0, -np.inf]])
def test_numbers_must_be_finite(bad):
    with pytest.raises(InvalidValueError, match="NaN or infinite"):
        claims.Identity().judge(bad, 1.0)


@pytest.mark.parametrize("bad", ["1.0", 1j, None, [[1.0], [1.0, 2.0]]])
def test_numbers_must_be_real_numbers(bad):
    with pytest.raises(InvalidTypeError, match="real numbers"):
        claims.Identity().judge(bad, 1.0)


def test_numbers_must_not_be_empty():
    with pytest.raises(InvalidValueError, match="empty"):
        claims.Identity().judge([], 1.0)


# ---- Monte Carlo -------------------------------------------------------------------------------


def test_monte_carlo_measures_in_standard_errors():
    draws = np.array([-1.0, 1.0] * 50)
    error = draws.std(ddof=1) / 10
    assert claims.MonteCarlo(4).judge(draws, 3.99 * error).passed
    assert not claims.MonteCarlo(4).judge(draws, 4.01 * error).passed
    assert claims.MonteCarlo(4).judge(draws, 0.0).numbers.within == pytest.approx(error)


def test_few_replicates_take_the_student_quantile_of_the_same_level():
    rule = claims.MonteCarlo(4.0)
    for n in (5, 12, 29):
        level = 2 * stats.norm.sf(4.0)
        assert 2 * stats.t.sf(rule.critical(n), n - 1) == pytest.approx(level)
    assert rule.critical(30) == 4.0
    draws = np.array([-1.0, 1.0] * 5)
    error = draws.std(ddof=1) / np.sqrt(10)
    assert rule.judge(draws, 5 * error).passed
    assert not rule.judge(draws, 7.1 * error).passed


def test_small_samples_keep_the_level():
    """With five normal replicates, 2 "standard errors" must err as often as the normal 2."""
    rule = claims.MonteCarlo(2.0)
    draws = np.random.default_rng(1).normal(size=(4000, 5))
    wrong = sum(not rule.judge(row, 0.0).passed for row in draws) / 4000
    assert wrong == pytest.approx(2 * stats.norm.sf(2.0), abs=0.012)


def test_every_entry_must_agree_and_many_are_recorded_in_standard_errors():
    draws = np.random.default_rng(2).normal(size=(100, 20))
    expected = np.zeros(20)
    good = claims.MonteCarlo().judge(draws, expected)
    assert good.passed
    assert (good.numbers.predicted, good.numbers.within) == (0.0, 1.0)
    assert good.numbers.unit == "standard errors"
    expected[7] = 0.6
    bad = claims.MonteCarlo().judge(draws, expected)
    assert not bad.passed
    assert bad.numbers.measured > 4


def test_monte_carlo_refuses_few_or_constant_replicates():
    with pytest.raises(InvalidValueError, match="4 replicates"):
        claims.MonteCarlo().judge(np.arange(4.0), 0.0)
    with pytest.raises(InvalidValueError, match="without any scatter"):
        claims.MonteCarlo().judge(np.full(50, 0.1), 0.2)
    assert claims.MonteCarlo().judge(np.full(50, 0.1), 0.1).passed
    with pytest.raises(ShapeError, match=r"predicted has shape \(2,\)"):
        claims.MonteCarlo().judge(np.random.default_rng(0).normal(size=(9, 3)), [0.0, 0.0])


# ---- slope -------------------------------------------------------------------------------------


def test_slope_of_a_clean_power_law_passes():
    outcome = claims.Slope.around(-0.5, 0.1).judge(power_law(-0.5, 0.1, 50), -0.5)
    assert outcome.passed
    low, high = outcome.numbers.interval
    assert low < outcome.numbers.measured < high
    assert outcome.numbers.within == pytest.approx((high - low) / 2)


def test_an_interval_that_merely_contains_the_slope_fails():
    """Noise must not be rewarded: the interval holds -1/2, and more than the band."""
    outcome = claims.Slope.around(-0.5, 0.1).judge(power_law(-0.5, 1.5, 8), -0.5)
    low, high = outcome.numbers.interval
    assert low < -0.5 < high
    assert high - low > 0.2
    assert outcome.passed is False
    assert "leaves the band" in outcome.margin


def test_slope_band_may_be_one_sided():
    data = power_law(-0.8, 0.1, 50)
    assert claims.Slope(-np.inf, -0.75).judge(data, -0.75).passed
    assert not claims.Slope(-np.inf, -0.85).judge(data, -1).passed
    assert claims.Slope(-0.9, np.inf).judge(data, 0).passed
    restored = rule_from("slope", claims.Slope(-np.inf, -0.75).parameters())
    assert restored == claims.Slope(-np.inf, -0.75)


def test_the_interval_covers_the_slope_about_as_often_as_it_says():
    rule = claims.Slope(-9, 9, confidence=0.9, resamples=400)
    hits = 0
    for seed in range(300):
        numbers = rule.judge(power_law(-0.5, 0.3, 30, seed), -0.5).numbers
        # The mean of log-normal noise is the same at every width, so that the slope is exact.
        hits += numbers.interval[0] <= -0.5 <= numbers.interval[1]
    assert 0.84 <= hits / 300 <= 0.95


def test_paired_seeds_are_drawn_together():
    """A factor that a seed has at every width does not move the slope at all."""
    factor = np.random.default_rng(3).lognormal(sigma=1.0, size=12)
    values = WIDTHS[:, None] ** -0.5 * factor
    rule = claims.Slope.around(-0.5, 0.1)
    apart = rule.judge(claims.Scaling(WIDTHS, values), -0.5)
    paired = rule.judge(claims.Scaling(WIDTHS, values, paired=True), -0.5)
    assert not apart.passed
    assert paired.passed
    assert paired.numbers.interval == pytest.approx((-0.5, -0.5))


@pytest.mark.parametrize("summary", ["mean", "rms", "median", "std"])
def test_summaries(summary):
    rng = np.random.default_rng(4)
    centre = 0.0 if summary in {"rms", "std"} else 5.0
    values = WIDTHS[:, None] ** -1.0 * (centre + rng.normal(size=(5, 400)))
    rule = claims.Slope.around(-1, 0.15, summary=summary)
    assert rule.judge(claims.Scaling(WIDTHS, values), -1).passed
    assert not rule.judge(claims.Scaling(WIDTHS, values * WIDTHS[:, None]), -1).passed


def test_the_bootstrap_is_reproducible():
    data = power_law(-0.5, 0.4, 20)
    one, two = (claims.Slope.around(-0.5).judge(data, -0.5).numbers for _ in range(2))
    assert one == two


def test_large_samples_are_resampled_in_pieces():
    data = claims.Scaling(WIDTHS, power_law(-0.5, 0.3, 3000).values)
    assert claims.Slope.around(-0.5).judge(data, -0.5).passed


def test_slope_refuses_what_it_cannot_judge():
    rule = claims.Slope.around(-0.5)
    few = power_law(-0.5, 0.1, 4)
    with pytest.raises(InvalidValueError, match="at least 4 and 5"):
        rule.judge(few, -0.5)
    with pytest.raises(InvalidValueError, match="at least 4 and 5"):
        rule.judge(claims.Scaling(WIDTHS[:3], np.ones((3, 9))), -0.5)
    with pytest.raises(ShapeError, match="keep the seeds"):
        rule.judge(claims.Scaling(WIDTHS, np.ones(5)), -0.5)
    with pytest.raises(InvalidTypeError, match="Scaling"):
        rule.judge(np.ones((5, 9)), -0.5)
    with pytest.raises(InvalidValueError, match="inside the band"):
        rule.judge(power_law(-0.5, 0.1, 9), -1.0)
    with pytest.raises(InvalidValueError, match="same for every seed"):
        rule.judge(claims.Scaling(WIDTHS, np.tile(WIDTHS[:, None] ** -0.5, 9)), -0.5)
    noise = np.random.default_rng(0).normal(size=(5, 9))
    with pytest.raises(InvalidValueError, match="not positive"):
        rule.judge(claims.Scaling(WIDTHS, noise), -0.5)
    with pytest.raises(InvalidValueError, match="x must be positive"):
        rule.judge(claims.Scaling(WIDTHS - 64, power_law(-0.5, 0.1, 9).values), -0.5)


# ---- limit, inequality, open ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "passed"),
    [
        ([2.0, 1.5, 1.05], True),
        ([2.0, 1.5, 1.2], False),  # not near enough
        ([1.05, 1.5, 1.05], False),  # goes away first
        ([0.5, 1.3, 0.95], True),  # from both sides
        ([2.0, 1.0, 1.0], True),  # arrived
    ],
)
def test_limit(values, passed):
    assert claims.Limit(0.1).judge(values, 1.0).passed is passed


def test_limit_sorts_a_scaling_by_its_parameter_and_averages_seeds():
    data = claims.Scaling([4, 1, 2], [[1.0, 1.1], [2.0, 2.2], [1.4, 1.6]])
    outcome = claims.Limit(0.1).judge(data, 1.0)
    assert outcome.passed
    assert outcome.numbers.measured == pytest.approx(1.05)
    with pytest.raises(InvalidValueError, match="at least 3"):
        claims.Limit(0.1).judge([1.0, 1.0], 1.0)


@pytest.mark.parametrize(
    ("sense", "measured", "passed"),
    [
        ("<=", 1.0, True),
        ("<", 1.0, False),
        (">=", 1.0, True),
        (">", 1.0, False),
        ("<=", [0.5, 1.1], False),
        (">", [1.5, 1.1], True),
    ],
)
def test_inequality(sense, measured, passed):
    outcome = claims.Inequality(sense).judge(measured, 1.0)
    assert outcome.passed is passed
    if not np.isscalar(measured):
        assert outcome.numbers.measured == 1.1  # the entry nearest to the bound


def test_inequality_against_an_array_records_the_margin():
    outcome = claims.Inequality("<=").judge([1.0, 5.0], [1.5, 5.25])
    assert outcome.passed
    assert (outcome.numbers.measured, outcome.numbers.predicted) == (-0.25, 0.0)


def test_inequality_of_replicates_needs_the_whole_interval():
    draws = np.random.default_rng(5).normal(loc=1.0, size=20)
    rule = claims.Inequality(">", replicates=True)
    expected = stats.t.interval(0.99, 19, draws.mean(), draws.std(ddof=1) / np.sqrt(20))
    outcome = rule.judge(draws, 0.0)
    assert outcome.numbers.interval == pytest.approx(expected)
    assert outcome.passed
    assert not rule.judge(draws, 0.5 * (expected[0] + draws.mean())).passed
    with pytest.raises(InvalidValueError, match="3 replicates"):
        rule.judge(draws[:3], 0.0)


def test_open_reports_a_few_numbers():
    outcome = claims.Open().judge([1.0, 2.0], None)
    assert outcome.passed is None
    assert outcome.numbers.measured == (1.0, 2.0)
    with pytest.raises(ShapeError, match="at most 8"):
        claims.Open().judge(np.ones(9), None)


# ---- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: claims.Identity(0.0),
        lambda: claims.Identity(float("nan")),
        lambda: claims.MonteCarlo(-1.0),
        lambda: claims.Slope(-0.4, -0.6),
        lambda: claims.Slope(-np.inf, np.inf),
        lambda: claims.Slope.around(-0.5, resamples=100),
        lambda: claims.Limit(0),
        lambda: claims.Inequality("<=", confidence=1.0),
        lambda: claims.Inequality("<=", drift=0.5),
        lambda: claims.Open(-1.0),
    ],
)
def test_senseless_parameters_are_refused(make):
    with pytest.raises(InvalidValueError, match=r"got|leaves"):
        make()


def test_every_kind_can_be_restored_from_its_parameters():
    rules = [
        claims.Identity(1e-9),
        claims.MonteCarlo(3),
        claims.Slope.around(1, 0.02, summary="rms"),
        claims.Limit(0.5),
        claims.Inequality(">", replicates=True),
        claims.Open(),
    ]
    assert {rule.kind for rule in rules} == set(RULES)
    for rule in rules:
        assert rule_from(rule.kind, rule.parameters()) == rule
    with pytest.raises(UnknownNameError, match="the rules are identity"):
        rule_from("guess", {})


def test_scaling_checks_its_shapes():
    with pytest.raises(ShapeError, match="seeds along axis 1"):
        claims.Scaling([1, 2, 3], np.ones((5, 3)))
    with pytest.raises(InvalidValueError, match="repeats"):
        claims.Scaling([1, 1], [1.0, 2.0])
