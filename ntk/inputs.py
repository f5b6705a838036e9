"""Where the recursion begins: covariance and gap of the inputs, for one tile."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ntk.layers.pair import root
from ntk.state import State

NEAR = 2.0**-7
"""Pairs with a smaller relative gap are measured by their difference.

A matrix product leaves an error of some units of rounding in the cosine, which for the angle is
that error over the angle; at this bound it is some ten units.
"""


def input_state(
    x1: Float[Array, "n1 *positions d"],
    x2: Float[Array, "n2 *positions d"],
    shift: Any,
    *,
    tangent: bool,
    paired: bool = False,
    paired_variances: bool = False,
) -> State:
    r"""Return the state of a tile of inputs, :math:`K(x, x') = \langle x, x' \rangle / d`.

    Parameters
    ----------
    x1, x2 : Array, shapes (n1, *positions, d) and (n2, *positions, d)
        Rows and columns of the tile.
    shift : int or None
        Row ``i`` and column ``i - shift`` are the same input; ``None`` if none are.
    tangent : bool
        Whether the tangent kernel is wanted.
    paired, paired_variances : bool
        Whether all pairs of positions are wanted, or each with itself; see :class:`ntk.State`.
    """
    diagonal = _diagonal(x1.shape[0], x2.shape[0], shift)
    if x1.ndim > 2:
        state = _fields(x1, x2, diagonal, paired, paired_variances)
        return dataclasses.replace(state, tangent=jnp.zeros_like(state.cov) if tangent else None)
    d = x1.shape[1]
    var1, var2 = (jnp.sum(x * x, axis=1) / d for x in (x1, x2))
    unit1, unit2 = _normalised(x1), _normalised(x2)
    # Two roundings of a square differ; on the diagonal the pair must be exactly coincident, or a
    # kinked activation sees an angle of sqrt(eps).
    cosine = jnp.matmul(unit1, unit2.T, precision=jax.lax.Precision.HIGHEST)
    distance = _distance(unit1, unit2, cosine, diagonal)
    mean: Array = root(var1)[:, None] * root(var2)[None]
    cov = jnp.where(diagonal, var1[:, None], _covariance(x1, x2, mean * cosine))
    gap = jnp.where(diagonal, 0.0, mean * distance)
    return State(
        cov, jnp.zeros_like(cov) if tangent else None, var1, var2, d, gap=gap, gaussian=False
    )


def _fields(x1: Array, x2: Array, diagonal: Array, paired: bool, paired_variances: bool) -> State:
    """Return the state of inputs with positions, such as images."""
    d, positions = x1.shape[-1], x1.shape[1:-1]
    product = partial(jnp.einsum, precision=jax.lax.Precision.HIGHEST)
    flat1, flat2 = (x.reshape(len(x), -1, d) for x in (x1, x2))
    cov = product("ipc,jqc->ijpq" if paired else "ipc,jpc->ijp", flat1, flat2) / d
    word = "ipc,iqc->ipq" if paired_variances else "ipc,ipc->ip"
    var1, var2 = (product(word, x, x) / d for x in (flat1, flat2))
    same = jnp.expand_dims(diagonal, range(2, cov.ndim))
    if paired and not paired_variances:
        own = var1[:, None, :, None]
        same = same & jnp.eye(cov.shape[-1], dtype=bool)
    else:
        own = var1[:, None]
    cov = jnp.where(same, own, cov)

    def shaped(array: Array, lead: int, twice: bool) -> Array:
        return array.reshape(array.shape[:lead] + positions * (2 if twice else 1))

    return State(
        shaped(cov, 2, paired),
        None,
        shaped(var1, 1, paired_variances),
        shaped(var2, 1, paired_variances),
        d,
        paired=paired,
        paired_variances=paired_variances,
        gaussian=False,
    )


def _diagonal(rows: int, columns: int, shift: Any) -> Array:
    if shift is None:
        return jnp.zeros((1, 1), bool)
    same: Array = jnp.arange(rows)[:, None] == jnp.arange(columns)[None] + shift
    return same


def _normalised(x: Array) -> Array:
    length = root(jnp.sum(x * x, axis=1, keepdims=True))
    unit: Array = x / jnp.where(length > 0, length, 1.0)
    return unit


@jax.custom_jvp
def _covariance(x1: Array, x2: Array, found: Array) -> Array:
    r"""Return what was found, with the derivative of :math:`\langle x, x' \rangle / d`.

    Through lengths and directions there would be none at an input of zeros.
    """
    del x1, x2
    return found


@_covariance.defjvp
def _covariance_jvp(
    primals: tuple[Array, Array, Array], tangents: tuple[Array, Array, Array]
) -> tuple[Array, Array]:
    (x1, x2, found), (change1, change2, _) = primals, tangents
    product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)
    return found, (product(change1, x2.T) + product(x1, change2.T)) / x1.shape[1]


@jax.custom_jvp
def _distance(unit1: Array, unit2: Array, cosine: Array, ignored: Array) -> Array:
    r"""Return :math:`1 - |\cos|`, for near pairs as :math:`\tfrac12 |\hat x \mp \hat x'|^2`."""
    sign = jnp.where(cosine >= 0, 1.0, -1.0).astype(cosine.dtype)
    far = 1.0 - jnp.abs(cosine)

    def measured() -> Array:
        def add(k: Array, total: Array) -> Array:
            return total + (unit1[:, k, None] - sign * unit2[None, :, k]) ** 2

        total = jax.lax.fori_loop(0, unit1.shape[1], add, jnp.zeros_like(cosine))
        return jnp.where(far < NEAR, 0.5 * total, far)

    found: Array = jax.lax.cond(jnp.any((far < NEAR) & ~ignored), measured, lambda: far)
    return found


@_distance.defjvp
def _distance_jvp(
    primals: tuple[Array, Array, Array, Array], tangents: tuple[Array, Array, Array, Any]
) -> tuple[Array, Array]:
    # The same function by either formula, so the derivative of the simpler one serves both.
    cosine, change = primals[2], tangents[2]
    return _distance(*primals), jnp.where(cosine >= 0, -change, change)
