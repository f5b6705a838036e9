"""Kernels tile by tile: less work where the kernel is symmetric, less memory where it is large."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.empirical.method import Method
from ntk.empirical.request import Request

SMALLEST_BLOCK = 32
"""Examples in a block of a symmetric kernel; smaller ones cost more than they save."""

MOST_BLOCKS = 4


@dataclass(frozen=True)
class Tiles:
    """How a computation is divided.

    Attributes
    ----------
    examples : int
        Rows, and columns, of a tile.
    outputs : int
        Outputs of a tile.
    groups : tuple of tuple of int
        Leaves that are taken together.
    """

    examples: int
    outputs: int
    groups: tuple[tuple[int, ...], ...]

    def only_leaves(self, n1: int, n2: int, k: int) -> bool:
        """Whether a piece has all examples and outputs."""
        return self.examples >= max(n1, n2) and self.outputs >= k

    def keeps_features(self, k: int) -> bool:
        """Whether the features of a row of tiles serve all its columns."""
        return len(self.groups) == 1 and self.outputs >= k


def mirror(block: Array, reduction: str) -> Array:
    """Return the block on the other side of the diagonal."""
    axes = {"full": (2, 3, 0, 1), "mean": (1, 0), "diagonal": (1, 0, 2)}[reduction]
    return block.transpose(axes)


def as_stated(block: Array, reduction: str, k: int) -> Array:
    """Bring a kernel into the form that is promised: ``(n1, n2, k, k)``, or the mean."""
    if reduction == "full":
        return block.transpose(0, 2, 1, 3)
    return block / k if reduction == "mean" else block


def symmetric(method: Method, features: Any, reduction: str) -> dict[int, Array]:
    """Contract features with themselves, the upper half only."""
    n = jax.tree.leaves(features)[0].shape[0]
    blocks = min(MOST_BLOCKS, n // SMALLEST_BLOCK) if method.divisible else 1
    if blocks < 2:
        return method.contract(features, features)
    edges = [n * i // blocks for i in range(blocks + 1)]

    def part(start: int, stop: int) -> Any:
        return jax.tree.map(lambda leaf: leaf[start:stop], features)

    strips = [method.contract(part(a, b), part(a, n)) for a, b in itertools.pairwise(edges)]
    second = 2 if reduction == "full" else 1

    def whole(leaf: int) -> Array:
        rows = []
        for i, strip in enumerate(strips):
            here = [
                mirror(
                    jax.lax.slice_in_dim(
                        strips[j][leaf], edges[i] - edges[j], edges[i + 1] - edges[j], axis=second
                    ),
                    reduction,
                )
                for j in range(i)
            ]
            rows.append(jnp.concatenate([*here, strip[leaf]], axis=second))
        return jnp.concatenate(rows, axis=0)

    return {leaf: whole(leaf) for leaf in strips[0]}


def over_groups(
    methods: list[Method],
    x1: Any,
    x2: Any,
    parts: Callable[[Method, Any, Any], dict[int, Array]],
    stated: Callable[[Array], Array],
) -> Array:
    """Return the sum over groups of leaves, one group after another."""
    total: Any = None
    for method in methods:
        # The barrier keeps the compiler from working on two groups at a time.
        y1, y2, total = jax.lax.optimization_barrier((x1, x2, total))  # type: ignore[no-untyped-call]
        here = stated(sum_of(parts(method, y1, y2)))
        total = here if total is None else total + here
    result: Array = total
    return result


def of_pair(
    methods: list[Method], tiles: Tiles, rows: Array, x1: Any, x2: Any, reduction: str
) -> Array:
    """Return the kernel of two small batches: the sum over groups of leaves, chunks of outputs."""
    k, c = rows.shape[0], min(tiles.outputs, rows.shape[0])
    chunks = math.ceil(k / c)
    n1, n2 = (jax.tree.leaves(x)[0].shape[0] for x in (x1, x2))
    shape = {"full": (n1, n2, k, k), "mean": (n1, n2), "diagonal": (n1, n2, k)}[reduction]

    def block(one: Array, two: Array) -> Array:
        def parts(method: Method, y1: Any, y2: Any) -> dict[int, Array]:
            return method.contract(method.features(y1, one), method.features(y2, two))

        return over_groups(methods, x1, x2, parts, lambda K: as_stated(K, reduction, k))

    if chunks == 1:
        return block(rows, rows)

    def chunk(j: Any) -> tuple[Any, Array]:
        # The last chunk reaches back instead of beyond the end; a sum may meet nothing twice.
        start = jnp.minimum(j * c, k - c)
        some = jax.lax.dynamic_slice_in_dim(rows, start, c)
        fresh = start + jnp.arange(c) >= j * c
        return start, jnp.where(fresh[:, None], some, 0) if reduction == "mean" else some

    def step(q: Any, out: Array) -> Array:
        at1, one = chunk(q // chunks if reduction == "full" else q)
        at2, two = chunk(q % chunks if reduction == "full" else q)
        here = block(one, two)
        if reduction == "mean":
            return out + here
        at = (0, 0, at1, at2) if reduction == "full" else (0, 0, at1)
        return jax.lax.dynamic_update_slice(out, here, at)

    count = chunks**2 if reduction == "full" else chunks
    result: Array = jax.lax.fori_loop(0, count, step, jnp.zeros(shape, rows.dtype))
    return result


def tiled(
    methods: list[Method], tiles: Tiles, rows: Array, x1: Any, x2: Any, reduction: str
) -> Array:
    """Return the kernel one tile at a time; a symmetric one by its upper half."""
    n1, n2 = (jax.tree.leaves(x)[0].shape[0] for x in (x1, x1 if x2 is None else x2))
    k, t1, t2 = rows.shape[0], min(tiles.examples, n1), min(tiles.examples, n2)
    shape = {"full": (n1, n2, k, k), "mean": (n1, n2), "diagonal": (n1, n2, k)}[reduction]
    keeps_features = tiles.keeps_features(k)

    def some(x: Any, i: Any, size: int, n: int) -> tuple[Any, Any]:
        # The last tile reaches back instead of beyond the end: what it meets is the same again.
        start = jnp.minimum(i * size, n - size)
        return start, jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, start, size), x)

    def put(out: Array, block: Array, at1: Any, at2: Any) -> Array:
        place = (at1, at2, *(0,) * (len(shape) - 2))
        return jax.lax.dynamic_update_slice(out, block.astype(out.dtype), place)

    def row(i: Any, out: Array) -> Array:
        at1, here = some(x1, i, t1, n1)
        kept = methods[0].features(here, rows) if keeps_features else None

        def column(j: Any, out: Array) -> Array:
            at2, there = some(x1 if x2 is None else x2, j, t2, n2)
            if keeps_features:
                parts = methods[0].contract(kept, methods[0].features(there, rows))
                block = as_stated(sum_of(parts), reduction, k)
            else:
                block = of_pair(methods, tiles, rows, here, there, reduction)
            out = put(out, block, at1, at2)
            if x2 is not None:
                return out
            # Stated kernels have the examples first: (n1, n2, k, k).
            axes = {4: (1, 0, 3, 2), 3: (1, 0, 2), 2: (1, 0)}[block.ndim]
            return put(out, block.transpose(axes), at2, at1)

        first: Any = i if x2 is None else 0
        result: Array = jax.lax.fori_loop(first, math.ceil(n2 / t2), column, out)
        return result

    out: Array = jax.lax.fori_loop(0, math.ceil(n1 / t1), row, jnp.zeros(shape, rows.dtype))
    return out


def build(request: Request, name: str, tiles: Tiles | None) -> Callable[[Any, Any, Any], Array]:
    """Return the function of parameters and inputs that computes a kernel, ready to be compiled."""

    def compute(params: Any, x1: Any, x2: Any) -> Array:
        rows = request.rows(params, x1)
        if tiles is not None:
            methods = request.methods(name, params, x1, x2, tiles.groups)
            sizes = request.sizes(x1, x2)
            if tiles.only_leaves(sizes.n1, sizes.n2, request.k):
                return over_groups(
                    methods,
                    x1,
                    x2,
                    lambda method, y1, y2: whole(method, rows, y1, y2, request.reduction),
                    lambda K: as_stated(K, request.reduction, request.k),
                )
            return tiled(methods, tiles, rows, x1, x2, request.reduction)
        everything = tuple(range(len(jax.tree.leaves(params))))
        (method,) = request.methods(name, params, x1, x2, [everything])
        parts = whole(method, rows, x1, x2, request.reduction)
        return as_stated(sum_of(parts), request.reduction, request.k)

    return compute


def whole(method: Method, rows: Array, x1: Any, x2: Any, reduction: str) -> dict[int, Array]:
    """Return the kernel of each leaf at one go."""
    one = method.features(x1, rows)
    if x2 is None:
        return symmetric(method, one, reduction)
    return method.contract(one, method.features(x2, rows))


def sum_of(parts: dict[int, Array]) -> Array:
    """Add the kernels of the leaves."""
    kernels = list(parts.values())
    return sum(kernels[1:], kernels[0])
