"""Every activation's duals against a product of Gauss rules that knows only the function."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.layers import ACTIVATIONS

# Variances and correlation; all three as different from each other as a network makes them.
PAIRS = [(1.0, 1.0, 0.3), (0.04, 3.0, -0.7), (2.0, 0.5, 0.97), (1.5, 1.5, -0.995), (0.3, 0.3, 0.0)]

MORE = {
    "abrelu": ntk.ABRelu(-0.4, 1.7),
    "elu 0.3": ntk.Elu(0.3),
    "erf scaled": ntk.Erf(0.7, 1.9, -0.2),
    "exp scaled": ntk.Exp(0.6, 0.4),
    "gabor": ntk.Gabor(),
    "hermite 5": ntk.Hermite(5),
    "leaky 0.3": ntk.LeakyRelu(0.3),
    "monomial 3": ntk.Monomial(3),
    "polynomial": ntk.Polynomial((0.3, -1.0, 0.2, 0.05)),
    "rectified 1": ntk.RectifiedMonomial(1),
    "rectified 3": ntk.RectifiedMonomial(3),
    "own function": ntk.Activation(lambda x: jnp.tanh(x) + 0.1 * jnp.sin(x)),
}
SIGMAS = MORE | {
    name: sigma() for name, sigma in ACTIVATIONS.items() if name not in {"swish", "exp_normalized"}
}


def halves(panels=12, order=20, reach=12.0):
    """Points of a normal variable on [0, reach] and their weights, without the density."""
    point, weight = np.polynomial.legendre.leggauss(order)
    edges = np.linspace(0.0, reach, panels + 1)
    middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    return (middle[:, None] + half[:, None] * point).ravel(), (half[:, None] * weight).ravel()


@jax.jit
def points(v1, v2, rho):
    r"""Return :math:`u`, :math:`v` and weights: each variable has panels that end at its zero.

    :math:`u = s_1 z` and :math:`v = s_2 (\rho z + \sqrt{1 - \rho^2} w)` with independent normal
    :math:`z, w`; inner panels start where :math:`v = 0`, so a kink or a jump is never inside one.
    """
    offset, weight = (jnp.asarray(part) for part in halves())
    z = jnp.concatenate([-offset, offset])
    bend = (-rho * z / jnp.sqrt(1.0 - rho**2))[:, None]
    # From the zero of v outwards; the normal density ends what lies further than 12 from 0.
    stretch = 1.0 + jnp.abs(bend) / 12.0
    w = jnp.concatenate([bend - stretch * offset, bend + stretch * offset], axis=1)
    weights = jnp.tile(weight, 2)
    density = jnp.exp(-0.5 * (z[:, None] ** 2 + w**2)) / (2.0 * jnp.pi)
    u = jnp.sqrt(v1) * z[:, None] + jnp.zeros_like(w)
    v = jnp.sqrt(v2) * jnp.sqrt(1.0 - rho**2) * (w - bend)
    return u, v, weights[:, None] * (weights * stretch) * density


@pytest.mark.parametrize("name", sorted(SIGMAS))
def test_duals_are_gaussian_expectations(x64, name):
    sigma = SIGMAS[name]

    @jax.jit
    def expected(pair):
        u, v, weights = points(*pair)
        slope = jax.vmap(jax.vmap(jax.grad(sigma.function)))
        return [jnp.sum(f(u) * f(v) * weights) for f in (sigma.function, slope)]

    @jax.jit
    def duals(moments):
        return jnp.stack([sigma.dual(*moments), sigma.dual_derivative(*moments)])

    reference = np.asarray([expected(jnp.asarray(pair)) for pair in PAIRS]).T
    v1, v2, rho = np.asarray(PAIRS).T
    pairs = np.stack([rho * np.sqrt(v1 * v2), v1, v2])
    # One call, so that each activation is compiled once.
    moments = np.stack([pairs, [v1] * 3, [v2] * 3], axis=1)
    (dual, *own), (slope, *own_slopes) = np.asarray(duals(moments))
    scale, slopes = (np.sqrt(a * b) for a, b in (own, own_slopes))
    np.testing.assert_array_less(np.abs(dual - reference[0]), 1e-12 * scale)
    np.testing.assert_array_less(np.abs(slope - reference[1]), 1e-12 * slopes + 1e-300)


def test_the_reference_finds_a_wrong_factor(x64):
    u, v, weights = points(1.0, 1.0, 0.3)
    found = float(jnp.sum(jnp.maximum(u, 0) * jnp.maximum(v, 0) * weights))
    right = float(ntk.Relu().dual(jnp.asarray(0.3), jnp.asarray(1.0), jnp.asarray(1.0)))
    assert abs(found - right) < 1e-13
    assert abs(found - 1.0001 * right) > 1e-5
