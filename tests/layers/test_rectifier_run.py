"""Runs of ReLU layers by the gap alone, against the same layers one after another."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.inputs import input_state
from ntk.layers import rectifier_run, repeat
from tests.optimised import WELL
from tests.points import awkward_pairs


@jax.jit
def one_after_another(net, x):
    state = net.propagate(input_state(x, x, 0, tangent=True))
    return state.cov, state.tangent


def network(bias):
    scales = [1.2, 1.5, 1.3, 1.4]  # numbers of their own in every layer
    return ntk.mlp(3, activation="relu", sigma_w=scales, sigma_b=bias)


@pytest.mark.parametrize("bias", [None, 0.3])
def test_a_run_equals_its_layers(x64, bias):
    x, net = awkward_pairs(), network(bias)
    nngp, ntk_ = ntk.kernel(net, x)
    diagonal = np.sqrt(np.outer(np.diag(nngp), np.diag(nngp)))
    for found, expected in zip((nngp, ntk_), one_after_another(net, x), strict=True):
        np.testing.assert_array_less(np.abs(found - expected), 1e-13 * diagonal + 1e-300)
        np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(ntk.kernel(net, x, get="nngp"), nngp, rtol=1e-14)


@pytest.mark.parametrize("bias", [None, 0.3])
def test_gradients_of_a_run_equal_those_of_its_layers(x64, bias):
    x, net = awkward_pairs()[jnp.asarray([0, 3, 5, 7, 8])], network(bias)
    weights = jax.random.normal(jax.random.key(1), (2, 5, 5))

    def total(kernels, x, net):
        return jnp.sum(weights * jnp.stack(kernels(net, x)))

    found, expected = (
        jax.jit(jax.grad(partial(total, kernels), argnums=(0, 1)), compiler_options=WELL)(x, net)
        for kernels in (ntk.kernel, one_after_another)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9), found, expected)


def test_only_relu_layers_in_ntk_parametrisation_run_by_the_gap(monkeypatch):
    called = []
    propagate = rectifier_run.propagate_rectified
    monkeypatch.setattr(
        repeat, "propagate_rectified", lambda *args: called.append(1) or propagate(*args)
    )
    x = jax.ShapeDtypeStruct((2, 13), jnp.float32)  # which no other test traces
    for net, expected in [
        (ntk.mlp(4, activation="relu"), 1),
        (ntk.mlp(4, activation="abs"), 0),
        (ntk.mlp(4, activation="relu", parametrization="standard"), 0),
    ]:
        called.clear()
        jax.eval_shape(partial(ntk.kernel, net), x)
        assert len(called) == expected, net
