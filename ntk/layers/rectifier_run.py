r"""Runs of dense layers with ReLU, by the gap alone: the commonest network at half the cost.

After a rectifier no covariance is negative, so that :math:`c = \sqrt{v_1 v_2} - g` and the gap
says it all. A pass then reads and writes two numbers a pair, the gap and the tangent kernel, and
has no case to tell apart.
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
        packed, var1, var2 = carry
        return (_pass(affine, packed, var1, var2), affine.map(var1) / 2, affine.map(var2) / 2), None

    start = _pack(state.gap, state.tangent), state.var1, state.var2
    packed, var1, var2 = jax.lax.scan(one, start, blocks, length)[0]
    gap, tangent = _unpack(packed)
    cov = root(var1)[:, None] * root(var2)[None] - gap
    return dataclasses.replace(
        state, cov=cov, tangent=tangent, var1=var1, var2=var2, gap=gap, features=blocks.width
    )


def _pass(affine: Affine, packed: Array, var1: Array, var2: Array) -> Array:
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
        derivative = 0.5 - (0.5 / jnp.pi) * acute_angle(half_sine)
        tangent = (affine.weight * tangent + own) * derivative
    return _pack(0.5 * gap - bend, tangent)


def _pack(gap: Array, tangent: Array | None) -> Array:
    """Put two numbers into one: compilers for CPUs make one array in one pass, but not two."""
    return gap if tangent is None else jax.lax.complex(gap, tangent)


def _unpack(packed: Array) -> tuple[Array, Array | None]:
    if not jnp.iscomplexobj(packed):
        return packed, None
    return jnp.real(packed), jnp.imag(packed)
