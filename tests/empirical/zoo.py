"""Architectures of every kind, small, in double precision, each as (f, params, inputs)."""

import jax
import jax.numpy as jnp
from jax import lax

ZOO = {}


def model(make):
    """Enter a maker of (f, params, x) with 5 examples."""
    ZOO[make.__name__] = make
    return make


class Draw:
    """Parameters and inputs, each from a key of its own."""

    def __init__(self, seed=0):
        self.key = jax.random.key(seed)

    def __call__(self, *shape, scale=1.0):
        self.key, key = jax.random.split(self.key)
        fan_in = max(1, jnp.prod(jnp.asarray(shape[:-1])))
        return scale * jax.random.normal(key, shape) / fan_in**0.5

    def inputs(self, *shape):
        self.key, key = jax.random.split(self.key)
        return jax.random.normal(key, shape)

    def tokens(self, *shape, below):
        self.key, key = jax.random.split(self.key)
        return jax.random.randint(key, shape, 0, below)


def layer_norm(x, scale, shift):
    centred = x - x.mean(-1, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-3) * scale + shift


def conv(x, w, strides=(1, 1), padding="SAME", groups=1, dilation=(1, 1)):
    return lax.conv_general_dilated(
        x,
        w,
        strides,
        padding,
        rhs_dilation=dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


@model
def mlp():
    d = Draw()
    p = [(d(4, 7), d(7)), (d(7, 6), d(6)), (d(6, 3), d(3))]

    def f(p, x):
        for i, (w, b) in enumerate(p):
            x = 1.3 / w.shape[0] ** 0.5 * (x @ w) + 0.3 * b if i != 1 else x @ (0.7 * w) - b
            x = jnp.tanh(x) if i < 2 else x
        return x

    return f, p, d.inputs(5, 4)


@model
def strided_cnn():
    d = Draw()
    p = {"a": d(3, 3, 2, 4), "bias": d(4), "b": d(2, 3, 4, 5), "out": d(5, 3)}

    def f(p, x):
        x = jax.nn.relu(conv(x, p["a"], (2, 1)) + p["bias"])
        x = jnp.tanh(conv(x, p["b"], (1, 2), "VALID", dilation=(2, 1)))
        return x.mean((1, 2)) @ p["out"]

    return f, p, d.inputs(5, 6, 7, 2)


@model
def grouped_cnn():
    d = Draw()
    p = {"a": d(3, 3, 2, 6), "bias": d(6), "depthwise": d(3, 2, 1, 6), "out": d(6, 2)}

    def f(p, x):
        x = jnp.tanh(conv(x, p["a"], groups=2) + p["bias"])
        x = jnp.tanh(conv(x, p["depthwise"], (1, 2), groups=6))
        return x.mean((1, 2)) @ p["out"]

    return f, p, d.inputs(5, 5, 4, 4)


@model
def transposed_and_circular_cnn():
    d = Draw()
    p = {"up": d(3, 3, 2, 3), "wrap": d(3, 3, 3, 4), "patch": d(9, 8, 4, 2)}

    def f(p, x):
        x = jnp.tanh(
            lax.conv_transpose(
                x, p["up"], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
        )
        x = jnp.tanh(conv(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "wrap"), p["wrap"]))
        return conv(x, p["patch"], (3, 3), [(2, 1), (0, 3)]).sum((1, 2))

    return f, p, d.inputs(5, 4, 4, 2)


@model
def resnet_with_layer_norm():
    d = Draw()
    p = {
        "in": d(3, 3, 2, 4),
        "blocks": [
            {"a": d(3, 3, 4, 4), "b": d(3, 3, 4, 4), "scale": 1 + d(4), "shift": d(4)}
            for _ in range(2)
        ],
        "out": d(4, 3),
    }

    def f(p, x):
        x = conv(x, p["in"])
        for block in p["blocks"]:
            h = conv(layer_norm(x, block["scale"], block["shift"]), block["a"])
            x = x + conv(jax.nn.gelu(h), block["b"])
        return x.mean((1, 2)) @ p["out"]

    return f, p, d.inputs(5, 4, 4, 2)


@model
def batch_norm_in_inference():
    d = Draw()
    p = {"w": d(4, 6), "scale": 1 + d(6), "shift": d(6), "out": d(6, 2)}
    mean, var = d(6), 1 + d(6) ** 2

    def f(p, x):
        h = (x @ p["w"] - mean) / jnp.sqrt(var + 1e-5) * p["scale"] + p["shift"]
        return jax.nn.relu(h) @ p["out"]

    return f, p, d.inputs(5, 4)


@model
def transformer():
    d = Draw()
    p = {
        "embed": d(9, 8),
        "position": d(6, 8),
        "q": d(8, 2, 4),
        "k": d(8, 2, 4),
        "v": d(8, 2, 4),
        "o": d(2, 4, 8),
        "norm": (1 + d(8), d(8)),
        "up": d(8, 12),
        "up_bias": d(12),
        "down": d(12, 8),
        "out": d(8, 3),
    }

    def f(p, tokens):
        x = p["embed"][tokens] + p["position"]
        h = layer_norm(x, *p["norm"])
        q, k, v = (jnp.einsum("nsd,dhe->nshe", h, p[w]) for w in "qkv")
        weights = jax.nn.softmax(jnp.einsum("nshe,nthe->nhst", q, k) / 2.0)
        x = x + jnp.einsum("nhst,nthe,hed->nsd", weights, v, p["o"])
        x = x + jax.nn.gelu(x @ p["up"] + p["up_bias"]) @ p["down"]
        return x.mean(1) @ p["out"]

    return f, p, d.tokens(5, 6, below=9)


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
def mlp_mixer():
    d = Draw()
    p = {
        "patch": d(2, 2, 3, 6),
        "tokens": (d(4, 5), d(5, 4)),
        "channels": (d(6, 8), d(8, 6)),
        "out": d(6, 3),
    }

    def f(p, x):
        x = conv(x, p["patch"], (2, 2), "VALID").reshape(x.shape[0], 4, 6)
        a, b = p["tokens"]
        x = x + (jax.nn.gelu(x.swapaxes(1, 2) @ a) @ b).swapaxes(1, 2)
        a, b = p["channels"]
        x = x + jax.nn.gelu(x @ a) @ b
        return x.mean(1) @ p["out"]

    return f, p, d.inputs(5, 4, 4, 3)


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
