"""Finite networks as plain functions of JAX, the same code on every side."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Parameters

Model = tuple[Callable[[Any, Any], Any], Any, np.ndarray]


def build(p: Parameters) -> Model:
    """Return a model, its parameters and inputs, as the case names them."""
    makers = {"mlp": mlp, "conv": conv, "transformer": transformer, "resnet": flax, "vit": flax}
    return makers[p["model"]](p)


class _Draw:
    """Standard normal arrays in float32, the same on every side."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)

    def __call__(self, *shape: int) -> np.ndarray:
        return self.generator.standard_normal(shape).astype(np.float32)


def mlp(p: Parameters) -> Model:
    """Return a fully-connected ReLU network with biases, in NTK parametrisation."""
    import jax

    draw = _Draw()
    widths = [p["d"], *[p["width"]] * p["depth"], p["k"]]
    params = [(draw(i, o), draw(o)) for i, o in itertools.pairwise(widths)]

    def f(params: Any, x: Any) -> Any:
        for number, (w, b) in enumerate(params):
            x = (2.0 / w.shape[0]) ** 0.5 * (x @ w) + 0.1 * b
            x = jax.nn.relu(x) if number < len(params) - 1 else x
        return x

    return f, params, draw(p["n"], p["d"])


def conv(p: Parameters) -> Model:
    """Return a convolutional ReLU network with biases, global average pooling and a readout."""
    import jax
    import jax.numpy as jnp

    draw = _Draw()
    channels = [3, *[p["channels"]] * p["depth"]]
    layers = [(draw(3, 3, i, o), draw(o)) for i, o in itertools.pairwise(channels)]
    params = {"layers": layers, "out": draw(p["channels"], p["k"])}
    axes = ("NHWC", "HWIO", "NHWC")

    def f(params: Any, x: Any) -> Any:
        for w, b in params["layers"]:
            scale = (2.0 / (9 * w.shape[2])) ** 0.5
            x = scale * jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=axes)
            x = jax.nn.relu(x + 0.1 * b)
        return jnp.mean(x, axis=(1, 2)) @ params["out"] / params["out"].shape[0] ** 0.5

    return f, params, draw(p["n"], p["side"], p["side"], 3)


def transformer(p: Parameters) -> Model:
    """Return a transformer: blocks of attention and of a perceptron, each after a LayerNorm."""
    import jax
    import jax.numpy as jnp

    draw, d, heads = _Draw(), p["width"], p["heads"]

    def weight(i: int, o: int) -> np.ndarray:
        return draw(i, o) / np.float32(i**0.5)

    def norm() -> tuple[np.ndarray, np.ndarray]:
        return np.ones(d, np.float32), np.zeros(d, np.float32)

    def block() -> dict[str, Any]:
        return {
            "before": norm(),
            "qkv": [weight(d, d) for _ in range(3)],
            "o": weight(d, d),
            "after": norm(),
            "up": (weight(d, 4 * d), draw(4 * d) * np.float32(0.1)),
            "down": (weight(4 * d, d), draw(d) * np.float32(0.1)),
        }

    params = {
        "embed": weight(p["d"], d),
        "position": draw(p["tokens"], d),
        "blocks": [block() for _ in range(p["depth"])],
        "out": weight(d, p["k"]),
    }

    def normalised(x: Any, scale: Any, shift: Any) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * scale + shift

    def attend(x: Any, b: Any) -> Any:
        n, t, _ = x.shape
        q, k, v = ((x @ w).reshape(n, t, heads, d // heads) for w in b["qkv"])
        scores = jnp.einsum("nshe,nthe->nhst", q, k) / (d // heads) ** 0.5
        mixed = jnp.einsum("nhst,nthe->nshe", jax.nn.softmax(scores), v)
        return mixed.reshape(n, t, d) @ b["o"]

    def f(params: Any, x: Any) -> Any:
        x = x @ params["embed"] + params["position"]
        for b in params["blocks"]:
            x = x + attend(normalised(x, *b["before"]), b)
            (up, up_bias), (down, down_bias) = b["up"], b["down"]
            hidden = jax.nn.gelu(normalised(x, *b["after"]) @ up + up_bias)
            x = x + hidden @ down + down_bias
        return x.mean(1) @ params["out"]

    return f, params, draw(p["n"], p["tokens"], p["d"])


def flax(p: Parameters) -> Model:
    """Return a model of Flax on pictures of clothing; in our environment only."""
    import jax
    import jax.numpy as jnp

    from ntk.companion import datasets
    from ntk.companion.models import colour_images, resnet18, vision_transformer

    grey = datasets.fashion_mnist(max(p["n"], 64), flatten=False, normalisation="standardised")
    images = colour_images(grey.x_train)
    make = {"resnet": resnet18, "vit": vision_transformer}[p["model"]]
    f, params = make(jax.random.key(0), jnp.asarray(images), width=p["width"], classes=p["k"])
    return f, params, images[: p["n"]]
