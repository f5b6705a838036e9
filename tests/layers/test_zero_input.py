"""Gradients at an input of zeros, where lengths and angles have none but smooth kernels do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.layers import ACTIVATIONS

KINKED = {"abs", "elu", "leaky_relu", "relu", "sign"}
# Kernels of polynomials are smooth too, but at zero flat without a bias.
SMOOTH = {
    name: sigma()
    for name, sigma in ACTIVATIONS.items()
    if name not in KINKED | {"exp_normalized", "swish"}
} | {"own": ntk.Activation(jnp.tanh)}

STEP = 1e-4
# Two central differences, combined so that an error of the fifth order remains.
WEIGHTS = np.asarray([4 / 3, -1 / 6])[:, None] / (2 * STEP)


def check(sigma, sigma_b):
    net = ntk.mlp(1, activation=sigma, sigma_w=1.1, sigma_b=sigma_b)
    others = jax.random.normal(jax.random.key(0), (3, 2))
    direction = jnp.asarray([0.6, -0.8])

    def along(t):
        return jnp.stack(ntk.kernel(net, (t * direction)[None], others)).ravel()

    @jax.jit
    @jax.vmap
    def values_and_slopes(t):
        return jax.jvp(along, (t,), (jnp.ones_like(t),))

    values, slopes = values_and_slopes(STEP * np.asarray([1.0, 2.0, -1.0, -2.0, 0.0]))
    found, expected = slopes[4], np.sum(WEIGHTS * (values[:2] - values[2:4]), axis=0)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_smooth_kernels_have_their_gradient_at_zero(x64, name):
    even = name in {"cos", "gaussian"}  # whose kernels are flat at zero, unless there is a bias
    check(SMOOTH[name], 0.3 if even else None)


@pytest.mark.parametrize("sigma", [ntk.Relu(), ntk.Abs(), ntk.Erf(), ntk.ExpNormalized()])
def test_a_bias_makes_every_kernel_smooth_at_zero(x64, sigma):
    check(sigma, 0.3)
