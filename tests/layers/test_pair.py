"""The geometry of a pair: series, gaps through layers, and near-duplicates in single precision."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import ntk
from ntk.inputs import input_state
from ntk.layers.arcsine import arcsine_series, integral_series
from ntk.layers.pair import Pair, acute_angle, opposition
from ntk.state import State
from tests.points import near_pairs

ANGLES = np.concatenate([10.0 ** np.arange(-9, 0), np.linspace(0.1, np.pi / 2, 30)])


@pytest.mark.parametrize(("dtype", "units"), [("float32", 4), ("float64", 12)])
def test_series_are_right_to_rounding(x64, dtype, units):
    tolerance = units * np.finfo(dtype).eps
    with mp.workdps(40):
        # The half sine is what is given, rounded: the reference starts from it.
        half = np.sin(ANGLES / 2).astype(dtype)
        exact = [2 * mp.asin(mp.mpf(float(s))) for s in half]
        opposed = [float(mp.sin(a) - a * mp.cos(a)) for a in exact]
        angles = [float(a) for a in exact]
    s = jnp.asarray(half)
    assert arcsine_series(s * s).dtype == integral_series(s * s).dtype == dtype
    np.testing.assert_allclose(acute_angle(s), angles, rtol=tolerance)
    np.testing.assert_allclose(opposition(s), opposed, rtol=tolerance)


def test_series_have_the_derivatives_of_what_they_stand_for(x64):
    s = jnp.sin(jnp.linspace(0.01, np.pi / 2, 40) / 2)
    angle = 2 * np.arcsin(s)
    np.testing.assert_allclose(jax.vmap(jax.grad(acute_angle))(s), 2 / np.cos(angle / 2), 1e-13)
    np.testing.assert_allclose(jax.vmap(jax.grad(opposition))(s), 4 * s * angle, 1e-12)


def test_geometry_agrees_with_its_definitions(x64):
    rng = np.random.default_rng(0)
    v1, v2 = rng.uniform(0.1, 3, (2, 50))
    rho = rng.uniform(-0.95, 0.95, 50)
    cov = rho * np.sqrt(v1 * v2)
    pair = Pair.of(*map(jnp.asarray, (cov, v1, v2)))
    np.testing.assert_allclose(pair.angle, np.arccos(rho), rtol=1e-13)
    np.testing.assert_allclose(pair.determinant, v1 * v2 - cov**2, rtol=1e-13)
    np.testing.assert_allclose(pair.half_square_difference, (v1 + v2) / 2 - cov, rtol=1e-13)
    np.testing.assert_allclose(pair.half_square_sum, (v1 + v2) / 2 + cov, rtol=1e-13)


def test_without_the_gap_single_precision_does_not_know_them(x64):
    x = jnp.asarray(near_pairs("float32"))
    net = ntk.mlp(3, sigma_w=1.3).limit()
    state = input_state(x, x, 0, tangent=True)
    blind = State(state.cov, state.tangent, state.var1, state.var2, state.features)
    exact = ntk.kernel(ntk.mlp(3, sigma_w=1.3), x.astype("float64"), get="ntk")
    scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))[:-1, :-1]
    error = np.abs(np.asarray(net.propagate(blind).tangent, "float64") - exact)[:-1, :-1]
    assert np.max(error / scale) > 5e-5


def test_the_gap_of_a_biased_layer_is_that_of_high_precision(x64):
    # Collinear inputs of other lengths are apart after a bias; near-duplicates stay so.
    scales = [(1.0, 1.0 + 1e-9), (1.0, 3.0), (1e-3, 1e3), (2.0, 2.0)]
    angles = [0.0, 1e-10, 1e-5, 0.3, 1.5, 2.9]
    cases = [(a * a, b * b, t) for a, b in scales for t in angles]
    w2, b2 = 1.7, 0.09
    exact, given = [], []
    with mp.workdps(60):
        for *variances, t in cases:
            v1, v2 = map(mp.mpf, variances)
            mean = mp.sqrt(v1 * v2)
            cov = mean * mp.cos(t)
            given.append([float(cov), float(mean - abs(cov)), float(v1), float(v2)])
            after = mp.sqrt((w2 * v1 + b2) * (w2 * v2 + b2))
            exact.append(float(after - abs(w2 * cov + b2)))
    for (cov, gap, v1, v2), expected in zip(given, exact, strict=True):
        state = State(
            jnp.full((1, 1), cov), None, jnp.full(1, v1), jnp.full(1, v2), 1, jnp.full((1, 1), gap)
        )
        layer = ntk.Dense(1, sigma_w=w2**0.5, sigma_b=b2**0.5)
        found = float(layer.propagate(state).gap[0, 0])
        # The gap is half the square of an angle, which the given variances define to rounding.
        rounding, scale = 8 * np.finfo(float).eps, v1 + v2 + 1
        allowed = 2 * rounding * (expected * scale) ** 0.5 + rounding**2 * scale
        assert abs(found - expected) <= 1e-12 * expected + allowed
