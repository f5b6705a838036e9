"""Weights that are used again: at each turn of a loop, layer by layer in one, or transposed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import ntk
from ntk.empirical import empirical_ntk_parts, explain_empirical, plan
from ntk.empirical.counting import count
from ntk.empirical.structured import structure
from ntk.empirical.tied import together
from tests.empirical.zoo import Draw

SHARED = {}


def model(make):
    SHARED[make.__name__] = make
    return make


@model
def recurrent_both_ways():
    """A weight that each turn uses, forwards and backwards in time, with a scale outside."""
    d = Draw()
    p = {"w": d(3, 4), "u": d(4, 4), "b": d(4), "out": d(4, 2)}

    def f(p, x):
        u = 0.8 * p["u"]

        def step(h, at):
            h = jnp.tanh(at @ p["w"] - (h @ u) / 1.1 + p["b"])
            return h, h.mean(-1)

        start = jnp.zeros((x.shape[0], 4), x.dtype)
        forth, means = lax.scan(step, start, x.swapaxes(0, 1))
        back, _ = lax.scan(step, start, x.swapaxes(0, 1), reverse=True)
        return (forth * back) @ p["out"] + means.sum(0)[:, None] + (forth @ p["u"])[:, :2]

    return f, p, d.inputs(5, 6, 3)


@model
def stacked_residual_layers():
    """Layers in a scan, rematerialised, with products over heads and a data-dependent scale."""
    d = Draw()
    p = {"w": d(3, 6, 6), "b": d(3, 6), "v": d(3, 2, 3, 3), "s": 1 + d(3), "out": d(6, 2)}

    def f(p, x):
        @jax.checkpoint
        def layer(h, at):
            w, b, v, s = at
            h = h + jax.nn.silu(s * (h @ w.T) + b)
            heads = jnp.einsum("nhi,hio->nho", h.reshape(-1, 2, 3), h.mean() * v)
            return jnp.tanh(heads.reshape(h.shape)), None

        h, _ = lax.scan(layer, x, (p["w"], p["b"], p["v"], p["s"]))
        return h @ p["out"]

    def of_one(p, x):
        return jax.vmap(lambda example: f(p, example[None])[0])(x)

    return of_one, p, d.inputs(5, 6)


@model
def loop_in_a_loop():
    """Convolutions in an inner loop, with one weight of each outer turn."""
    d = Draw()
    p = {"conv": d(2, 3, 3, 2, 2), "every": d(3, 3, 2, 2), "mix": d(2, 2), "out": d(2, 2)}

    def conv(x, w):
        return lax.conv_general_dilated(
            x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def f(p, x):
        def inner(h, _):
            return jnp.sin(conv(h, p["every"]) + h @ p["mix"]), None

        def outer(h, w):
            h, _ = lax.scan(inner, conv(h, w), None, length=3)
            return h, None

        h, _ = lax.scan(outer, x, p["conv"])
        return h.mean((1, 2)) @ p["out"]

    return f, p, d.inputs(5, 3, 4, 2)


@model
def language_model():
    """Tied embeddings: looked up, read out at every position of a loop, and cut short."""
    d = Draw()
    p = {"embed": d(7, 4), "u": d(4, 4), "bias": d(7)}

    def f(p, tokens):
        def step(h, at):
            h = jnp.tanh(p["embed"][at] * 1.5 + h @ p["u"])
            return h, h @ p["embed"].T + p["bias"]

        start = jnp.zeros((tokens.shape[0], 4), p["u"].dtype)
        _, logits = lax.scan(step, start, tokens.swapaxes(0, 1))
        return logits.sum(0)[:, :3]

    return f, p, d.tokens(5, 4, below=7)


@model
def tied_autoencoder():
    """Encoder and decoder with the same weights, in heads as well, and one weight squared."""
    d = Draw()
    p = {"w": d(4, 3), "heads": d(2, 2, 2), "c": d(4, 4)}

    def f(p, x):
        x, _ = lax.scan(lambda h, _: (jnp.sin(h), None), x, None, length=2)  # without weights
        h = jnp.tanh(x @ (p["c"] @ p["c"])) @ p["w"]
        y = 2 * jnp.sin(h) @ p["w"].T
        split = y.reshape(-1, 2, 2)
        up = jnp.sin(jnp.einsum("nhi,hio->nho", split, p["heads"]))
        return jnp.einsum("nho,hio->nhi", up, p["heads"]).reshape(x.shape)

    return f, p, d.inputs(5, 4)


def agree(got, expected):
    assert jax.tree.leaves(got)[0].dtype == jnp.float64
    scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(expected))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * scale), got, expected
    )


@pytest.mark.parametrize("make", SHARED.values(), ids=SHARED)
def test_shared_weights_agree_with_their_jacobians(x64, quick, monkeypatch, make):
    monkeypatch.setattr(plan, "prefers_jacobian", lambda *_: False)  # however small they are
    f, params, x = make()
    found = structure(f, params, x, coupled=False)
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    hidden = {path for path, uses in zip(paths, found.uses, strict=True) if isinstance(uses, str)}
    assert hidden <= {"['s']"}  # a scalar for each layer, like the scale of a normalisation

    reference = empirical_ntk_parts(f, params, x, output="full", method="jacobian")
    one, two = (jax.tree.map(lambda a, s=s: a[s], x) for s in (slice(0, 3), slice(2, 5)))
    got = empirical_ntk_parts(f, params, one, two, output="full", method="structured")
    agree(got, jax.tree.map(lambda whole: whole[:3, 2:], reference))


@pytest.mark.parametrize("looked_up", [False, True])
def test_what_two_uses_contribute_together(x64, looked_up):
    rng = np.random.default_rng(0)

    def features(n, b, s, i, o):
        inputs = (rng.standard_normal((n, b, s, i)),)
        vectors = inputs[0]
        if looked_up and i == 4:
            rows, factors = rng.integers(-1, 4, (n, s)), rng.standard_normal((n, s))
            inputs = (rows, factors)  # row -1 is outside of the table
            vectors = ((rows[..., None] == np.arange(4)) * factors[..., None])[:, None]
        cotangents = rng.standard_normal((n, 2, b, s, o))
        derivative = np.einsum("nbsi,nkbso->nkbio", vectors, cotangents)
        return (inputs, cotangents), derivative if i == 4 else derivative.swapaxes(3, 4)

    b = 1 if looked_up else 2
    (one, derivative1), (two, derivative2) = features(3, b, 5, 4, 3), features(6, b, 2, 3, 4)
    full = np.einsum("nkbio,mlbio->nkml", derivative1, derivative2)
    words = ("full", "diagonal", "mean")
    got = jax.jit(lambda one, two: [together(one, two, word) for word in words])(one, two)
    agree(got, [full, np.einsum("nkmk->nmk", full), np.einsum("nkmk->nm", full)])


def tied_embeddings(vocabulary, width, positions):
    d = Draw()
    embed, tokens = d(vocabulary, width), d.tokens(30, positions, below=vocabulary)

    def f(embed, tokens):
        return jnp.tanh(embed[tokens]).mean(1) @ embed.T

    return f, embed, tokens


@pytest.mark.parametrize(
    ("case", "order"), [((400, 16, 3), "tied"), ((5, 2, 40), "whole")], ids=["large", "small"]
)
def test_operations_decide_how_a_tied_leaf_is_contracted(x64, quick, case, order):
    f, embed, tokens = tied_embeddings(*case)
    (leaf,) = explain_empirical(f, embed, tokens, output=1).leaves
    assert leaf.order == order
    assert leaf.reason.startswith(f"lookup at {case[2]} positions and product at 1 position")

    def kernel(method):
        return lambda p, x: ntk.empirical_ntk(f, p, x, output=1, method=method)

    agree(kernel("structured")(embed, tokens), kernel("jacobian")(embed, tokens))
    taken = {m: count(kernel(m), embed, tokens).flops for m in ("structured", "jacobian")}
    if order == "tied":
        assert taken["structured"] < taken["jacobian"] / 5, taken


def test_a_derivative_rule_in_a_loop_is_found(quick):
    @jax.custom_vjp
    def cautious(h):
        return jnp.tanh(h)

    cautious.defvjp(lambda h: (jnp.tanh(h), h), lambda h, g: (g / jnp.cosh(h) ** 2,))

    def f(w, x):
        return lax.scan(lambda h, _: (cautious(h @ w), None), x, None, length=2)[0]

    w, x = Draw()(3, 3), Draw(1).inputs(4, 3)
    assert set(explain_empirical(f, w, x).methods) == {"jacobian", "structured"}
    with pytest.raises(ntk.errors.InvalidValueError, match="custom_vjp"):
        ntk.empirical_ntk(f, w, x, method="vector_products")
    np.testing.assert_allclose(
        ntk.empirical_ntk(f, w, x), ntk.empirical_ntk(f, w, x, method="jacobian"), rtol=1e-5
    )
