"""Least squares on features: against the normal equations, and against theory at many features."""

import numpy as np
import pytest

from ntk.companion.features import relu_feature_errors, ridge_fits
from ntk.errors import InvalidValueError, ShapeError


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("shape", [(12, 5), (5, 12), (6, 6)])
def test_ridge_fits_solve_the_normal_equations(shape):
    phi, y = rng().standard_normal(shape), rng(1).standard_normal((shape[0], 2))
    least_norm, ridged = ridge_fits(phi, y, [0.0, 0.3])
    np.testing.assert_allclose(least_norm, np.linalg.pinv(phi) @ y, rtol=1e-9)
    expected = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(shape[1]), phi.T @ y)
    np.testing.assert_allclose(ridged, expected, rtol=1e-9)


def test_features_that_repeat_share_their_coefficient():
    phi = np.repeat(rng().standard_normal((8, 3)), 2, axis=1)
    (fit,) = ridge_fits(phi, rng(1).standard_normal((8, 1)), [0.0])
    np.testing.assert_allclose(fit[::2], fit[1::2], rtol=1e-9)
    assert np.abs(fit).max() < 10


def test_bad_input_is_named():
    with pytest.raises(ShapeError, match=r"\(n, p\), \(n, k\) and \(r,\)"):
        ridge_fits(np.ones((3, 2)), np.ones(3), [0.0])
    with pytest.raises(InvalidValueError, match="0 or more"):
        ridge_fits(np.ones((3, 2)), np.ones((3, 1)), [-1.0])


def test_error_of_many_examples_is_what_the_features_cannot_express(x64):
    w, beta = rng().standard_normal((6, 3)), np.array([1.0, 0.0, 0.0])
    x = rng(1).standard_normal((200_000, 3))
    phi = np.maximum(x @ w.T, 0)
    fit = np.linalg.lstsq(phi, x @ beta, rcond=None)[0]
    left_over = np.mean((phi @ fit - x @ beta) ** 2)
    predicted = relu_feature_errors(w, beta, 10**7, ridges=[0.0], noises=[0.0])[0, 0]
    np.testing.assert_allclose(predicted, left_over, rtol=0.02)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_theory_agrees_with_fits(x64, ridge):
    n, p, d, noise = 400, 200, 30, 0.3
    w, errors = rng().standard_normal((p, d)) / p**0.5, []
    for seed in range(10):
        x, x_new = rng([seed, 0]).standard_normal((n, d)), rng([seed, 1]).standard_normal((400, d))
        y = x[:, :1] + noise * rng([seed, 2]).standard_normal((n, 1))
        (fit,) = ridge_fits(np.maximum(x @ w.T, 0), y, [ridge])
        errors.append(np.mean((np.maximum(x_new @ w.T, 0) @ fit - x_new[:, :1]) ** 2))
    predicted = relu_feature_errors(w, np.eye(d)[0], n, ridges=[ridge], noises=[noise])[0, 0]
    # Theory is for many features, and normal ones; at these numbers it should be good to a tenth.
    np.testing.assert_allclose(predicted, np.mean(errors), rtol=0.1)


def test_theory_is_infinite_at_the_threshold(x64):
    w = rng().standard_normal((30, 5))
    errors = relu_feature_errors(w, np.eye(5)[0], 30, ridges=[0.0, 0.1], noises=[0.1, 0.2])
    assert np.isinf(errors[:, 0]).all()
    assert np.isfinite(errors[:, 1]).all()
