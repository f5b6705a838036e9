"""One use of a weight, outside of a loop or inside: what goes in, and what comes out."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.empirical.normal_form import LOOKUP, Layout, Product
from ntk.empirical.program import Loop
from ntk.empirical.weights import Factors

Inputs = tuple[Array, ...]
"""Vectors ``(b, s, i)``; of a look-up the rows and their factors, each ``(s,)``."""


@dataclass(frozen=True, eq=False)
class Use:
    r"""A sum :math:`y_{bso} = \sum_i a_{bsi} w_{bio}` in a program.

    Attributes
    ----------
    layout : Layout
        Which axes of the weight became ``b``, ``i`` and ``o``.
    b, s, i, o : int
        Lengths of the axes: shared, positions, inputs, outputs.
    tap : int
        Number of the value whose cotangent is that of the result.
    view : hashable
        How that cotangent is brought into the form ``(b, s, o)``.
    needs : tuple of int
        Numbers of the values that ``inputs`` is made from.
    inputs : callable
        Of these values: what the weight is multiplied with.
    cotangent : callable
        Brings the tap's cotangent into the form ``(b, s, o)``.
    turns : int
        Turns of loops that each have a weight of their own; ``b`` counts them.
    """

    layout: Layout
    b: int
    s: int
    i: int
    o: int
    tap: int
    view: Hashable
    needs: tuple[int, ...]
    inputs: Callable[[Mapping[int, Any]], Inputs]
    cotangent: Callable[[Array], Array]
    turns: int = 1

    @property
    def is_lookup(self) -> bool:
        """Whether the inputs are numbers of rows."""
        return self.layout.kind == LOOKUP


def plain(product: Product, layout: Layout, factors: Factors, tap: int, dtype: Any) -> Use:
    """Return the use of a weight in a step, times scalars."""

    def inputs(kept: Mapping[int, Any]) -> Inputs:
        own = product.inputs(None if product.other is None else kept[product.other])
        return (own, jnp.ones(product.s, dtype)) if product.is_lookup else (own,)

    use = Use(
        layout,
        *(product.b, product.s, product.i, product.o),
        tap=tap,
        view=(product.axes, product.grouped),
        needs=() if product.other is None else (product.other,),
        inputs=inputs,
        cotangent=product.cotangent,
    )
    return times(use, factors)


def times(use: Use, factors: Factors) -> Use:
    """Return a use whose derivative is multiplied with scalars."""
    if not factors:
        return use

    def inputs(kept: Mapping[int, Any]) -> Inputs:
        *rows, last = use.inputs(kept)
        for number, divides in factors:
            value = -1.0 if number == -1 else jnp.reshape(kept[number], ())
            last = last / value if divides else last * value
        return (*rows, last)

    more = (number for number, _ in factors if number >= 0)
    return replace(use, inputs=inputs, needs=tuple(dict.fromkeys((*use.needs, *more))))


def in_loop(use: Use, loop: Loop, *, by_row: bool) -> Use:
    """Return a use in the body of a loop as one in the program around it, all turns at once.

    Turns are positions of a weight that is the same each time. If each turn has its own row of the
    weight, they are an axis that weight, input and result share.
    """

    def joined(turns: Array) -> Array:  # (turns, b, s, ...)
        if by_row:
            return turns.reshape(-1, *turns.shape[2:])
        turns = jnp.moveaxis(turns, 0, 1)
        return turns.reshape(turns.shape[0], -1, *turns.shape[3:])

    def inputs(kept: Mapping[int, Any]) -> Inputs:
        inside = {number: kept[loop.stacked[number]] for number in use.needs}
        own = jax.vmap(use.inputs, axis_size=loop.length)(inside)
        if use.is_lookup:
            return tuple(each.reshape(-1) for each in own)
        return tuple(joined(each) for each in own)

    return replace(
        use,
        b=use.b * loop.length if by_row else use.b,
        s=use.s if by_row else use.s * loop.length,
        tap=loop.stacked[use.tap],
        view=("loop", by_row, use.view),
        needs=tuple(loop.stacked[number] for number in use.needs),
        inputs=inputs,
        cotangent=lambda g: joined(jax.vmap(use.cotangent)(g)),
        turns=use.turns * loop.length if by_row else use.turns,
    )
