"""The duals of an activation as plain numbers, in double precision.

Everything that is searched for follows from these two. They are compiled for one or two sizes only,
since for activations by quadrature that takes longer than all the rest.
"""

from typing import Any

import jax
import numpy as np
from jax import Array

from ntk.layers.activations.elementwise import Elementwise
from ntk.phases.mean_field import MeanField, pair_duals

BLOCKS = 64, 4096
"""How many pairs are taken at once."""


def duals(activation: Elementwise, q: Any, c: Any = 1.0) -> tuple[Any, Any]:
    r"""Return :math:`\mathbb E[\sigma\sigma']` and its slope by the covariance, in NumPy.

    Parameters
    ----------
    activation : Elementwise
        The nonlinearity.
    q, c : array or float
        Variance of both variables and their correlation; they broadcast.

    Returns
    -------
    tuple of array
        Of the broadcast shape.
    """
    dual, slope = _in_blocks(_duals, activation, q, c)
    return dual, slope


def length_slope(activation: Elementwise, q: Any) -> Any:
    r"""Return the derivative of :math:`\mathbb E\, \sigma(\sqrt q z)^2`, in NumPy."""
    return _in_blocks(_length_slope, activation, q)[0]


def _in_blocks(function: Any, activation: Elementwise, *arguments: Any) -> list[Any]:
    arrays = np.broadcast_arrays(*(np.asarray(a, float) for a in arguments))
    shape, count = arrays[0].shape, arrays[0].size
    size = BLOCKS[0] if count <= BLOCKS[1] else BLOCKS[1]
    whole = -(-count // size) * size
    rows = [np.resize(a, whole).reshape(-1, size) for a in arrays]
    parts = [function(activation, *row) for row in zip(*rows, strict=True)]
    return [
        np.concatenate([np.asarray(part[i], float) for part in parts])[:count].reshape(shape)
        for i in range(len(parts[0]))
    ]


@jax.jit
def _duals(activation: Elementwise, q: Array, c: Array) -> tuple[Array, Array]:
    return pair_duals(activation, c, q, q)


@jax.jit
def _length_slope(activation: Elementwise, q: Array) -> tuple[Array]:
    return (MeanField(activation).length_slope(q),)
