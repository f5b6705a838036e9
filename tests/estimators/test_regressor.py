"""The regressor against the formulas, brute force, and the functions of Gram matrices."""

import pickle
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk import NTKRegressor
from ntk.errors import SingularGramWarning

RNG = np.random.default_rng(1)
X, Z = RNG.standard_normal((24, 3)), RNG.standard_normal((7, 3))
Y = np.stack([np.sin(2 * X[:, 0]), X[:, 1] * X[:, 2]], axis=1) + 0.1 * RNG.standard_normal((24, 2))
NET = ntk.mlp(1, activation="erf", sigma_w=1.5, sigma_b=0.3)


def kernels(x, z):
    with jax.enable_x64(True):
        return ntk.kernel(NET, x), ntk.kernel(NET, z, x), ntk.kernel(NET, z)


@pytest.mark.parametrize("part", ["ntk", "nngp"])
def test_it_is_kernel_ridge_regression_in_double_precision(part):
    K, Kt, _ = (np.asarray(getattr(kernel, part)) for kernel in kernels(X, Z))
    expected = Kt @ np.linalg.solve(K + 0.02 * np.eye(24), Y)
    model = NTKRegressor(NET, kernel=part, ridge=0.02).fit(X, Y)
    found = model.predict(Z)
    assert found.dtype == np.float64
    assert not jax.config.jax_enable_x64
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    flat = NTKRegressor(NET, kernel=part, ridge=0.02).fit(X, Y[:, 0])
    np.testing.assert_allclose(flat.predict(Z), expected[:, 0], rtol=1e-10)
    same = NTKRegressor(
        depth=1, activation="erf", sigma_w=1.5, sigma_b=0.3, kernel=part, ridge=0.02
    )
    np.testing.assert_array_equal(same.fit(X, Y).predict(Z), found)


def test_single_precision_stays_single():
    model = NTKRegressor(NET, ridge=0.02).fit(X.astype(np.float32), Y)
    assert model.X_fit_.dtype == np.float32
    found = model.predict(Z)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, NTKRegressor(NET, ridge=0.02).fit(X, Y).predict(Z), atol=1e-3)


def test_no_warning_about_precision_whatever_jax_is_set_to(x64):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside = NTKRegressor(NET).fit(X, Y).predict(Z)
        with jax.enable_x64(False):
            outside = NTKRegressor(NET).fit(X, Y).predict(Z)
    np.testing.assert_array_equal(inside, outside)


# --- one point left out ---------------------------------------------------------------------------

WEIGHTS = RNG.uniform(0.5, 3.0, 24)


def brute_force(x, y, weights, **parameters):
    """Refit without each point and predict it; the deviation has the noise of that point."""
    means, deviations = [], []
    for i in range(len(x)):
        kept = np.arange(len(x)) != i
        model = NTKRegressor(NET, **parameters).fit(x[kept], y[kept], weights[kept])
        mean, deviation = model.predict(x[i : i + 1], return_std=True)
        means.append(mean[0])
        deviations.append(np.hypot(deviation[0], np.sqrt(model.ridge / weights[i])))
    return np.array(means), np.array(deviations)


@pytest.mark.parametrize("weights", [np.ones(24), WEIGHTS], ids=["equal", "weighted"])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_left_out_predictions_are_those_of_refits(ridge, weights):
    model = NTKRegressor(NET, ridge=ridge).fit(X, Y, weights)
    mean, deviation = model.leave_one_out(return_std=True)
    expected, spread = brute_force(X, Y, weights, ridge=ridge)
    np.testing.assert_allclose(mean, expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(deviation, spread, rtol=1e-8)
    # What it must not be: the residuals of the fit itself.
    assert np.abs(model.predict(X) - expected).max() > 0.01


def test_left_out_predictions_of_a_singular_system_are_those_of_refits():
    # Points 0 and 1 repeat 2 and 3 with other targets; without a ridge the kernel is singular.
    x, y = X[[2, 3, *range(2, 10)]], Y[:10]
    with pytest.warns(SingularGramWarning, match="2 direction"):
        model = NTKRegressor(NET, ridge=0.0).fit(x, y)
    np.testing.assert_allclose(model.predict(x[:2]), (y[:2] + y[2:4]) / 2, rtol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularGramWarning)
        expected, _ = brute_force(x, y, np.ones(10), ridge=0.0)
    np.testing.assert_allclose(model.leave_one_out(), expected, rtol=1e-6, atol=1e-6)


def test_equal_targets_at_equal_points_are_learnt_without_a_warning():
    twice = np.r_[0:5, 0:5]
    model = NTKRegressor(NET, ridge=0.0).fit(X[twice], Y[twice])
    np.testing.assert_allclose(model.predict(X[:5]), Y[:5], atol=1e-7)


def test_the_ridge_is_the_one_with_the_least_left_out_error():
    tried, noisy = [1e-4, 100.0, 1.0, 1e-2], Y + 0.5 * RNG.standard_normal(Y.shape)
    model = NTKRegressor(NET, ridge=tried).fit(X, noisy, WEIGHTS)
    each = [NTKRegressor(NET, ridge=ridge).fit(X, noisy, WEIGHTS) for ridge in tried]
    errors = [
        np.average(np.mean((noisy - one.leave_one_out()) ** 2, axis=1), weights=WEIGHTS)
        for one in each
    ]
    np.testing.assert_allclose(model.loo_errors_, errors, rtol=1e-6)
    best = int(np.argmin(errors))
    assert best not in {0, 3}
    assert model.ridge_ == tried[best]
    np.testing.assert_allclose(model.predict(Z), each[best].predict(Z), rtol=1e-8)
    automatic = NTKRegressor(NET, ridge="loo").fit(X, noisy, WEIGHTS)
    assert automatic.loo_errors_.min() < 1.01 * min(errors)


# --- points added ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_points_added_in_blocks_give_the_fit_to_all(ridge):
    whole = NTKRegressor(NET, ridge=ridge).fit(X, Y, WEIGHTS)
    grown = NTKRegressor(NET, ridge=ridge).fit(X[:10], Y[:10], WEIGHTS[:10])
    for block in (slice(10, 11), slice(11, 24)):
        grown.add_points(X[block], Y[block], WEIGHTS[block])
    np.testing.assert_allclose(grown.predict(Z), whole.predict(Z), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(grown.leave_one_out(), whole.leave_one_out(), rtol=1e-10, atol=1e-10)
    for found, expected in zip(
        grown.predict(Z, return_std=True), whole.predict(Z, return_std=True), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


def test_points_that_make_the_system_singular_are_added_all_the_same():
    whole_x, whole_y = np.concatenate([X[:6], X[:2]]), np.concatenate([Y[:6], Y[:2] + 1.0])
    grown = NTKRegressor(NET, ridge=0.0).fit(X[:6], Y[:6])
    with pytest.warns(SingularGramWarning):
        grown.add_points(whole_x[6:], whole_y[6:])
    with pytest.warns(SingularGramWarning):
        whole = NTKRegressor(NET, ridge=0.0).fit(whole_x, whole_y)
    np.testing.assert_allclose(grown.predict(Z), whole.predict(Z), rtol=1e-6)
    with pytest.warns(SingularGramWarning):
        grown.add_points(X[6:8], Y[6:8])
    assert len(grown.X_fit_) == 10


# --- weights, starts, images ----------------------------------------------------------------------


def test_a_weight_is_a_number_of_repetitions():
    counts = RNG.integers(0, 4, 24)
    weighted = NTKRegressor(NET, ridge=0.05).fit(X, Y, counts)
    repeated = NTKRegressor(NET, ridge=0.05).fit(np.repeat(X, counts, 0), np.repeat(Y, counts, 0))
    np.testing.assert_allclose(weighted.predict(Z), repeated.predict(Z), rtol=1e-10)
    assert len(weighted.X_fit_) == np.count_nonzero(counts)


def test_training_starts_at_f0():
    finite = ntk.mlp(1, 32, "erf", sigma_w=1.5, sigma_b=0.3, outputs=2)
    params = finite.init(jax.random.key(0), (3,))
    model = NTKRegressor(NET, ridge=0.02, f0=lambda x: finite.apply(params, x)).fit(X, Y)
    K, Kt, _ = kernels(X, Z)
    with jax.enable_x64(True):
        flow = ntk.GradientFlow(K.ntk, Y, ridge=0.02)
        f0, f0_test = (finite.apply(params, jnp.asarray(x)) for x in (X, Z))
        expected = np.asarray(flow.test(jnp.inf, Kt.ntk, f0_test, f0))
    np.testing.assert_allclose(model.predict(Z), expected, rtol=1e-8)
    assert np.abs(NTKRegressor(NET, ridge=0.02).fit(X, Y).predict(Z) - expected).max() > 0.01
    grown = NTKRegressor(NET, ridge=0.02, f0=model.f0).fit(X[:9], Y[:9]).add_points(X[9:], Y[9:])
    np.testing.assert_allclose(grown.predict(Z), expected, rtol=1e-8)


def test_images_go_through_a_convolutional_network():
    images = RNG.standard_normal((12, 5, 5, 2))
    net = ntk.Serial(ntk.Conv(8, (3, 3)), ntk.Relu(), ntk.GlobalAvgPool(), ntk.Dense(1))
    target = images.mean(axis=(1, 2, 3))
    model = NTKRegressor(net, ridge=1e-2).fit(images[:9], target[:9])
    with jax.enable_x64(True):
        K, Kt = (
            np.asarray(ntk.kernel(net, *pair, get="ntk"))
            for pair in [(images[:9],), (images[9:], images[:9])]
        )
    expected = Kt @ np.linalg.solve(K + 1e-2 * np.eye(9), target[:9])
    np.testing.assert_allclose(model.predict(images[9:]), expected, rtol=1e-9)


def test_it_survives_a_pickle():
    model = NTKRegressor(NET, ridge=[1e-3, 1e-2]).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(Z), model.predict(Z))
    np.testing.assert_allclose(
        again.add_points(Z, np.zeros((7, 2))).predict(X),
        model.add_points(Z, np.zeros((7, 2))).predict(X),
    )


# --- uncertainty ----------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["ntk", "nngp"])
def test_the_posterior_is_that_of_the_gram_matrices(part):
    K, Kt, Ktt = (getattr(kernel, part) for kernel in kernels(X, Z))
    with jax.enable_x64(True):
        expected = ntk.gp_posterior(K, Kt, Ktt, Y, noise=0.02)
    model = NTKRegressor(NET, kernel=part, ridge=0.02).fit(X, Y)
    mean, covariance = model.predict(Z, return_cov=True)
    np.testing.assert_allclose(mean, expected.mean, rtol=1e-8)
    np.testing.assert_allclose(covariance, expected.covariance, rtol=1e-8, atol=1e-10)
    deviation = model.predict(Z, return_std=True)[1]
    np.testing.assert_allclose(deviation**2, np.diag(covariance), rtol=1e-8)


def test_the_ensemble_is_that_of_the_gram_matrices():
    with jax.enable_x64(True):
        expected = ntk.ensemble(*kernels(X, Z), Y, ridge=0.02)
    model = NTKRegressor(NET, ridge=0.02, spread="ensemble").fit(X, Y)
    mean, covariance = model.predict(Z, return_cov=True)
    np.testing.assert_allclose(mean, expected.mean, rtol=1e-8)
    np.testing.assert_allclose(covariance, expected.covariance, rtol=1e-8, atol=1e-10)
    deviation = model.predict(Z, return_std=True)[1]
    np.testing.assert_allclose(deviation**2, np.diag(covariance), rtol=1e-8)
