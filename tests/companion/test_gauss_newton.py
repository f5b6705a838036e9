"""Damped Gauss-Newton: the least-norm solution of linear problems, and convergence of others."""

import jax
import jax.numpy as jnp
import numpy as np

import ntk
from ntk.companion.gauss_newton import levenberg_marquardt

RNG = np.random.default_rng(0)


def test_a_linear_model_ends_at_the_solution_nearest_to_the_start(x64):
    x, y, start = (jnp.asarray(RNG.standard_normal(s)) for s in ((5, 9), (5, 1), (9, 1)))
    end = levenberg_marquardt(lambda w, x: x @ w, start, x, y, steps=60)
    nearest = start + np.linalg.pinv(x) @ (y - x @ start)
    np.testing.assert_allclose(end, nearest, rtol=1e-8, atol=1e-10)


def test_a_problem_without_solution_ends_at_least_squares(x64):
    x, y = (jnp.asarray(RNG.standard_normal(s)) for s in ((9, 4), (9, 1)))
    end = levenberg_marquardt(lambda w, x: x @ w, jnp.zeros((4, 1)), x, y, steps=60)
    np.testing.assert_allclose(end, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-6)


def test_a_network_fits_its_data(x64):
    x, y = (jnp.asarray(RNG.standard_normal(s)) for s in ((6, 3), (6, 1)))
    net = ntk.mlp(1, 12, "erf")
    params = net.init(jax.random.key(0), (3,))
    end = levenberg_marquardt(net.apply, params, x, y, steps=40)
    np.testing.assert_allclose(net.apply(end, x), y, atol=1e-8)
