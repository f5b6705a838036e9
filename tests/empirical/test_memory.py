"""Tiles and budgets: the same kernel in less memory, and no more than was allowed."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.empirical import budget, divisions
from ntk.empirical.costs import accounts
from ntk.empirical.request import make_request
from ntk.empirical.tiles import Tiles, build
from tests.empirical.zoo import ZOO


def case(name="strided_cnn"):
    f, params, x = ZOO[name]()
    return f, params, jax.tree.map(lambda a: jnp.concatenate([a, a[:2] ** 2]), x)  # 7 examples


EVERY = (0, 1, 2, 3)
EACH = ((0,), (1, 3), (2,))


@cache  # for every method
def whole_kernel(output):
    f, params, x = case()
    return np.asarray(ntk.empirical_ntk(f, params, x, output=output, method="jacobian"))


@pytest.mark.parametrize("output", ["full", "mean", "diagonal", "pseudo"])
@pytest.mark.parametrize("method", ["structured", "jacobian", "vector_products"])
def test_tiles_make_the_same_kernel(x64, quick, output, method):
    f, params, x = case()
    whole = whole_kernel(output)
    request = make_request(f, params, x, output, coupled=False)
    groups = (EVERY,) if method == "vector_products" else EACH
    divisions = [Tiles(3, request.k, (EVERY,)), Tiles(7, request.k, groups)]
    divisions += [Tiles(4, min(2, request.k), groups)]
    for tiles in divisions:
        compute = jax.jit(build(request, method, tiles))
        np.testing.assert_allclose(compute(params, x, None), whole, rtol=1e-10, atol=1e-12)
    compute = jax.jit(build(request, method, divisions[-1]))
    np.testing.assert_allclose(compute(params, x[:5], x[1:]), whole[:5, 1:], rtol=1e-10, atol=1e-12)


def test_a_coupled_model_is_divided_by_leaves_and_outputs(x64, quick):
    def f(p, x):
        h = x @ p["w"]
        return (h - h.mean(0)) * p["scale"]

    params = {"w": jnp.arange(12.0).reshape(4, 3), "scale": jnp.arange(1.0, 4.0)}
    x = jax.random.normal(jax.random.key(0), (5, 4))
    whole = ntk.empirical_ntk(f, params, x, output="full", method="jacobian", coupled=True)
    request = make_request(f, params, x, "full", coupled=True)
    for method in ("structured", "jacobian"):
        for outputs in (2, 3):
            tiles = Tiles(5, outputs, ((0,), (1,)))
            got = jax.jit(build(request, method, tiles))(params, x, None)
            np.testing.assert_allclose(got, whole, rtol=1e-10, atol=1e-12)


def wide():
    net = ntk.mlp(2, 256, sigma_b=0.1, outputs=8)
    return net, net.init(jax.random.key(0), (32,)), jax.random.normal(jax.random.key(1), (96, 32))


@pytest.mark.parametrize("method", ["structured", "jacobian", "vector_products"])
@pytest.mark.parametrize("memory", ["1500kB", "4MiB"])
def test_the_compiled_computation_stays_within_the_budget(quick, method, memory):
    net, params, x = wide()
    limit = budget.parse_memory(memory)
    request = make_request(net.apply, params, x, "mean", coupled=False)
    name, tiles = budget.choose(request, params, x, None, method, limit)
    assert name == method
    assert budget._measured(request, params, x, None, name, tiles) <= limit
    free = budget._measured(request, params, x, None, name, None)
    if method == "jacobian":
        assert free > 20 * limit  # the budget is one
    got = ntk.empirical_ntk(net.apply, params, x, method=method, memory=memory)
    np.testing.assert_allclose(got, ntk.empirical_ntk(net.apply, params, x), rtol=1e-4)


def test_what_nearly_fits_is_not_taken_apart_leaf_by_leaf():
    net = ntk.mlp(8, 512, outputs=4)
    params, x = net.init(jax.random.key(0), (512,)), jnp.ones((8, 512))
    counted = accounts(make_request(net.apply, params, x, "full", coupled=False), params, x, None)
    undivided = counted.method("jacobian", counted.sizes)
    found = divisions.best(counted, "jacobian", int(0.6 * undivided.bytes))
    assert found.bytes <= 0.6 * undivided.bytes
    repeated = (found.effort - undivided.contraction) / undivided.derivatives
    assert 1 < repeated < 4  # there are nine leaves


def test_a_budget_that_is_too_small_says_what_would_do(quick):
    net, params, x = wide()
    with pytest.raises(ntk.errors.InvalidValueError, match=r"at least memory=(\d+) would do") as e:
        ntk.empirical_ntk(net.apply, params, x, memory=100)
    least = int(str(e.value).rpartition("memory=")[2].split()[0])
    K = ntk.empirical_ntk(net.apply, params, x, memory=least)
    np.testing.assert_allclose(K, ntk.empirical_ntk(net.apply, params, x), rtol=1e-4)


@pytest.mark.parametrize(
    ("memory", "size"),
    [("2GiB", 2**31), ("500 MB", 5 * 10**8), ("1.5kib", 1536), (7, 7), ("64", 64), (1e6, 10**6)],
)
def test_budgets_are_read(memory, size):
    assert budget.parse_memory(memory) == size


@pytest.mark.parametrize("memory", ["2 gigs", "", "-1GiB", "GiB", "nan", 0, -3, True, [1], 1e400])
def test_budgets_that_cannot_be_read_are_refused(memory):
    with pytest.raises(ntk.errors.NTKError, match=r"memory=.*such as '2GiB'"):
        budget.parse_memory(memory)


def test_a_budget_works_under_jit(quick):
    net, params, x = wide()
    whole = ntk.empirical_ntk(net.apply, params, x)
    inside = jax.jit(lambda p, a: ntk.empirical_ntk(net.apply, p, a, memory="2MB"))(params, x)
    np.testing.assert_allclose(inside, whole, rtol=1e-4)
    scaled = jax.jit(
        lambda c, p, a: ntk.empirical_ntk(lambda p, a: c * net.apply(p, a), p, a, memory="2MB")
    )(2.0, params, x)
    np.testing.assert_allclose(scaled, 4 * whole, rtol=1e-4)


# Not ru_maxrss, which a process inherits from the one that started it.
RESIDENT = """
import re
from pathlib import Path
import jax, ntk
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
net = ntk.mlp(2, 512, outputs=10)
params = net.init(jax.random.key(0), (64,))
x = jax.random.normal(jax.random.key(1), (64, 64))
ntk.empirical_ntk(net.apply, params, x[:4], method="jacobian", memory="16MB").block_until_ready()
for memory in ("50MB", None):  # the peak never falls: the smaller one first
    before = peak()
    ntk.empirical_ntk(net.apply, params, x, method="jacobian", memory=memory).block_until_ready()
    print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_the_resident_memory_stays_within_the_budget():
    run = subprocess.run(
        [sys.executable, "-c", RESIDENT], capture_output=True, text=True, check=True
    )
    within, free = (int(line) * 1024 for line in run.stdout.split())
    # The Jacobians take 0.8 GB. Compilation itself takes some memory, which is not the kernel's.
    assert free > 500e6
    assert within < 50e6 + 100e6


@pytest.mark.parametrize("output", ["full", "diagonal", "mean"])
@pytest.mark.parametrize("method", ["structured", "jacobian"])
def test_the_upper_half_in_blocks_is_the_whole(x64, quick, output, method):
    net = ntk.mlp(1, 6, sigma_b=0.3, outputs=2)
    params = net.init(jax.random.key(0), (3,))
    x = jax.random.normal(jax.random.key(1), (70, 3))
    half = ntk.empirical_ntk(net.apply, params, x, output=output, method=method)
    whole = ntk.empirical_ntk(net.apply, params, x, x, output=output, method=method)
    np.testing.assert_allclose(half, whole, rtol=1e-10, atol=1e-12)
