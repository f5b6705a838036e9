"""A small vision transformer."""

from typing import Any, cast

import jax
from flax import linen
from jax import Array
from jaxtyping import PRNGKeyArray

from ntk.model import Model


class VisionTransformer(linen.Module):
    """Vision transformer (Dosovitskiy et al. 2021) with the mean over patches before the readout.

    Attributes
    ----------
    classes : int
        Number of outputs.
    patch : int
        Rows and columns of a patch in pixels.
    width : int
        Entries of a token.
    depth : int
        Number of blocks, each of attention and a perceptron of four times the width.
    heads : int
        Number of heads of each attention.
    """

    classes: int = 10
    patch: int = 4
    width: int = 192
    depth: int = 6
    heads: int = 3

    @linen.compact
    def __call__(self, x: Array) -> Array:
        """Return the outputs ``(n, classes)`` of pictures ``(n, rows, columns, channels)``."""
        window = (self.patch, self.patch)
        x = linen.Conv(self.width, window, window, padding="VALID")(x)
        x = x.reshape(x.shape[0], -1, self.width)
        x = x + self.param("position", linen.initializers.normal(0.02), x.shape[1:])
        for _ in range(self.depth):
            h = linen.LayerNorm()(x)
            x = x + linen.MultiHeadDotProductAttention(self.heads)(h, h)
            h = linen.Dense(4 * self.width)(linen.LayerNorm()(x))
            x = x + linen.Dense(self.width)(linen.gelu(h))
        outputs: Array = linen.Dense(self.classes)(linen.LayerNorm()(x).mean(1))
        return outputs


def vision_transformer(
    key: PRNGKeyArray,
    images: Array,
    *,
    width: int = 192,
    depth: int = 6,
    heads: int = 3,
    classes: int = 10,
) -> tuple[Model, Any]:
    """Draw a small vision transformer.

    Parameters
    ----------
    key : PRNGKeyArray
        Where the parameters come from.
    images : Array, shape (n, rows, columns, channels)
        Pictures like those it is for; rows and columns are multiples of four.
    width, depth, heads : int
        See :class:`VisionTransformer`.
    classes : int, default 10
        Number of outputs.

    Returns
    -------
    f : callable
        The model ``f(params, x)``, with results ``(n, classes)``.
    params : pytree of Array
        Its parameters.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> images = jnp.ones((2, 8, 8, 3))
    >>> f, params = vision_transformer(jax.random.key(0), images, width=6, depth=1)
    >>> jax.eval_shape(f, params, images).shape
    (2, 10)
    """
    model = VisionTransformer(classes, width=width, depth=depth, heads=heads)
    variables = jax.jit(model.init)(key, images[:1])

    def f(params: Any, x: Array) -> Array:
        return cast(Array, model.apply({"params": params}, x))

    return f, variables["params"]
