"""The empirical NTK against its definition, in every method and output."""

from functools import cache, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk

METHODS = ["jacobian", "vector_products", "structured"]


def token_model(params, tokens):
    embedded = params["embedding"][tokens].mean(1)
    return jnp.tanh(embedded @ params["out"]) + params["out"][0]


def two_input_model(params, x):
    return (x["a"] @ params["u"]) * jnp.sin(x["b"] @ params["v"])


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def dense_case():
    net = ntk.mlp(2, 8, sigma_w=1.4, sigma_b=0.3, outputs=3)
    return net.apply, net.init(jax.random.key(0), (4,)), normal(1, 5, 4), normal(2, 3, 4)


def token_case():
    params = {"embedding": normal(0, 11, 6), "out": normal(1, 6, 3)}
    tokens = jnp.asarray(np.random.default_rng(0).integers(0, 11, (8, 7)))
    return token_model, params, tokens[:5], tokens[5:]


def pytree_case():
    params = {"u": normal(0, 4, 3), "v": normal(1, 2, 3)}
    x = {"a": normal(2, 8, 4), "b": normal(3, 8, 2)}
    return (
        two_input_model,
        params,
        *(jax.tree.map(lambda a, s=s: a[s], x) for s in (slice(5), slice(5, 8))),
    )


CASES = {"dense": dense_case, "tokens": token_case, "pytree": pytree_case}


@partial(jax.jit, static_argnums=0)
def definition(f, params, x1, x2):
    """The Gram of flat Jacobians, (n1, n2, k, k)."""

    def flat_jacobian(x):
        leaves = jax.tree.leaves(jax.jacfwd(f)(params, x))
        return jnp.concatenate([leaf.reshape(*leaf.shape[:2], -1) for leaf in leaves], axis=-1)

    return jnp.einsum("ikp,jlp->ijkl", flat_jacobian(x1), flat_jacobian(x2))


@cache  # for every method
def with_outputs(case, square):
    """A model, its parameters and inputs, and its kernel in every output by the definition."""
    f, params, x1, x2 = CASES[case]()
    full = np.asarray(definition(f, params, x1, x1 if square else x2))
    k = full.shape[-1]
    return (
        *(f, params, x1, None if square else x2),
        {
            "full": full,
            "mean": np.trace(full, axis1=2, axis2=3) / k,
            "diagonal": np.diagonal(full, axis1=2, axis2=3),
            "pseudo": full.sum((2, 3)) / k,
        },
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", [*METHODS, "auto"])
@pytest.mark.parametrize("square", [True, False])
def test_agrees_with_the_definition(x64, quick, case, method, square):
    f, params, x1, x2, expected = with_outputs(case, square)
    full = expected["full"]
    for output, value in expected.items():
        got = ntk.empirical_ntk(f, params, x1, x2, output=output, method=method)
        assert got.dtype == jnp.float64
        np.testing.assert_allclose(got, value, rtol=1e-10, atol=1e-12 * np.abs(full).max())


@pytest.mark.parametrize("method", METHODS)
def test_agrees_with_the_library_of_record(x64, quick, method):
    golden = np.load(Path(__file__).parents[1] / "data" / "golden_neural_tangents.npz")
    case = "empirical/fc_Erf"
    net = ntk.mlp(2, 16, "erf", sigma_w=1.5, sigma_b=0.1, outputs=3)

    def layer(i):
        weight, bias = (golden[f"{case}/param{j}"] for j in (2 * i, 2 * i + 1))
        return {"weight": jnp.asarray(weight), "bias": jnp.asarray(bias[0])}

    params = (layer(0), (), layer(1), (), layer(2))
    x1, x2 = (jnp.asarray(golden[f"inputs/emp_x{i}"]) for i in (1, 2))
    np.testing.assert_allclose(net.apply(params, x1), golden[f"{case}/f_x1"], rtol=1e-12)
    for output, stored in [("full", "full"), ("mean", "trace"), ("diagonal", "diag")]:
        got = ntk.empirical_ntk(net.apply, params, x1, x2, output=output, method=method)
        np.testing.assert_allclose(got, golden[f"{case}/ntk_{stored}_12"], rtol=1e-11)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("output", ["mean", "full", "diagonal", "pseudo"])
def test_works_under_jit(x64, quick, method, output):
    f, params, x1, x2 = dense_case()
    outside = ntk.empirical_ntk(f, params, x1, x2, method=method, output=output)
    inside = jax.jit(lambda p, a, b: ntk.empirical_ntk(f, p, a, b, method=method, output=output))(
        params, x1, x2
    )
    np.testing.assert_allclose(inside, outside, rtol=1e-12)


def test_trailing_axes_count_into_the_outputs(x64, quick):
    net, params, x, _ = dense_case()
    stacked = ntk.empirical_ntk(
        lambda p, a: jnp.stack([net(p, a), 2 * net(p, a)], -1), params, x, output="full"
    )
    assert stacked.shape == (5, 5, 6, 6)


def batch_norm(params, x):
    h = x @ params["w"]
    return (h - h.mean(0)) / h.std(0) * params["scale"]


@pytest.mark.parametrize("method", METHODS)
def test_a_coupled_model_takes_the_joint_jacobian(x64, quick, method):
    params, x1, x2 = {"w": normal(0, 4, 3), "scale": normal(1, 3)}, normal(2, 6, 4), normal(3, 5, 4)
    got = ntk.empirical_ntk(batch_norm, params, x1, x2, output="full", method=method, coupled=True)
    expected = definition(batch_norm, params, x1, x2)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_mixing_is_found_and_named(quick):
    params = {"w": normal(0, 4, 3), "scale": normal(1, 3)}
    with pytest.raises(ntk.errors.InvalidValueError, match=r"mixes the examples.*coupled=True"):
        ntk.empirical_ntk(batch_norm, params, normal(2, 6, 4))


def test_a_model_that_cannot_be_hashed_still_works(quick):
    class Doubler:
        __hash__ = None

        def __call__(self, w, x):
            return x * w

    K = ntk.empirical_ntk(Doubler(), jnp.asarray(3.0), jnp.ones((2, 1)))
    np.testing.assert_allclose(K, np.ones((2, 2)))
