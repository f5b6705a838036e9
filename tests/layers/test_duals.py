"""Duals of the activations against one-dimensional integrals in high precision."""

from functools import cache

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import ntk
from ntk.layers import ACTIVATIONS, Elementwise, description

PAIRS = [
    (v1, v2, rho)
    for v1, v2 in [(1.0, 1.0), (0.3, 2.5), (1e-12, 1.0), (1e-12, 3e-12), (1e6, 2e5)]
    for rho in [-1.0, -0.999, -0.5, 0.0, 0.3, 0.9, 0.99999, 1.0]
]


def conditional_relu(mean, std):
    if std == 0:
        return max(mean, mp.mpf(0))
    return mean * mp.ncdf(mean / std) + std * mp.npdf(mean / std)


def conditional_relu_derivative(mean, std):
    if std == 0:
        return mp.mpf(mean > 0)
    return mp.ncdf(mean / std)


def conditional_erf(mean, std):
    return mp.erf(mean / mp.sqrt(1 + 2 * std**2))


def conditional_erf_derivative(mean, std):
    total = 1 + 2 * std**2
    return 2 / mp.sqrt(mp.pi * total) * mp.exp(-(mean**2) / total)


CONDITIONAL = {
    "relu": (lambda x: max(x, mp.mpf(0)), conditional_relu),
    "relu'": (lambda x: mp.mpf(x > 0), conditional_relu_derivative),
    "erf": (mp.erf, conditional_erf),
    "erf'": (lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-(x**2)), conditional_erf_derivative),
}


def reference(name, v1, v2, rho):
    """E[s(u) s(v)] as the integral over u of s(u) E[s(v) | u]."""
    outer, inner = CONDITIONAL[name]
    with mp.workdps(30):
        s1, s2, r = mp.sqrt(v1), mp.sqrt(v2), mp.mpf(rho)
        rest = s2 * mp.sqrt(1 - r**2)

        def integrand(z):
            return outer(s1 * z) * inner(r * s2 * z, rest) * mp.npdf(z)

        width = min(mp.mpf(1), 1 / s1)
        knots = [-14, -4, -width, 0, width, 4, 14]
        return float(mp.quad(integrand, sorted(set(map(mp.mpf, knots)))))


@pytest.mark.parametrize("name", ["relu", "erf"])
@pytest.mark.parametrize(("v1", "v2", "rho"), PAIRS)
def test_dual_is_the_gaussian_expectation(x64, name, v1, v2, rho):
    sigma = ACTIVATIONS[name]()
    pair = [jnp.asarray(v) for v in (rho * np.sqrt(v1) * np.sqrt(v2), v1, v2)]
    for suffix, method in [("", sigma.dual), ("'", sigma.dual_derivative)]:
        expected = reference(name + suffix, v1, v2, rho)
        diagonal = [float(method(*[jnp.asarray(v)] * 3)) for v in (v1, v2)]
        # Near rho = -1 the terms cancel, so the scale is that of the diagonal. The given
        # covariance is known to eps; near rho = +-1 the determinant is 2e-5 of the product of
        # variances, its relative rounding 1e-11, and a steep function (variance 1e6) feels
        # it in full.
        tolerance = 1e-12 if max(v1, v2) <= 10 else 1e-10
        scale = (diagonal[0] * diagonal[1]) ** 0.5
        np.testing.assert_allclose(float(method(*pair)), expected, rtol=0, atol=tolerance * scale)


NAMES = sorted(set(ACTIVATIONS) - {"swish"})  # which is silu
PAIRS_AT_ONCE = 8


@cache
def compiled(name):
    """Both duals of some pairs, (2, pairs), and their gradients, (2, 3, pairs), compiled once."""
    sigma = ACTIVATIONS[name]()

    @jax.jit
    def values_and_gradients(moments):
        duals = lambda m: jnp.stack([sigma.dual(*m), sigma.dual_derivative(*m)])  # noqa: E731
        values, pull = jax.vjp(duals, moments)
        # A dual depends on its own pair only, so that one pass has the gradients of all.
        rows = jnp.eye(2, dtype=values.dtype)[:, :, None] * jnp.ones_like(values)
        return values, jax.vmap(pull)(rows)[0]

    return values_and_gradients


# The network's gradient does not see a step, where Price's theorem would count it.
@pytest.mark.parametrize("name", [name for name in NAMES if name != "sign"])
def test_derivative_dual_is_price_s_theorem(x64, name):
    cov = jnp.linspace(-1.3, 1.3, PAIRS_AT_ONCE)
    moments = jnp.stack([cov, jnp.full_like(cov, 1.7), jnp.full_like(cov, 1.1)])
    values, gradients = compiled(name)(moments)
    np.testing.assert_allclose(values[1], gradients[0, 0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_of_the_duals_agree_with_differences(x64, name):
    pair, step = np.asarray([[0.4], [1.3], [0.7]]), 1e-5
    none = np.zeros((3, PAIRS_AT_ONCE - 6))
    shifts = step * np.concatenate([np.eye(3), -np.eye(3), none], axis=1)
    values, gradients = compiled(name)(jnp.asarray(pair + shifts))
    differences = (values[:, :3] - values[:, 3:6]) / (2 * step)
    np.testing.assert_allclose(gradients[:, :, -1], differences, rtol=1e-7)


COLLINEAR = [
    (sign * np.sqrt(v1 * v2), v1, v2)
    for v1, v2 in [(1.0, 1.0), (0.0, 1.0), (0.0, 0.0), (1e12, 1e-12)]
    for sign in (-1.0, 1.0)
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_is_finite_at_collinear_pairs(x64, name, dtype):
    values, gradients = compiled(name)(jnp.asarray(np.transpose(COLLINEAR), dtype))
    assert values.dtype == dtype
    # The kernel of exp grows like exp(variance): infinite, and rightly so, at a variance of 1e12.
    kept = [name != "exp" or max(pair) < 100 for pair in COLLINEAR]
    assert np.isfinite(values[:, np.asarray(kept)]).all()
    assert np.isfinite(gradients[..., np.asarray(kept)]).all()


def test_a_coincident_pair_is_exact_in_both_precisions(x64):
    for dtype in ("float32", "float64"):
        v = jnp.asarray([1e-12, 0.1, 0.7, 3.0, 1e12], dtype)
        np.testing.assert_array_equal(ntk.Relu().dual(v, v, v), v / 2)
        np.testing.assert_array_equal(ntk.Relu().dual_derivative(v, v, v), np.full(5, 0.5, dtype))


def test_an_activation_of_one_s_own_needs_its_dual_alone(x64):
    @description
    class Cube(Elementwise):
        def function(self, x):
            return x**3

        def dual(self, cov, var1, var2):
            return 9 * var1 * var2 * cov + 6 * cov**3

    net = ntk.mlp(2, 64, Cube(), sigma_w=0.7, sigma_b=0.2)
    x = jax.random.normal(jax.random.key(0), (4, 3))
    c = 0.49 * x @ x.T / 3 + 0.04
    theta = c
    for _ in range(2):
        v = jnp.diag(c)
        product = v[:, None] * v[None]
        cov = 0.49 * (9 * product * c + 6 * c**3) + 0.04
        theta = 0.49 * theta * (9 * product + 18 * c**2) + cov
        c = cov
    K = ntk.kernel(net, x)
    np.testing.assert_allclose(K.nngp, c, rtol=1e-12)
    np.testing.assert_allclose(K.ntk, theta, rtol=1e-12)
