"""Architectures as the field draws them, small, each as (f, params, inputs)."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

ARCHITECTURES = {}


def architecture(make):
    """Enter a maker of (f, params, x) with 5 examples."""
    ARCHITECTURES[make.__name__] = make
    return make


class Draw:
    """Parameters and inputs from NumPy, which compiles nothing for a new shape."""

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)

    def __call__(self, *shape):
        fan_in = max(1, math.prod(shape[:-1]))
        return jnp.asarray(self.rng.standard_normal(shape) / fan_in**0.5)

    def inputs(self, *shape):
        return jnp.asarray(self.rng.standard_normal(shape))

    def tokens(self, *shape, below):
        return jnp.asarray(self.rng.integers(below, size=shape))


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


@architecture
def mlp():
    d = Draw()
    p = [(d(4, 7), d(7)), (d(7, 6), d(6)), (d(6, 3), d(3))]

    def f(p, x):
        for i, (w, b) in enumerate(p):
            x = 1.3 / w.shape[0] ** 0.5 * (x @ w) + 0.3 * b if i != 1 else x @ (0.7 * w) - b
            x = jnp.tanh(x) if i < 2 else x
        return x

    return f, p, d.inputs(5, 4)


@architecture
def strided_cnn():
    d = Draw()
    p = {"a": d(3, 3, 2, 4), "bias": d(4), "b": d(2, 3, 4, 5), "out": d(5, 3)}

    def f(p, x):
        x = jax.nn.relu(conv(x, p["a"], (2, 1)) + p["bias"])
        x = jnp.tanh(conv(x, p["b"], (1, 2), "VALID", dilation=(2, 1)))
        return x.mean((1, 2)) @ p["out"]

    return f, p, d.inputs(5, 6, 7, 2)


@architecture
def grouped_cnn():
    d = Draw()
    p = {"a": d(3, 3, 2, 6), "bias": d(6), "depthwise": d(3, 2, 1, 6), "out": d(6, 2)}

    def f(p, x):
        x = jnp.tanh(conv(x, p["a"], groups=2) + p["bias"])
        x = jnp.tanh(conv(x, p["depthwise"], (1, 2), groups=6))
        return x.mean((1, 2)) @ p["out"]

    return f, p, d.inputs(5, 5, 4, 4)


@architecture
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


@architecture
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


@architecture
def batch_norm_in_inference():
    d = Draw()
    p = {"w": d(4, 6), "scale": 1 + d(6), "shift": d(6), "out": d(6, 2)}
    mean, var = d(6), 1 + d(6) ** 2

    def f(p, x):
        h = (x @ p["w"] - mean) / jnp.sqrt(var + 1e-5) * p["scale"] + p["shift"]
        return jax.nn.relu(h) @ p["out"]

    return f, p, d.inputs(5, 4)


@architecture
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


@architecture
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
