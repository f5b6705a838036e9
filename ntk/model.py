"""The second seam: any function of parameters and a batch, checked once and given one shape."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.checks import is_concrete, require_finite, rounding
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError

Model = Callable[[Any, Any], Array]
"""A function ``f(params, x)`` of a batch ``x`` of ``n`` examples, with a result ``(n, k)``."""


def batch_size(name: str, x: Any) -> int:
    """Return the common length of the leading axis of a pytree of arrays."""
    leaves = jax.tree.leaves(x)
    if not leaves:
        raise ShapeError(f"{name} is empty: expected an array, or a pytree of arrays, of examples")
    for leaf in leaves:
        if not hasattr(leaf, "shape"):
            raise InvalidTypeError(
                f"{name} must hold arrays, got {type(leaf).__name__}; use jax.numpy.asarray({name})"
            )
        if leaf.ndim == 0:
            raise ShapeError(f"{name} must have a leading axis of examples, got a single number")
    sizes = {int(leaf.shape[0]) for leaf in leaves}
    if len(sizes) > 1:
        raise ShapeError(f"the arrays of {name} differ in the leading axis: {sorted(sizes)}")
    size = sizes.pop()
    if size == 0:
        raise ShapeError(f"{name} is empty: expected at least one example")
    for leaf in leaves:
        if jnp.issubdtype(leaf.dtype, jnp.floating):
            require_finite(name, leaf)
    return size


def check_params(params: Any) -> None:
    """Raise unless every leaf of ``params`` is a floating array."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    if not leaves:
        raise InvalidValueError("params has no leaves: there is nothing to differentiate")
    for path, leaf in leaves:
        dtype = jnp.result_type(leaf)
        if not jnp.issubdtype(dtype, jnp.floating):
            raise InvalidTypeError(
                f"params{jax.tree_util.keystr(path)} has dtype {dtype}; the NTK needs real "
                "floating parameters: close over the others in f"
            )
        require_finite(f"params{jax.tree_util.keystr(path)}", leaf)


def compiled(f: Model) -> Model:
    """Return ``f`` compiled, the same each time, so that checking it costs little from then on.

    Called as it is, a model of many layers is dispatched, and first compiled, one operation after
    another.
    """
    try:
        return _compiled(f)
    except TypeError:  # it cannot be hashed
        return _compiled.__wrapped__(f)


@lru_cache(maxsize=64)
def _compiled(f: Model) -> Model:
    def run(params: Any, x: Any) -> Any:
        return f(params, x)

    return jax.jit(run)  # of its own, since jit too wants a hash


def with_flat_outputs(f: Model) -> Model:
    """Return ``f`` with all trailing axes of its result counted into one."""

    def flat(params: Any, x: Any) -> Array:
        y = f(params, x)
        return y.reshape(y.shape[0], -1)

    return flat


def check_outputs(f: Model, params: Any, name: str, x: Any) -> int:
    """Evaluate shapes (and values where possible) of ``f(params, x)``; return how many outputs."""
    n = batch_size(name, x)
    y = jax.eval_shape(compiled(f), params, x)
    if not hasattr(y, "shape"):
        raise InvalidTypeError(
            f"f(params, {name}) must return one array (n, k), got {type(y).__name__}"
        )
    if not jnp.issubdtype(y.dtype, jnp.floating):
        raise InvalidTypeError(f"f(params, {name}) must be real and floating, got {y.dtype}")
    if y.ndim < 2 or y.shape[0] != n or 0 in y.shape:
        hint = "; for one output return y[:, None]" if y.shape == (n,) else ""
        raise ShapeError(
            f"f(params, {name}) must have shape (n, k) with n = {n} examples, "
            f"got shape {y.shape}{hint}"
        )
    return int(y.size // n)


def check_batch_of_one(f: Model, params: Any, name: str, x: Any) -> None:
    """Raise unless ``f`` takes one example alone, as a Jacobian taken example by example needs."""
    expected = (
        "f must take any number of examples; make a batch that it closes over an input, or take "
        "the joint Jacobian of the whole batch, ntk.empirical_ntk(..., coupled=True)"
    )

    def of_one(params: Any, x: Any) -> Any:
        return compiled(f)(params, jax.tree.map(lambda leaf: leaf[:1], x))

    try:
        y = jax.eval_shape(of_one, params, x)
    except Exception as error:  # of whatever library the model is written in
        raise ShapeError(
            f"f(params, {name}) takes the batch of {len(jax.tree.leaves(x)[0])} but "
            f"f(params, {name}[:1]) fails: "
            f"{expected}. It says: {error}"
        ) from error
    if y.shape[:1] != (1,):
        raise ShapeError(
            f"f(params, {name}[:1]) has shape {y.shape}, not one row for one example: {expected}"
        )


def refuse_mixing(f: Model, params: Any, name: str, x: Any) -> None:
    """Raise if the result of the first or last example changes when the others are left out.

    Layers such as BatchNorm in training mode couple the examples; a Jacobian taken example by
    example would silently be that of another function.
    """
    if not all(map(is_concrete, jax.tree.leaves((params, x)))):
        return
    run = compiled(f)
    batch = run(params, x)
    if not is_concrete(batch):  # called inside a trace
        return
    require_finite(f"f(params, {name})", batch)
    _compare_with_alone(run, params, name, x, batch)
    if any(jnp.size(leaf) and not jnp.any(leaf) for leaf in jax.tree.leaves(params)):
        # A readout of zeros hides what comes before it, from the result but not from the kernel.
        moved = jax.tree.map(_moved, params)
        _compare_with_alone(run, moved, name, x, run(moved, x))


def _compare_with_alone(run: Model, params: Any, name: str, x: Any, batch: Array) -> None:
    together = np.asarray(batch)
    if not np.isfinite(together).all():  # only away from the parameters that were given
        return
    size = float(np.max(np.abs(together)))
    last = [(len(together) - 1, "[-1:]")] if len(together) > 1 else []
    for start, words in [(0, "[:1]"), *last]:
        one = slice(start, start + 1)
        alone = np.asarray(run(params, jax.tree.map(lambda leaf, one=one: leaf[one], x)))
        gap = float(np.max(np.abs(together[one] - alone)))
        # A batch of one can even be undefined (0 / 0 in BatchNorm): that is no agreement either.
        if not gap <= size * rounding(batch.dtype) ** 0.5:
            raise InvalidValueError(
                f"f mixes the examples of a batch: f(params, {name}){words} and "
                f"f(params, {name}{words}) differ by {gap:.3g}. Put normalisation into inference "
                "mode, or pass coupled=True to take the joint Jacobian of the whole batch"
            )


def _moved(leaf: Any) -> Array:
    """Return a leaf with each entry changed a little, where it is zero too."""
    leaf = jnp.asarray(leaf)
    usual = max(1, math.prod(leaf.shape[:-1])) ** -0.5
    scale = jnp.sqrt(jnp.mean(leaf**2))
    scale = jnp.where(scale > 0, scale, usual)
    change = jnp.cos(jnp.arange(leaf.size, dtype=leaf.dtype)).reshape(leaf.shape)
    moved: Array = leaf + 0.1 * scale * change
    return moved
