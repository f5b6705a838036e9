"""SGD with replacement: its mean, its covariance, and what full batches make of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk.companion.stochastic import gradient_noise, sgd_path, stationary_covariance
from ntk.errors import InvalidValueError

X = np.random.default_rng(0).standard_normal((12, 2))
Y = np.random.default_rng(1).standard_normal((12, 1))


def linear(w, x):
    return x @ w


def path(key, **options):
    start = jnp.zeros((2, 1))
    return sgd_path(key, linear, start, jnp.asarray(X), jnp.asarray(Y), **options)


def test_records_are_of_every_so_many_steps(x64):
    at = {"rate": 0.1, "batch_size": 3, "steps": 12}
    key = jax.random.key(0)
    every, each = path(key, every=4, **at), path(key, **at)
    assert each.shape == (12, 2, 1)
    np.testing.assert_allclose(every, each[3::4], rtol=1e-12)
    with pytest.raises(InvalidValueError, match="must divide"):
        path(key, every=5, **at)


def test_minimiser_curvature_and_noise():
    best, curvature, noise = gradient_noise(X, Y[:, 0])
    np.testing.assert_allclose(curvature @ best, X.T @ Y[:, 0] / 12, rtol=1e-10)
    gradients = [x * (x @ best - y) for x, y in zip(X, Y[:, 0], strict=True)]
    np.testing.assert_allclose(noise, np.cov(np.transpose(gradients), bias=True), rtol=1e-10)


def test_the_covariance_is_a_fixed_point_of_one_exact_step():
    rate, batch = 0.2, 2
    settled = stationary_covariance(X, Y[:, 0], rate=rate, batch_size=batch)
    best, curvature, _ = gradient_noise(X, Y[:, 0])
    # The law after one step of a batch of one example, by summing over the examples; a batch of
    # two has half the covariance around the same mean.
    moment = np.zeros((2, 2))
    for x, y in zip(X, Y[:, 0], strict=True):
        residual = y - x @ best
        moment += np.outer(x, x) * (x @ settled @ x + residual**2) / 12
    shrink = np.eye(2) - rate * curvature
    spread = (moment - curvature @ settled @ curvature) / batch
    np.testing.assert_allclose(shrink @ settled @ shrink + rate**2 * spread, settled, rtol=1e-10)


def test_chains_settle_to_it(x64):
    rate, batch = 0.2, 2
    keys = jax.random.split(jax.random.key(0), 400)
    run = jax.vmap(lambda key: path(key, rate=rate, batch_size=batch, steps=400, every=20))
    ends = np.asarray(jax.jit(run)(keys))[:, 10:, :, 0] - gradient_noise(X, Y[:, 0])[0]
    found = np.einsum("csi,csj->cij", ends, ends) / ends.shape[1]
    settled = stationary_covariance(X, Y[:, 0], rate=rate, batch_size=batch)
    error = found.std(axis=0) / len(found) ** 0.5
    assert (np.abs(found.mean(axis=0) - settled) < 4 * error).all()


def test_to_first_order_it_solves_the_equation_of_lyapunov():
    at = {"rate": 1e-6, "batch_size": 3}
    exact, first = (stationary_covariance(X, Y[:, 0], exact=e, **at) for e in (True, False))
    np.testing.assert_allclose(exact, first, rtol=1e-4)
    _, curvature, noise = gradient_noise(X, Y[:, 0])
    np.testing.assert_allclose(
        curvature @ first + first @ curvature, 1e-6 / 3 * noise, rtol=1e-9, atol=1e-18
    )
