"""The limiting kernels: against stored references, finite networks, and each other."""

import json
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.layers.rectifier_run import LONG_RUN
from tests.optimised import WELL
from tests.points import awkward_inputs, sphere

DATA = Path(__file__).parent / "data"
GOLDEN = np.load(DATA / "golden_neural_tangents.npz")
CASES = {
    name: case
    for name, case in json.loads((DATA / "golden_neural_tangents.json").read_text())[
        "cases"
    ].items()
    if case["kind"] == "fc" and case["activation"] in {"Relu", "Erf"} and "b_std" in case
}


def described(case):
    return ntk.mlp(
        case["depth"],
        case.get("width", 512),
        case["activation"].lower(),
        sigma_w=case["W_std"],
        sigma_b=case["b_std"] or None,
        parametrization=case["parameterization"],
    )


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("columns", [None, "fc_x2"])
def test_agrees_with_the_library_of_record(x64, name, columns):
    x1 = GOLDEN["inputs/fc_x1"]
    x2 = None if columns is None else GOLDEN[f"inputs/{columns}"]
    K = ntk.kernel(described(CASES[name]), x1, x2)
    for part in ("nngp", "ntk"):
        expected = GOLDEN[f"{name}/{part}_{'11' if x2 is None else '12'}"]
        got = np.asarray(getattr(K, part))
        a = np.asarray(x1)
        b = a if x2 is None else np.asarray(x2)
        norms = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)[None]
        # The stored values themselves lose eight digits where two inputs are (nearly) collinear.
        ordinary = np.abs(a @ b.T) < (1 - 1e-9) * norms
        np.testing.assert_allclose(got[ordinary], expected[ordinary], rtol=1e-12, atol=1e-24)
        np.testing.assert_allclose(got, expected, rtol=2e-8, atol=1e-24)


def test_covers_more_than_one_reference():
    assert len(CASES) >= 5


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("form", ["ntk", "standard"])
def test_one_hidden_layer_is_the_mean_of_finite_networks(x64, activation, form):
    # With one hidden layer the mean over initialisations is the limit at every width.
    x = jnp.asarray(sphere(5, 3))
    net = ntk.mlp(1, 16, activation, sigma_w=1.3, sigma_b=0.4, parametrization=form)
    limit = ntk.kernel(net, x)

    def one_network(key):
        params = net.init(key, (3,))
        y = net.apply(params, x)
        return y @ y.T, ntk.empirical_ntk(net.apply, params, x, method="jacobian")

    draws = jax.lax.map(one_network, jax.random.split(jax.random.key(1), 4000), batch_size=500)
    for samples, expected in zip(draws, limit, strict=True):
        error = samples.std(0, ddof=1) / len(samples) ** 0.5
        assert np.all(np.abs(samples.mean(0) - expected) < 4.5 * error)
        # control: the kernel of a net with four per cent more weight scale is outside
        other = ntk.mlp(1, 16, activation, sigma_w=1.35, sigma_b=0.4, parametrization=form)
        wrong = ntk.kernel(other, x)
        wrong = wrong.nngp if samples is draws[0] else wrong.ntk
        assert np.any(np.abs(samples.mean(0) - wrong) > 4.5 * error)


def test_finite_networks_converge_at_depth_two(x64):
    x = jnp.asarray(sphere(4, 3))
    errors = []
    for width in (64, 1024):
        net = ntk.mlp(2, width, sigma_w=2**0.5, sigma_b=0.1)
        limit = ntk.kernel(net, x, get="ntk")

        def one_network(key, net=net):
            params = net.init(key, (3,))
            return ntk.empirical_ntk(net.apply, params, x, method="jacobian")

        # Millions of draws: well compiled they take less time than the compilation.
        networks = jax.jit(partial(jax.lax.map, one_network), compiler_options=WELL)
        finite = networks(jax.random.split(jax.random.key(0), 20))
        errors.append(np.sqrt(np.mean(np.sum((finite - limit) ** 2, axis=(1, 2)))))
    # sixteen times the width, a quarter of the error; 20 seeds know it to about 15 %
    assert 2.5 < errors[0] / errors[1] < 6.5


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("bias", [None, 0.3])
def test_parametrizations_share_the_nngp_and_a_width_scale(x64, activation, bias):
    x = jnp.asarray(sphere(6, 5))
    net, standard = (
        ntk.mlp(2, 256, activation, sigma_w=1.4, sigma_b=bias, parametrization=p)
        for p in ("ntk", "standard")
    )
    K, S = ntk.kernel(net, x), ntk.kernel(standard, x)
    np.testing.assert_allclose(K.nngp, S.nngp, rtol=1e-14)
    # The sum over layers of n_in, not of 1 (Lee et al. 2019): check by an empirical network.
    params = standard.init(jax.random.key(3), (5,))
    finite = ntk.empirical_ntk(standard.apply, params, x)
    assert np.linalg.norm(finite - S.ntk) < 0.35 * np.linalg.norm(S.ntk)
    assert np.linalg.norm(finite - K.ntk) > 0.9 * np.linalg.norm(finite)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_result_has_the_dtype_of_the_input(x64, dtype):
    K = ntk.kernel(ntk.mlp(3, sigma_w=1.4, sigma_b=0.1), sphere(4, 3, dtype=dtype))
    assert K.nngp.dtype == K.ntk.dtype == dtype


def test_parts_are_computed_on_request(x64):
    net, x = ntk.mlp(2), sphere(4, 3)
    both = ntk.kernel(net, x)
    assert ntk.kernel(net, x, get=("nngp",)).ntk is None
    np.testing.assert_allclose(ntk.kernel(net, x, get="nngp"), both.nngp, rtol=1e-14)
    np.testing.assert_allclose(ntk.kernel(net, x, get="ntk"), both.ntk, rtol=1e-14)


def test_tiles_do_not_show(x64):
    # More rows than a tile holds, in both directions, and a part of a tile at each edge.
    from ntk.tiles import TILE

    net = ntk.mlp(2, sigma_w=1.4, sigma_b=0.2)
    x, z = sphere(2 * TILE + 37, 3), sphere(TILE + 5, 3, seed=1)
    symmetric, cross = ntk.kernel(net, x, get="ntk"), ntk.kernel(net, x, z, get="ntk")
    assert symmetric.shape == (2 * TILE + 37,) * 2
    np.testing.assert_array_equal(symmetric, symmetric.T)
    for row, column in [(0, 0), (500, 1000), (500, 1021), (1021, 3)]:  # of one size: compiled once
        i, j = slice(row, row + 40), slice(column, column + 40)
        np.testing.assert_allclose(symmetric[i, j], ntk.kernel(net, x[i], x[j], get="ntk"), 1e-10)
    np.testing.assert_allclose(cross[500:530], ntk.kernel(net, x[500:530], z, get="ntk"), 1e-12)


def test_relu_kernel_is_homogeneous_without_bias(x64):
    net, x = ntk.mlp(3, sigma_w=2**0.5), sphere(5, 4)
    K = ntk.kernel(net, x)
    for scale in (1e-6, 1e6):
        S = ntk.kernel(net, scale * x)
        for part, scaled in zip(K, S, strict=True):
            np.testing.assert_allclose(scaled, scale**2 * part, rtol=1e-12)


def test_traces_under_jit_vmap_and_grad(x64):
    net, x = ntk.mlp(2, sigma_w=1.4, sigma_b=0.2), jnp.asarray(awkward_inputs())
    expected = ntk.kernel(net, x, get="ntk")
    np.testing.assert_allclose(
        jax.jit(lambda n, a: ntk.kernel(n, a, get="ntk"))(net, x), expected, 1e-12
    )
    batched = jax.vmap(lambda a: ntk.kernel(net, a, get="ntk"))(jnp.stack([x, 2 * x]))
    np.testing.assert_allclose(batched[0], expected, 1e-12)
    gradient = jax.grad(lambda n, a: ntk.kernel(n, a, get="ntk").sum(), argnums=(0, 1))(net, x)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_gradients_agree_with_differences(x64, activation):
    x = jnp.asarray(sphere(3, 4))

    @jax.jit
    @jax.value_and_grad
    def total(numbers):
        sigma_w, sigma_b, scale = numbers
        net = ntk.mlp(2, activation=activation, sigma_w=sigma_w, sigma_b=sigma_b)
        K = ntk.kernel(net, scale * x)
        return jnp.sum(K.ntk) + jnp.sum(jnp.sin(K.nngp))

    point = np.asarray([1.3, 0.2, 0.9])
    gradient = total(point)[1]
    for i, step in enumerate(1e-5 * np.eye(3)):
        up, down = total(point + step)[0], total(point - step)[0]
        np.testing.assert_allclose(gradient[i], (up - down) / 2e-5, rtol=1e-7)


def count_operations(jaxpr):
    inner = [v for eqn in jaxpr.eqns for v in eqn.params.values() if hasattr(v, "jaxpr")]
    return len(jaxpr.eqns) + sum(count_operations(v.jaxpr) for v in inner)


def test_depth_does_not_lengthen_the_program():
    x = np.ones((3, 2), np.float32)
    # Long runs carry what roundings lose, by a few operations more.
    few, some, many, most = (
        count_operations(jax.make_jaxpr(lambda a, d=d: ntk.kernel(ntk.mlp(d), a))(x).jaxpr)
        for d in (4, LONG_RUN, 2 * LONG_RUN, 1000)
    )
    assert few == some
    assert many == most


def test_new_numbers_do_not_recompile():
    from ntk.analytic import _kernel

    x = np.ones((3, 2), np.float32)
    ntk.kernel(ntk.mlp(3, sigma_w=1.0, sigma_b=0.1), x)
    before = _kernel._cache_size()
    ntk.kernel(ntk.mlp(3, sigma_w=1.5, sigma_b=0.3), x)
    assert _kernel._cache_size() == before


def test_layers_with_numbers_of_their_own_are_not_confused_by_the_loop(x64):
    scales = [1.0, 1.2, 0.7, 1.5, 0.9, 1.1]
    biases = [0.1, 0.0, 0.4, 0.2, 0.3, 0.6]
    x = jnp.asarray(sphere(4, 3))
    K = ntk.kernel(ntk.mlp(5, sigma_w=scales, sigma_b=biases), x)
    net = ntk.mlp(5, sigma_w=scales, sigma_b=biases)
    from ntk.inputs import input_state

    state = net.propagate(input_state(x, x, 0, tangent=True))
    np.testing.assert_allclose(K.nngp, state.cov, rtol=1e-13)
    np.testing.assert_allclose(K.ntk, state.tangent, rtol=1e-13)
