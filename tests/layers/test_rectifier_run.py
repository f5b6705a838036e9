"""Runs of ReLU layers by the gap alone, against the same layers one after another."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.inputs import input_state
from ntk.layers import rectifier_run, repeat


def awkward_points():
    x = np.array(jax.random.normal(jax.random.key(0), (9, 4)))
    x[1] = x[0]  # a duplicate
    x[2] = x[0] * (1 + 1e-6)  # collinear, nearly a duplicate
    x[3] = -x[0]
    x[4] = 0.0
    x[5] = 1e4 * x[6]
    x[7] = x[6] + 1e-5
    return jnp.asarray(x)


@jax.jit
def one_after_another(net, x):
    state = net.propagate(input_state(x, x, 0, tangent=True))
    return state.cov, state.tangent


def network(bias):
    scales = [1.2, 1.5, 1.3, 1.4]  # numbers of their own in every layer
    return ntk.mlp(3, activation="relu", sigma_w=scales, sigma_b=bias)


@pytest.mark.parametrize("bias", [None, 0.3])
def test_a_run_equals_its_layers(x64, bias):
    x, net = awkward_points(), network(bias)
    nngp, ntk_ = ntk.kernel(net, x)
    diagonal = np.sqrt(np.outer(np.diag(nngp), np.diag(nngp)))
    for found, expected in zip((nngp, ntk_), one_after_another(net, x), strict=True):
        np.testing.assert_array_less(np.abs(found - expected), 1e-13 * diagonal + 1e-300)
        np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(ntk.kernel(net, x, get="nngp"), nngp, rtol=1e-14)


@pytest.mark.parametrize("bias", [None, 0.3])
def test_gradients_of_a_run_equal_those_of_its_layers(x64, bias):
    x, net = awkward_points()[jnp.asarray([0, 3, 5, 7, 8])], network(bias)
    weights = jax.random.normal(jax.random.key(1), (2, 5, 5))

    def total(kernels, x, net):
        return jnp.sum(weights * jnp.stack(kernels(net, x)))

    found, expected = (
        jax.jit(jax.grad(partial(total, kernels), argnums=(0, 1)))(x, net)
        for kernels in (ntk.kernel, one_after_another)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9), found, expected)


def test_only_relu_layers_in_ntk_parametrisation_run_by_the_gap(monkeypatch):
    called = []
    propagate = rectifier_run.propagate_rectified
    monkeypatch.setattr(
        repeat, "propagate_rectified", lambda *args: called.append(1) or propagate(*args)
    )
    x = jnp.ones((2, 13))  # which no other test compiles for
    for net, expected in [
        (ntk.mlp(4, activation="relu"), 1),
        (ntk.mlp(4, activation="abs"), 0),
        (ntk.mlp(4, activation="relu", parametrization="standard"), 0),
    ]:
        called.clear()
        ntk.kernel(net, x)
        assert len(called) == expected, net


@pytest.mark.parametrize("bias", [None, 0.1])
def test_single_precision_survives_a_thousand_layers(x64, bias):
    x = jnp.asarray(awkward_points()[jnp.asarray([0, 1, 3, 5, 6, 8])], jnp.float32)
    net = ntk.mlp(1000, activation="relu", sigma_w=2**0.5, sigma_b=bias)
    exact = ntk.kernel(net, x.astype(jnp.float64))
    for found, expected in zip(ntk.kernel(net, x), exact, strict=True):
        diagonal = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        error = np.abs(found - expected) / diagonal
        assert found.dtype == jnp.float32
        assert error.max() < 1e-5
        # A thousand roundings of 6e-8 that go the same way would be 6e-5, at random 2e-6.
        assert np.diag(error).max() < 1e-6
