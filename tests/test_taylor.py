"""The first-order expansion of a model."""

import jax
import jax.numpy as jnp
import numpy as np

import ntk


def setting():
    net = ntk.mlp(2, 16, "erf", sigma_w=1.4, sigma_b=0.3, outputs=2)
    params = net.init(jax.random.key(0), (3,))
    step = jax.tree.map(lambda p: jax.random.normal(jax.random.key(1), p.shape), params)
    return net, params, step, jax.random.normal(jax.random.key(2), (4, 3))


def moved(params, step, size):
    return jax.tree.map(lambda p, s: p + size * s, params, step)


def test_touches_the_model_to_first_order(x64):
    net, params, step, x = setting()
    f_lin = ntk.linearize(net.apply, params)
    np.testing.assert_allclose(f_lin(params, x), net.apply(params, x), rtol=1e-14)
    errors = []
    for size in (1e-2, 1e-3):
        p = moved(params, step, size)
        errors.append(float(jnp.abs(f_lin(p, x) - net.apply(p, x)).max()))
    assert 80 < errors[0] / errors[1] < 120


def test_is_affine_in_the_parameters(x64):
    net, params, step, x = setting()
    f_lin = ntk.linearize(net.apply, params)
    once, twice = (f_lin(moved(params, step, s), x) - f_lin(params, x) for s in (1.0, 2.0))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-10)


def test_keeps_the_kernel_of_the_point_of_expansion_everywhere(x64):
    net, params, step, x = setting()
    f_lin = ntk.linearize(net.apply, params)
    far = moved(params, step, 3.0)
    expected = ntk.empirical_ntk(net.apply, params, x)
    np.testing.assert_allclose(ntk.empirical_ntk(f_lin, far, x), expected, rtol=1e-10)
    assert np.abs(ntk.empirical_ntk(net.apply, far, x) - expected).max() > 0.1
