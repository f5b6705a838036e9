"""Parts that sum to the whole, the NNGP, averages over seeds, several devices, transformations."""

import os
import subprocess
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.empirical import empirical_nngp, empirical_ntk_parts, explain_empirical, monte_carlo
from tests.empirical.zoo import ZOO


@pytest.mark.parametrize("name", ["mlp", "fused_attention", "rematerialised", "tied_embeddings"])
@pytest.mark.parametrize("output", ["full", "mean"])
def test_the_parts_are_those_of_the_leaves(x64, quick, name, output):
    f, params, x = ZOO[name]()
    parts = empirical_ntk_parts(f, params, x, output=output)
    reference = empirical_ntk_parts(f, params, x, output=output, method="jacobian")
    assert jax.tree.structure(parts) == jax.tree.structure(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-10, 1e-11), parts, reference)
    whole = ntk.empirical_ntk(f, params, x, output=output)
    np.testing.assert_allclose(jax.tree.reduce(jnp.add, parts), whole, rtol=1e-10, atol=1e-11)


def test_a_part_is_the_kernel_with_the_others_held_fixed(x64, quick):
    f, params, x = ZOO["gated"]()
    parts = empirical_ntk_parts(f, params, x[:2], x)
    alone = ntk.empirical_ntk(lambda w, x: f({**params, "w": w}, x), params["w"], x[:2], x)
    np.testing.assert_allclose(parts["w"], alone, rtol=1e-10)


def test_products_of_outputs(x64):
    net = ntk.mlp(1, 8, outputs=3)
    params, x = net.init(jax.random.key(0), (4,)), jax.random.normal(jax.random.key(1), (5, 4))
    y = net.apply(params, x)
    np.testing.assert_allclose(empirical_nngp(net.apply, params, x), y @ y.T / 3, rtol=1e-12)
    full = empirical_nngp(net.apply, params, x[:2], x, output="full")
    np.testing.assert_allclose(full, np.einsum("ia,jb->ijab", y[:2], y), rtol=1e-12)


def test_averages_over_seeds(x64):
    def kernel(params):
        return {"k": params[0] * jnp.ones((2, 2)), "one": jnp.ones(3)}

    estimate = monte_carlo(lambda key: jax.random.normal(key, (1,)), kernel, jax.random.key(0), 50)
    draws = jax.vmap(lambda key: jax.random.normal(key, (1,)))(
        jax.random.split(jax.random.key(0), 50)
    )[:, 0]
    np.testing.assert_allclose(estimate["k"].mean, np.full((2, 2), draws.mean()), rtol=1e-12)
    error = np.std(np.asarray(draws), ddof=1) / 50**0.5
    np.testing.assert_allclose(estimate["k"].standard_error, np.full((2, 2), error), rtol=1e-12)
    np.testing.assert_array_equal(estimate["one"].standard_error, 0)
    with pytest.raises(ntk.errors.InvalidValueError, match="at least 2"):
        monte_carlo(jax.random.key_data, kernel, jax.random.key(0), 1)


@pytest.mark.parametrize("method", ["jacobian", "vector_products", "structured"])
def test_vmap_over_parameters(x64, quick, method):
    net = ntk.mlp(1, 8, outputs=2)
    x = jax.random.normal(jax.random.key(1), (5, 4))
    many = jax.vmap(lambda key: net.init(key, (4,)))(jax.random.split(jax.random.key(0), 3))

    def kernel(params):
        return ntk.empirical_ntk(net.apply, params, x, output="full", method=method)

    together = jax.vmap(kernel)(many)
    for i in range(3):
        one = kernel(jax.tree.map(lambda leaf, i=i: leaf[i], many))
        np.testing.assert_allclose(together[i], one, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("method", ["jacobian", "vector_products", "structured"])
def test_the_kernel_can_be_differentiated(x64, quick, method):
    x = jax.random.normal(jax.random.key(1), (3, 2))

    def trace(w):
        return jnp.trace(ntk.empirical_ntk(lambda w, x: jnp.sin(x @ w), w, x, method=method))

    w = jnp.asarray([[0.3, 0.1], [-0.2, 0.5]])
    step = jnp.asarray([[1.0, 2.0], [-1.0, 0.5]])
    slope = (trace(w + 1e-5 * step) - trace(w - 1e-5 * step)) / 2e-5
    np.testing.assert_allclose(jnp.sum(jax.grad(trace)(w) * step), slope, rtol=1e-6)


SHARDED = """
import jax, jax.numpy as jnp, numpy as np, ntk
from jax.sharding import Mesh, NamedSharding, PartitionSpec
assert len(jax.devices()) == 4
jax.config.update("jax_enable_x64", True)
mesh = Mesh(np.asarray(jax.devices()), ("examples",))
rows = NamedSharding(mesh, PartitionSpec("examples"))
net = ntk.mlp(2, 16, sigma_b=0.1, outputs=3)
params = net.init(jax.random.key(0), (4,))
x1 = jax.random.normal(jax.random.key(1), (8, 4))
x2 = jax.random.normal(jax.random.key(2), (5, 4))
spread = jax.device_put(x1, rows)
for method in ("jacobian", "vector_products", "structured"):
    for output in ("mean", "full"):
        for columns in (None, x2):
            one = ntk.empirical_ntk(net.apply, params, x1, columns, method=method, output=output)
            options = {"method": method, "output": output}
            many = ntk.empirical_ntk(net.apply, params, spread, columns, **options)
            np.testing.assert_allclose(many, one, rtol=1e-10, atol=1e-12)
            assert len(many.sharding.device_set) == 4, (method, output)
            if columns is not None and method != "vector_products":
                assert many.addressable_shards[0].data.shape[0] == 2, many.sharding
print("done")
"""


def test_examples_spread_over_devices():
    environment = os.environ | {
        "XLA_FLAGS": f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=4",
        "JAX_PLATFORMS": "cpu",
    }
    run = subprocess.run(
        [sys.executable, "-c", SHARDED],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "done\n", run.stderr[-2000:]


def test_an_explanation_prints(quick):
    f, params, x = ZOO["transformer"]()
    why = explain_empirical(f, params, x, output="full")
    text = str(why)
    assert f"method '{why.method}'" in text
    assert "['embed']" in text
    assert "lookup at 6 positions" in text
    norm = next(leaf for leaf in why.leaves if leaf.name == "['norm'][0]")
    assert (norm.order, norm.reason) == ("whole", "it enters broadcast_in_dim") or (
        norm.order == "whole" and "mul" in norm.reason
    )


def test_an_explanation_is_what_happens(quick, monkeypatch):
    from ntk.empirical import request

    used = []
    method = request.structured_method
    monkeypatch.setattr(
        request, "structured_method", lambda *a: (used.append("structured"), method(*a))[1]
    )
    net = ntk.mlp(2, 64, outputs=10)
    x = jnp.ones((20, 5))
    params = net.init(jax.random.key(0), (5,))
    why = explain_empirical(net.apply, params, x, output="full")
    assert why.method == "structured"
    assert why.methods["structured"].flops < min(
        why.methods[name].flops for name in ("jacobian", "vector_products")
    )
    used.clear()
    ntk.empirical_ntk(partial(net.apply), params, x, output="full")
    assert set(used) == {"structured"}


def test_a_sum_that_spreads_a_bias_by_itself(x64, quick):
    def f(p, x):
        h = jnp.tanh(x @ p["w"] + jax.lax.reshape(p["b"], (1, 1, 2)))
        return h.sum(1) - p["c"]

    params = {"w": jnp.eye(3, 2), "b": jnp.asarray([0.3, -0.2]), "c": jnp.asarray(0.7)}
    x = jax.random.normal(jax.random.key(0), (4, 5, 3))
    assert "whole" not in {leaf.order for leaf in explain_empirical(f, params, x).leaves}
    parts = empirical_ntk_parts(f, params, x, method="structured")
    reference = empirical_ntk_parts(f, params, x, method="jacobian")
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-12), parts, reference)
