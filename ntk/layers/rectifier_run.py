r"""Runs of dense layers with ReLU, by the gap alone: the commonest network at half the cost.

After a rectifier no covariance is negative, so that :math:`c = \sqrt{v_1 v_2} - g` and the gap
says it all. A pass then reads and writes two numbers a pair, the gap and the tangent kernel, and
has no case to tell apart.

A thousand layers add a thousand numbers to a growing sum, whose roundings go the same way as long
as it hardly changes. What they lose of a variance is carried along in any case, of the tangent
kernel in long runs, where the third number a pair doubles the time.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.layers.activations.kinked import Relu
from ntk.layers.affine import Affine, widening
from ntk.layers.base import Limit
from ntk.layers.pair import Pair, acute_angle, opposition, root
from ntk.state import State

LONG_RUN = 100
"""From this many layers on the roundings of the tangent kernel are carried along."""


def is_rectifier_block(limits: tuple[Limit, ...]) -> bool:
    """Whether a block is a dense layer in NTK parametrisation with a ReLU after it."""
    if len(limits) != 2:
        return False
    first, second = limits
    return isinstance(first, Affine) and first.parametrization == "ntk" and type(second) is Relu


def propagate_rectified(blocks: Affine, length: int, state: State) -> State:
    """Carry a state that comes from a ReLU through dense layers, each with a ReLU after it.

    Parameters
    ----------
    blocks : Affine
        The dense layers; each number has a leading axis of the number of layers.
    length : int
        That number.
    state : State
        Of points, with a gap.
    """
    if state.gap is None:
        raise ValueError("a state with a gap is needed")

    def one(carry: Any, affine: Affine) -> tuple[Any, None]:
        packed, lost, var1, var2 = carry
        packed, lost = _pass(affine, packed, lost, var1[0], var2[0])
        return (packed, lost, _next_variance(affine, var1), _next_variance(affine, var2)), None

    lost = None
    if state.tangent is not None and length >= LONG_RUN:
        lost = jnp.zeros_like(state.tangent)
    exact = tuple((var, jnp.zeros_like(var)) for var in (state.var1, state.var2))
    start: Any = _pack(state.gap, state.tangent), lost, *exact
    packed, _, (var1, _), (var2, _) = jax.lax.scan(one, start, blocks, length)[0]
    gap, tangent = _unpack(packed)
    cov = root(var1)[:, None] * root(var2)[None] - gap
    return dataclasses.replace(
        state, cov=cov, tangent=tangent, var1=var1, var2=var2, gap=gap, features=blocks.width
    )


def _pass(
    affine: Affine, packed: Array, lost: Array | None, var1: Array, var2: Array
) -> tuple[Array, Array | None]:
    gap, tangent = _unpack(packed)
    mean = root(var1)[:, None] * root(var2)[None]
    own = affine.map(mean - gap)
    gap = affine.weight * gap
    if affine.bias is not None:
        gap = gap + widening(affine.weight, affine.bias, var1, var2)
    pair = Pair(own, affine.map(var1)[:, None], affine.map(var2)[None], gap)
    half_sine = pair.half_sine
    bend = (0.5 / jnp.pi) * pair.mean * opposition(half_sine)
    if tangent is not None:
        turn = (0.5 / jnp.pi) * acute_angle(half_sine)
        if lost is None:
            tangent = (affine.weight * tangent + own) * (0.5 - turn)
        else:
            half = 0.5 * affine.weight
            change = 0.5 * own - (affine.weight * tangent + own) * turn
            tangent, lost = _two_sum(half * tangent, change + half * lost)
    return _pack(0.5 * gap - bend, tangent), lost


def _next_variance(affine: Affine, var: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return a variance after a layer and a ReLU, as a sum of two numbers."""
    value, lost = (0.5 * affine.weight * part for part in var)
    return (value, lost) if affine.bias is None else _two_sum(value, 0.5 * affine.bias + lost)


def _two_sum(large: Array, small: Array) -> tuple[Array, Array]:
    """Return a rounded sum, and what the rounding has lost of the smaller number."""
    total = large + small
    return total, small - (total - large)


def _pack(gap: Array, tangent: Array | None) -> Array:
    """Put two numbers into one: compilers for CPUs make one array in one pass, but not two."""
    return gap if tangent is None else jax.lax.complex(gap, tangent)


def _unpack(packed: Array) -> tuple[Array, Array | None]:
    if not jnp.iscomplexobj(packed):
        return packed, None
    return jnp.real(packed), jnp.imag(packed)
