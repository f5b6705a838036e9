"""Descriptions as values: printing, comparing, composing, and the finite networks they give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.layers.repeat import Repeated, fold


def test_prints_as_it_is_written():
    net = ntk.Serial(ntk.Dense(8, sigma_w=1.5, sigma_b=0.1), ntk.Relu(), ntk.Dense(1))
    assert repr(net) == "Serial(Dense(8, sigma_w=1.5, sigma_b=0.1), Relu(), Dense(1))"
    assert eval(repr(net), {n: getattr(ntk, n) for n in ("Serial", "Dense", "Relu")}) == net


def test_compares_by_value_and_is_frozen():
    assert ntk.mlp(2, sigma_w=1.5) == ntk.mlp(2, sigma_w=1.5)
    assert ntk.mlp(2, sigma_w=1.5) != ntk.mlp(2, sigma_w=1.4)
    assert len({ntk.mlp(2), ntk.mlp(2), ntk.mlp(3)}) == 2
    with pytest.raises(AttributeError):
        ntk.Dense(3).width = 4


def test_numbers_are_leaves_and_structure_is_not():
    dense = ntk.Dense(3, sigma_w=2, sigma_b=1)
    assert jax.tree.leaves(dense) == [2.0, 1.0]
    assert all(isinstance(leaf, float) for leaf in jax.tree.leaves(dense))
    assert jax.tree.structure(ntk.Dense(3)) != jax.tree.structure(ntk.Dense(4))
    assert jax.tree.map(lambda v: v, dense) == dense


def test_mlp_counts_hidden_layers_and_scales_every_dense_layer():
    net = ntk.mlp(3, 16, "erf", sigma_w=[1, 2, 3, 4], sigma_b=[None, 0.1, None, 0.2], outputs=5)
    dense = [layer for layer in net.layers if isinstance(layer, ntk.Dense)]
    assert [layer.width for layer in dense] == [16, 16, 16, 5]
    assert [layer.sigma_w for layer in dense] == [1.0, 2.0, 3.0, 4.0]
    assert [layer.sigma_b for layer in dense] == [None, 0.1, None, 0.2]
    assert sum(isinstance(layer, ntk.Erf) for layer in net.layers) == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_have_the_dtype_asked_for(x64, dtype):
    net = ntk.mlp(2, 4, sigma_b=0.1)
    params = net.init(jax.random.key(0), (3,), dtype=dtype)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {np.dtype(dtype)}
    assert net.apply(params, jnp.ones((2, 3), dtype)).dtype == dtype


def test_network_is_the_written_formula(x64):
    net = ntk.mlp(2, 7, "erf", sigma_w=1.3, sigma_b=0.4, outputs=2)
    params = net.init(jax.random.key(0), (3,))
    x = np.random.default_rng(0).standard_normal((5, 3))
    h = x
    for i, layer in enumerate(params[::2]):
        weight, bias = np.asarray(layer["weight"]), np.asarray(layer["bias"])
        h = 1.3 / weight.shape[0] ** 0.5 * h @ weight + 0.4 * bias
        h = jax.scipy.special.erf(h) if i < 2 else h
    np.testing.assert_allclose(net.apply(params, jnp.asarray(x)), h, rtol=1e-12)


def test_standard_parametrization_is_the_same_function_at_initialisation(x64):
    x = jnp.asarray(np.random.default_rng(0).standard_normal((5, 3)))
    nets = [
        ntk.mlp(2, 16, sigma_w=1.4, sigma_b=0.3, parametrization=p) for p in ("ntk", "standard")
    ]
    outputs = [net.apply(net.init(jax.random.key(0), (3,)), x) for net in nets]
    np.testing.assert_allclose(*outputs, rtol=1e-12)


def test_no_bias_parameter_without_a_bias():
    assert set(ntk.Dense(2).init(jax.random.key(0), (3,))) == {"weight"}
    assert set(ntk.Dense(2, sigma_b=0.0).init(jax.random.key(0), (3,))) == {"weight", "bias"}


def test_runs_of_equal_layers_fold_into_one_loop():
    net = ntk.mlp(50, sigma_w=list(np.linspace(1, 2, 51)))
    folded = fold(net.limit(), np.float32)
    assert len(folded.limits) == 2
    block = folded.limits[0]
    assert isinstance(block, Repeated)
    assert block.length == 50
    np.testing.assert_allclose(block.block.limits[0].weight, np.linspace(1, 2, 51)[:50] ** 2, 1e-6)


def test_folding_finds_no_run_where_there_is_none():
    net = ntk.Serial(ntk.Dense(3), ntk.Relu(), ntk.Dense(4), ntk.Erf(), ntk.Dense(1))
    assert fold(net.limit(), np.float32) == net.limit()
