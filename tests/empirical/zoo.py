"""The zoo: to the architectures, every way of writing one down that hides its products."""

import jax
import jax.numpy as jnp
from jax import lax

from tests.empirical.networks import ARCHITECTURES, Draw

ZOO = dict(ARCHITECTURES)


def model(make):
    """Enter a maker of (f, params, x) with 5 examples."""
    ZOO[make.__name__] = make
    return make


@model
def fused_attention():
    d = Draw()
    p = {"qkv": d(3, 6, 6), "joint": d(6, 18), "out": d(2, 6)}

    def attend(q, k, v):
        return jax.nn.softmax(jnp.einsum("nsd,ntd->nst", q, k)) @ v

    def f(p, x):
        q, k, v = (x @ p["qkv"][i] for i in range(3))
        x = x + attend(q, k, v)
        x = x + attend(*(x @ w for w in jnp.split(p["joint"], 3, axis=1)))
        return x[:, 0] @ p["out"].T

    return f, p, d.inputs(5, 4, 6)


@model
def scanned_rnn():
    d = Draw()
    p = {"w": d(3, 5), "u": d(5, 5), "b": d(5), "out": d(5, 2)}

    def f(p, x):
        def step(h, at):
            return jnp.tanh(at @ p["w"] + h @ p["u"] + p["b"]), None

        h, _ = lax.scan(step, jnp.zeros((x.shape[0], 5), x.dtype), x.swapaxes(0, 1))
        return h @ p["out"]

    return f, p, d.inputs(5, 4, 3)


@model
def unrolled_rnn():
    _, p, x = scanned_rnn()

    def f(p, x):
        h = jnp.zeros((x.shape[0], 5), x.dtype)
        for t in range(x.shape[1]):
            h = jnp.tanh(x[:, t] @ p["w"] + h @ p["u"] + p["b"])
        return h @ p["out"]

    return f, p, x


@model
def scanned_layers():
    d = Draw()
    p = {"w": d(3, 6, 6), "b": d(3, 6), "out": d(6, 2)}

    def f(p, x):
        x, _ = lax.scan(lambda h, wb: (jnp.tanh(h @ wb[0] + wb[1]), None), x, (p["w"], p["b"]))
        return x @ p["out"]

    return f, p, d.inputs(5, 6)


@model
def tied_embeddings():
    d = Draw()
    p = {"embed": d(7, 5), "mix": d(5, 5)}

    def f(p, tokens):
        x = jnp.tanh(p["embed"][tokens].mean(1) @ p["mix"])
        return x @ p["embed"].T

    return f, p, d.tokens(5, 4, below=7)


@model
def gated():
    d = Draw()
    p = {
        "w": d(4, 6),
        "gate": d(6),
        "temperature": jnp.asarray(0.7),
        "low": (d(4, 2), d(2, 6)),
        "direction": d(6, 3),
        "length": d(3),
    }

    def f(p, x):
        a, b = p["low"]
        h = jnp.tanh(x @ (p["w"] + 0.5 * a @ b)) * p["gate"] * p["temperature"]
        norm = jnp.linalg.norm(p["direction"], axis=0)
        return h @ (p["direction"] / norm * p["length"])

    return f, p, d.inputs(5, 4)


@model
def rematerialised():
    d = Draw()
    p = {"w": [d(4, 4) for _ in range(3)], "unused": d(3), "out": d(4, 2)}

    def f(p, x):
        for w in p["w"]:
            x = jax.checkpoint(jax.jit(lambda x, w: jax.nn.silu(x @ w) * x.mean()))(x[:, None], w)[
                :, 0
            ]
        return x @ p["out"]

    def of_one(p, x):
        return jax.vmap(lambda example: f(p, example[None])[0])(x)

    return of_one, p, d.inputs(5, 4)


@model
def two_inputs_and_a_data_dependent_scale():
    d = Draw()
    p = {"u": d(4, 3), "v": d(2, 3), "w": d(3, 3)}

    def f(p, x):
        first = jax.vmap(lambda a, c: a @ (c * p["w"]))(jnp.sin(x["a"] @ p["u"]), x["b"][:, 0])
        return first * (x["b"] @ p["v"])

    return f, p, {"a": d.inputs(5, 4), "b": d.inputs(5, 2)}


@model
def custom_rule():
    d = Draw()
    p = {"w": d(4, 5), "out": d(5, 2)}

    @jax.custom_vjp
    def straight_through(x, w):
        return jnp.round(4 * (x @ w)) / 4

    def forward(x, w):
        return straight_through(x, w), (x, w)

    def backward(kept, g):
        x, w = kept
        return g @ w.T, 2.0 * x.T @ g

    straight_through.defvjp(forward, backward)
    return lambda p, x: straight_through(x, p["w"]) @ p["out"], p, d.inputs(5, 4)


@model
def product_of_parameters():
    d = Draw()
    p = {"a": d(4, 3), "b": d(3, 5), "c": d(5, 5), "out": d(5, 2)}

    def f(p, x):
        squared = jnp.einsum("ij,kj->ik", p["c"], p["c"])  # both factors are the same leaf
        return jnp.tanh(x @ (p["a"] @ p["b"]) @ squared) @ p["out"]

    return f, p, d.inputs(5, 4)


@model
def shared_with_other_signs():
    d = Draw()
    p = {"w": d(4, 3), "shift": d(3)}

    def f(p, x):
        one = jnp.tanh(p["shift"] - x @ p["w"])
        return one * (0.5 * (x**2 @ p["w"]) - p["shift"]) + (x @ -p["w"]) / 0.3

    return f, p, d.inputs(5, 4)


@model
def equinox_mlp():
    import equinox as eqx

    module = eqx.nn.Sequential(
        [
            eqx.nn.Conv2d(2, 4, 3, key=jax.random.key(0)),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.Lambda(jnp.ravel),
            eqx.nn.Linear(16, 6, key=jax.random.key(1)),
            eqx.nn.LayerNorm(6),
            eqx.nn.Linear(6, 3, key=jax.random.key(2)),
        ]
    )
    params, static = eqx.partition(module, eqx.is_inexact_array)
    return lambda p, x: jax.vmap(eqx.combine(p, static))(x), params, Draw().inputs(5, 2, 4, 4)


@model
def flax_linen():
    from flax import linen

    class Net(linen.Module):
        @linen.compact
        def __call__(self, x):
            x = linen.relu(linen.Conv(4, (3, 3), strides=2, param_dtype=x.dtype)(x))
            x = linen.LayerNorm(param_dtype=x.dtype)(x)
            x = x.reshape(x.shape[0], -1, 4)
            x = x + linen.MultiHeadDotProductAttention(2, param_dtype=x.dtype)(x, x)
            return linen.Dense(3, param_dtype=x.dtype)(x.mean(1))

    x = Draw().inputs(5, 5, 4, 2)
    net = Net()
    return net.apply, net.init(jax.random.key(0), x), x


@model
def flax_nnx():
    from flax import nnx

    rngs = nnx.Rngs(0)
    dtype = jnp.float64 if jax.config.jax_enable_x64 else jnp.float32
    module = nnx.Sequential(
        nnx.Embed(9, 6, rngs=rngs, param_dtype=dtype),
        nnx.Linear(6, 5, rngs=rngs, param_dtype=dtype),
        jax.nn.gelu,
        nnx.BatchNorm(5, rngs=rngs, param_dtype=dtype, use_running_average=True),
        nnx.Linear(5, 2, rngs=rngs, param_dtype=dtype),
        lambda x: x.mean(1),
    )
    graph, params, rest = nnx.split(module, nnx.Param, ...)
    return lambda p, x: nnx.merge(graph, p, rest)(x), params, Draw().tokens(5, 3, below=9)
