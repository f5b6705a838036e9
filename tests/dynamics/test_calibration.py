"""Scores and calibration against integrals, scikit-learn and simulations that are calibrated."""

import jax
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

import ntk
from ntk import calibration
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError

RNG = np.random.default_rng(7)


def test_gaussian_scores_are_their_definitions(x64):
    y, mean = RNG.standard_normal((2, 6, 2))
    variance = RNG.uniform(0.1, 3.0, (6, 2))
    laws = scipy.stats.norm(mean, np.sqrt(variance))
    np.testing.assert_allclose(
        calibration.gaussian_nll(y, mean, variance), -laws.logpdf(y).mean(), rtol=1e-12
    )
    integrals = [
        scipy.integrate.quad(lambda u, a=a: a.cdf(u) ** 2, -40, b, epsabs=1e-11)[0]
        + scipy.integrate.quad(lambda u, a=a: a.sf(u) ** 2, b, 40, epsabs=1e-11)[0]
        for a, b in (
            (scipy.stats.norm(m, v**0.5), z)
            for m, v, z in zip(mean.flat, variance.flat, y.flat, strict=True)
        )
    ]
    found = calibration.gaussian_crps(y, mean, variance)
    np.testing.assert_allclose(found, np.mean(integrals), rtol=1e-8)
    same = calibration.gaussian_crps(y, mean, variance[:, 0])
    np.testing.assert_allclose(
        same, calibration.gaussian_crps(y, mean, variance[:, :1].repeat(2, 1)), rtol=1e-12
    )


def test_scores_are_best_at_the_truth(x64):
    y = 1.5 * RNG.standard_normal((20000, 1))
    zero = np.zeros_like(y)
    for score in (calibration.gaussian_nll, calibration.gaussian_crps):
        values = [float(score(y, zero, np.full(len(y), v))) for v in (1.0, 2.25, 5.0)]
        assert values[1] == min(values)
        assert float(score(y, zero + 0.5, np.full(len(y), 2.25))) > values[1]


def test_coverage_of_what_is_calibrated_is_the_level(x64):
    n = 40000
    mean, variance = RNG.standard_normal((n, 1)), RNG.uniform(0.2, 2.0, n)
    y = mean + np.sqrt(variance)[:, None] * RNG.standard_normal((n, 1))
    levels = np.asarray([0.1, 0.5, 0.95])
    found = calibration.coverage(y, mean, variance, levels)
    assert np.all(np.abs(found - levels) < 4 * np.sqrt(levels * (1 - levels) / n))
    # 19 shares of one sample: each within its error, so their mean distance is too.
    assert float(calibration.coverage_error(y, mean, variance)) < 4 * 0.5 / n**0.5
    # control: half the deviation is too sure, and it is seen
    sure = calibration.coverage(y, mean, variance / 4, levels)
    exact = 2 * scipy.stats.norm.cdf(scipy.stats.norm.ppf((1 + levels) / 2) / 2) - 1
    np.testing.assert_allclose(sure, exact, atol=4 * 0.5 / n**0.5)
    assert float(calibration.coverage_error(y, mean, variance / 4)) > 0.15


def test_classification_agrees_with_scikit_learn(x64):
    p = RNG.dirichlet(np.ones(4), 300)
    labels = np.asarray([RNG.choice(4, p=row) for row in p])
    np.testing.assert_allclose(calibration.categorical_nll(labels, p), log_loss(labels, p))
    two, side = RNG.uniform(0.01, 0.99, 300), RNG.integers(0, 2, 300)
    pair = np.stack([1 - two, two], axis=1)
    # scikit-learn counts the positive class only.
    np.testing.assert_allclose(
        calibration.brier_score(side, pair), 2 * brier_score_loss(side, two), rtol=1e-12
    )
    bins = 10
    confidence, right = p.max(axis=1), (p.argmax(axis=1) == labels).astype(int)
    true, mean = calibration_curve(right, confidence, n_bins=bins)
    counts = np.histogram(confidence, bins, (0, 1))[0]
    expected = np.sum(counts[counts > 0] / 300 * np.abs(true - mean))
    found = calibration.expected_calibration_error(labels, p, bins=bins)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_calibration_error_tells_the_sure_from_the_right(x64):
    n = 40000
    p = RNG.dirichlet(np.ones(3), n)
    labels = (p.cumsum(axis=1) < RNG.uniform(size=(n, 1))).sum(axis=1)
    # 15 bins, each a mean of about n / 15 with deviation at most 1/2: their sum over bins.
    assert float(calibration.expected_calibration_error(labels, p)) < 4 * 0.5 * (15 / n) ** 0.5
    sharp = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert float(calibration.expected_calibration_error(labels, sharp)) > 0.1
    hard = np.eye(3)[p.argmax(axis=1)]
    wrong = (p.argmax(axis=1) != labels).mean()
    np.testing.assert_allclose(calibration.expected_calibration_error(labels, hard), wrong)


def test_entropy_falls_into_two_parts(x64):
    p = RNG.dirichlet(np.ones(3), (8, 5))
    parts = ntk.predictive_entropy(p)
    np.testing.assert_allclose(parts.total, scipy.stats.entropy(p.mean(0), axis=1))
    np.testing.assert_allclose(parts.aleatoric, scipy.stats.entropy(p, axis=2).mean(0))
    mutual = [
        scipy.stats.entropy(row, row.mean(0)[None], axis=1).mean() for row in p.swapaxes(0, 1)
    ]
    np.testing.assert_allclose(parts.epistemic, mutual, rtol=1e-10)  # mean divergence
    agreed = ntk.predictive_entropy(p[:1].repeat(4, 0))
    np.testing.assert_allclose(agreed.epistemic, 0, atol=1e-12)


def test_variance_falls_into_two_parts(x64):
    root = RNG.standard_normal((3, 3))
    prediction = ntk.Prediction(np.zeros((3, 1)), jax.numpy.asarray(root @ root.T))
    parts = ntk.predictive_variance(prediction, noise=0.3)
    np.testing.assert_allclose(parts.epistemic, (root**2).sum(1))
    np.testing.assert_allclose(parts.total, (root**2).sum(1) + 0.3)
    rounded = ntk.Prediction(np.zeros((1, 1)), jax.numpy.asarray([[-1e-17]]))
    assert float(ntk.predictive_variance(rounded).epistemic[0]) == 0.0


def test_scores_trace_under_jit(x64):
    y, mean = RNG.standard_normal((2, 6, 1))
    p, labels = RNG.dirichlet(np.ones(3), 6), np.arange(6) % 3
    for measure in (
        calibration.gaussian_nll,
        calibration.gaussian_crps,
        calibration.coverage_error,
    ):
        np.testing.assert_allclose(
            jax.jit(measure)(y, mean, np.ones(6)), measure(y, mean, np.ones(6))
        )
    for measure in (calibration.categorical_nll, calibration.expected_calibration_error):
        np.testing.assert_allclose(jax.jit(measure)(labels, p), measure(labels, p))


Z = np.zeros((2, 1), np.float32)
HALF = np.full((2, 2), 0.5, np.float32)
BAD = {
    "no variance": (lambda: calibration.gaussian_nll(Z, Z, Z[:, 0]), "variance must be positive"),
    "variances": (lambda: calibration.gaussian_crps(Z, Z, np.ones(3)), "variance must have shape"),
    "means": (lambda: calibration.gaussian_nll(Z, Z[:1], np.ones(2)), "mean must have shape"),
    "flat": (lambda: calibration.gaussian_nll(Z[:, 0], Z, np.ones(2)), r"y\[:, None\]"),
    "NaN": (lambda: calibration.gaussian_nll(Z * np.nan, Z, np.ones(2)), "y has 2"),
    "level": (lambda: calibration.coverage(Z, Z, np.ones(2), 1.0), "levels must be between"),
    "levels": (lambda: calibration.coverage_error(Z, Z, np.ones(2), levels=0), "levels"),
    "scores": (lambda: calibration.categorical_nll(np.zeros(2, int), 2 * HALF), "softmax"),
    "real labels": (lambda: calibration.brier_score(Z[:, 0], HALF), "whole numbers"),
    "high label": (lambda: calibration.brier_score(np.asarray([0, 2]), HALF), "from 0 to 1"),
    "number of labels": (lambda: calibration.brier_score(np.zeros(3, int), HALF), "labels must"),
    "bins": (
        lambda: calibration.expected_calibration_error(np.zeros(2, int), HALF, bins=0),
        "bins",
    ),
    "one member": (lambda: ntk.predictive_entropy(HALF), r"\(members, n, k\)"),
    "members": (lambda: ntk.predictive_entropy(2 * HALF[None]), "sum to 1"),
    "noise": (lambda: ntk.predictive_variance(ntk.Prediction(Z, HALF), noise=-1.0), "noise"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(x64, as_a_user_would, name):
    call, message = BAD[name]
    with pytest.raises((InvalidValueError, InvalidTypeError, ShapeError), match=message):
        call()
