"""Flow and stability of the parameters, on a model whose training is known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import ntk
from ntk.companion.descent import largest_stable_rate, parameter_flow, squared_loss

X = np.random.default_rng(0).standard_normal((6, 9))
Y = np.random.default_rng(1).standard_normal((6, 2))
W0 = np.random.default_rng(2).standard_normal((9, 2))


def linear(w, x):
    return jnp.asarray(x) @ w


@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_the_loss_is_half_the_squares(x64, loss_scale):
    scale = 1 / Y.size if loss_scale == "mean" else 1.0
    np.testing.assert_allclose(
        squared_loss(linear, W0, X, jnp.asarray(Y), loss_scale),
        scale * 0.5 * ((X @ W0 - Y) ** 2).sum(),
        rtol=1e-12,
    )


@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_flow_of_a_linear_model_is_the_exponential(x64, loss_scale):
    scale = 1 / Y.size if loss_scale == "mean" else 1.0
    w = parameter_flow(linear, W0, X, jnp.asarray(Y), time=0.3, loss_scale=loss_scale)
    shrink = scipy.linalg.expm(-0.3 * scale * X @ X.T)
    np.testing.assert_allclose(X @ w - Y, shrink @ (X @ W0 - Y), rtol=1e-7, atol=1e-8)


def test_small_steps_tend_to_the_flow(x64):
    net = ntk.mlp(1, 16, "erf", sigma_w=1.5)
    params = net.init(jax.random.key(0), (9,))
    y = jnp.asarray(Y[:, :1])
    flow = net.apply(parameter_flow(net.apply, params, X, y, time=0.5), X)
    gaps = [
        np.abs(
            ntk.train(net.apply, params, X, y, learning_rate=eta, steps=steps).outputs[-1] - flow
        ).max()
        for eta, steps in [(0.01, 50), (0.005, 100)]
    ]
    assert 1.8 < gaps[0] / gaps[1] < 2.2


@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_the_stable_rate_of_a_linear_model_is_two_over_the_curvature(x64, loss_scale):
    curvature = np.linalg.eigvalsh(X @ X.T)[-1] / (Y.size if loss_scale == "mean" else 1.0)
    rate = largest_stable_rate(
        linear, W0, X, jnp.asarray(Y), low=1e-3, high=1e3, loss_scale=loss_scale, bisections=20
    )
    np.testing.assert_allclose(rate, 2 / curvature, rtol=0.01)
