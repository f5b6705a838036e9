"""Gram matrices of a description, as NumPy arrays in the dtype of the inputs."""

from typing import Any, Literal

import jax
import numpy as np
from jaxtyping import Float

from ntk.analytic import kernel
from ntk.errors import InvalidTypeError, ShapeError
from ntk.layers.base import Layer

Part = Literal["nngp", "ntk"]


def gram(
    network: Layer, part: Part, x1: np.ndarray, x2: np.ndarray | None = None
) -> Float[np.ndarray, "n1 n2"]:
    """Compute one kernel; float64 inputs are computed in float64, whatever JAX is set to."""
    if not isinstance(network, Layer):
        raise InvalidTypeError(
            f"network must be a description such as ntk.mlp(depth=3), got {type(network).__name__}"
        )
    # Inside this context arrays keep their own dtype, float32 too; the setting outside stays.
    with jax.enable_x64(True):
        found = kernel(network, _padded(x1), None if x2 is None else _padded(x2), get=part)
        if found.ndim != 2:
            raise ShapeError(
                f"network keeps the positions of inputs of shape {x1.shape[1:]}: its kernel has "
                f"shape {found.shape}. Let it end in Flatten or GlobalAvgPool and a Dense layer"
            )
        return np.asarray(found)[: len(x1), : len(x1 if x2 is None else x2)]


def variances(network: Layer, part: Part, x: np.ndarray) -> Float[np.ndarray, " n"]:
    """Compute the diagonal of a kernel without the matrix."""

    def own(point: Any) -> Any:
        return kernel(network, point[None], get=part)[0, 0]

    with jax.enable_x64(True):
        return np.asarray(jax.vmap(own)(_padded(x)))[: len(x)]


def _padded(x: np.ndarray) -> np.ndarray:
    """Repeat the first row up to one of a few lengths, so that folds share what is compiled."""
    n = len(x)
    step = max(32, 2 ** (n - 1).bit_length() // 8)
    more = -n % step if n <= 4096 else 0
    return x if more == 0 else np.concatenate([x, np.repeat(x[:1], more, axis=0)])
