"""Many networks at once are each what one network is, and their moments are judged as stated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.companion.trained import antisymmetric, beyond_bias, decay_rates, moment, train_many
from ntk.errors import InvalidValueError, ShapeError

X = np.asarray([[1.0, 0.2], [-0.6, 1.1], [0.3, -1.2]])
Z = np.asarray([[0.4, 0.5]])
Y = np.asarray([[1.0], [-0.5], [0.3]])
NET = ntk.mlp(1, 8, "erf", sigma_w=1.5, sigma_b=0.2)
KEYS = jax.random.split(jax.random.key(3), 6)


def test_each_member_is_a_training_of_its_own(x64):
    options = {"learning_rate": 0.1, "at": [0, 5, 20], "x_test": Z, "members": 6, "seed": 3}
    found = train_many(NET, X, Y, kernels=True, displacements=True, at_once=4, **options)
    start = NET.init(KEYS[4], (2,))
    alone = ntk.train(NET.apply, start, X, Y, learning_rate=0.1, steps=20, at=[0, 5, 20], x_test=Z)
    both = np.concatenate([alone.outputs, alone.outputs_test], axis=1)[..., 0]
    np.testing.assert_allclose(found.outputs[4], both, rtol=1e-12)
    points = np.concatenate([X, Z])
    kernel = ntk.empirical_ntk(NET.apply, start, points)
    np.testing.assert_allclose(found.kernels[4], kernel, rtol=1e-12)
    moved = jax.tree.map(jnp.subtract, alone.params, start)
    flat = jax.flatten_util.ravel_pytree(moved)[0]
    np.testing.assert_allclose(found.displacements[4], flat, rtol=1e-9, atol=1e-14)
    assert found.outputs.dtype == np.float64


def test_targets_from_the_start_centre_the_network(x64):
    (found,) = train_many(
        NET, X, Y, members=1, learning_rate=0.1, at=[0, 20], targets_from_start=True, seed=0
    ).outputs
    start = NET.init(jax.random.split(jax.random.key(0), 1)[0], (2,))

    def centred(params, x):
        return NET.apply(params, x) - NET.apply(start, x)

    alone = ntk.train(centred, start, X, Y, learning_rate=0.1, steps=20)
    np.testing.assert_allclose(found - found[0], alone.outputs[..., 0], rtol=1e-9, atol=1e-12)


def test_the_antisymmetric_network_starts_at_zero_with_the_same_kernel(x64):
    f, params = antisymmetric(NET), NET.init(jax.random.key(1), (2,))
    assert not np.any(f((params, params), X))
    np.testing.assert_allclose(
        ntk.empirical_ntk(f, (params, params), X),
        ntk.empirical_ntk(NET.apply, params, X),
        rtol=1e-12,
    )
    run = train_many(NET, X, Y, members=2, learning_rate=0.2, at=[0, 400], from_zero=True)
    assert not np.any(run.outputs[:, 0])
    assert run.kernels is None
    assert run.displacements is None
    # at this width the kernel moves, but the data are fitted
    assert np.abs(run.outputs[:, 1] - Y[:, 0]).max() < 0.1


def test_rates_of_a_constant_kernel_are_its_eigenvalues(x64):
    K = np.diag([0.5, 2.0, 4.0])
    descent = ntk.GradientDescent(K, Y, learning_rate=0.2)
    steps = np.arange(11)
    residuals = np.asarray(descent.train(steps, 0 * Y))[..., 0] - Y[:, 0]
    np.testing.assert_allclose(
        decay_rates(steps, np.stack([residuals] * 2), 0.2, np.array([10, 5, 3])),
        [[0.5, 2.0, 4.0]] * 2,
    )
    with pytest.raises(InvalidValueError, match="window"):
        decay_rates(steps, residuals, 0.2, 0.5)
    with pytest.raises(InvalidValueError, match="start at 0"):
        decay_rates(steps[1:], residuals[1:], 0.2, 5)


def test_moments_and_their_errors():
    draws = np.random.default_rng(0).standard_normal((20_000, 2)) @ [[1.0, 1.0], [0.0, 2.0]]
    _, mean_error = moment(draws, "mean")
    std, std_error = moment(draws, "std")
    cov, cov_error = moment(draws, "covariance")
    np.testing.assert_allclose(cov, np.cov(draws.T))
    np.testing.assert_allclose(std, draws.std(axis=0, ddof=1))
    # for normal variables the errors are known
    deviation = np.array([1.0, 5**0.5])
    np.testing.assert_allclose(mean_error * 20_000**0.5, deviation, rtol=0.03)
    np.testing.assert_allclose(std_error * 40_000**0.5, deviation, rtol=0.03)
    np.testing.assert_allclose(cov_error[0, 1] * 20_000**0.5, (1 * 5 + 1) ** 0.5, rtol=0.03)
    with pytest.raises(ShapeError, match="two replicates"):
        moment(np.ones(1), "mean")


def test_a_bias_that_halves_with_the_width_is_allowed_and_no_other():
    rng = np.random.default_rng(1)
    narrow, wide = (bias + rng.standard_normal((4000, 3)) for bias in (1.0, 0.5))
    assert beyond_bias(narrow, wide, 0.0).max() < 4
    assert beyond_bias(wide, narrow, 0.0).max() > 4  # further off at the larger width
    assert beyond_bias(narrow, wide, 1.0, "std").max() < 4
    assert beyond_bias(narrow, wide, np.eye(3), "covariance").max() < 4
    assert beyond_bias(narrow, wide, 2.0, "std").max() > 4
    with pytest.raises(ShapeError, match="must fit"):
        beyond_bias(narrow, wide, np.zeros(2))
