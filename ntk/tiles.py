"""Kernel matrices in tiles that a processor's cache holds."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

TILE = 512
"""Rows and columns of a tile of points: three float32 arrays of this size fit a cache."""

FIELD = 256 * 256
"""Entries of a tile of inputs with positions, whose windows need a few arrays more."""


def over_tiles(
    tile: Callable[[Array, Array, Any], list[Array]], x1: Array, x2: Array | None, entries: int = 1
) -> list[Array]:
    """Fill a matrix tile by tile; of a symmetric one, compute the upper half only.

    Parameters
    ----------
    tile : Callable
        ``tile(rows, columns, shift)`` returns the blocks; see :func:`ntk.inputs.input_state`.
    x1 : Array, shape (n1, ...)
        Inputs.
    x2 : Array, shape (n2, ...), or None
        Inputs for the columns; those of the rows if ``None``.
    entries : int
        How many entries one pair of inputs has on its way, which makes tiles smaller.

    Returns
    -------
    list of Array
        The matrices, ``(n1, n2, ...)``.
    """
    symmetric = x2 is None
    columns = x1 if x2 is None else x2
    n1, n2 = x1.shape[0], columns.shape[0]
    side = TILE if entries == 1 else max(1, math.isqrt(FIELD // entries))
    (height, many1), (width, many2) = _split(n1, side), _split(n2, side)
    if many1 == many2 == 1:
        block = tile(x1, columns, 0 if symmetric else None)
        return mirrored(block) if symmetric else block

    # Tiles of equal size need no padding: the last ones overlap those before by a few rows. The
    # last on the diagonal comes last of all, so that what the overlap holds is symmetric too.
    def block_at(i: Any, j: Any) -> list[Array]:
        return tile(
            jax.lax.dynamic_slice_in_dim(x1, i, height),
            jax.lax.dynamic_slice_in_dim(columns, j, width),
            j - i if symmetric else None,
        )

    def fill(results: list[Array], ij: Array) -> tuple[list[Array], None]:
        i = jnp.minimum(ij[0] * height, n1 - height)
        j = jnp.minimum(ij[1] * width, n2 - width)
        block = block_at(i, j)
        if symmetric:
            block = _mirrored_if(i == j, block)
            results = _put(results, [_transposed(part) for part in block], j, i)
        return _put(results, block, i, j), None

    grid = [(i, j) for i in range(many1) for j in range(many2) if not symmetric or i <= j]
    shapes = jax.eval_shape(block_at, 0, 0)
    empty = [jnp.zeros((n1, n2, *part.shape[2:]), part.dtype) for part in shapes]
    filled: list[Array] = jax.lax.scan(fill, empty, jnp.asarray(grid))[0]
    return filled


def _split(n: int, side: int) -> tuple[int, int]:
    """Return the size of the tiles and how many there are."""
    many = -(-n // side)
    return -(-n // many), many


def _put(results: list[Array], block: list[Array], row: Array, column: Array) -> list[Array]:
    return [
        jax.lax.dynamic_update_slice(result, part, (row, column, *[0] * (part.ndim - 2)))
        for result, part in zip(results, block, strict=True)
    ]


def _transposed(part: Array) -> Array:
    """Exchange the inputs of each pair, and their positions."""
    k = (part.ndim - 2) // 2
    return part.transpose(1, 0, *range(2 + k, 2 + 2 * k), *range(2, 2 + k))


def mirrored(block: list[Array]) -> list[Array]:
    """Copy the upper half of square matrices to the lower one, so that they are symmetric."""
    # Always true, but not for the compiler: a NaN is not itself.
    first = block[0].ravel()[0]
    always = first == first  # noqa: PLR0124
    return _mirrored_if(always, block)


def _mirrored_if(condition: Array, block: list[Array]) -> list[Array]:
    """Copy the upper half of square tiles to the lower one.

    What enters a branch is an array in memory. Otherwise the compiler computes an entry anew for
    either half, and rounds it in two ways.
    """
    chosen: list[Array] = jax.lax.cond(
        condition, lambda parts: [_mirror(part) for part in parts], lambda parts: parts, block
    )
    return chosen


def _mirror(part: Array) -> Array:
    if part.ndim == 2:
        return jnp.triu(part) + jnp.triu(part, 1).T
    row, column = jnp.arange(part.shape[0])[:, None], jnp.arange(part.shape[1])[None]
    upper = jnp.expand_dims(row <= column, range(2, part.ndim))
    return jnp.where(upper, part, _transposed(part))
