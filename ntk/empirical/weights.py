"""Values that are still a parameter leaf: rearranged, cut out, or multiplied with numbers."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp

from ntk.empirical.program import Program, Step

# Rearrangements of a weight: their transposes keep inner products, so the kernel does not see them.
RESHAPING = {"reshape", "squeeze", "expand_dims"}
SELECTING = {"slice", "split"}
UNCHANGING = {"copy", "copy_p"}

Factors = tuple[tuple[int, bool], ...]
"""Numbers of scalars that multiply a value, or divide it if true; -1 is a change of sign."""


@dataclass(frozen=True)
class Weight:
    """A value that is a leaf, up to rearrangement, selection of entries and numbers as factors.

    Attributes
    ----------
    leaf : int
        Which leaf.
    order : tuple of int
        A transposition that comes after the path: the axes in the order in which they are now.
    path : tuple
        What was done to it before; equal paths mean equal entries in equal places.
    factors : Factors
        The scalars that multiply it.
    own : tuple of int, optional
        After a broadcast, the axes that are the weight's own.
    """

    leaf: int
    order: tuple[int, ...]
    path: tuple[Hashable, ...] = ()
    factors: Factors = ()
    own: tuple[int, ...] | None = None

    @property
    def settled(self) -> tuple[Hashable, ...]:
        """The path with the transposition."""
        moved = self.order != tuple(range(len(self.order)))
        return (*self.path, ("transpose", self.order)) if moved else self.path

    @property
    def flat(self) -> tuple[Hashable, ...]:
        """The path to the entries in a row, for which the shape at the end makes no difference."""
        path = self.settled
        while path and path[-1][0] == "reshape":  # type: ignore[index]
            path = path[:-1]
        return path

    def after(self, change: Hashable, rank: int) -> "Weight":
        """Return the weight after one more change."""
        return replace(self, order=tuple(range(rank)), path=(*self.settled, change))

    def in_turn(self, *, by_row: bool) -> "Weight":
        """Return what a turn of a loop sees; the factors stay outside."""
        bare = replace(self, factors=())
        return bare.after(("turn",), len(self.order) - 1) if by_row else bare


def factor(program: Program, step: Step, operand: int) -> Factors | None:
    """Return what a step multiplies its operand with, if that is a number."""
    if step.name == "neg":
        return ((-1, False),)
    if step.name == "convert_element_type":
        floating = jnp.issubdtype(step.params["new_dtype"], jnp.floating)
        return () if floating else None
    divides = step.name == "div" and operand == 0
    if step.name != "mul" and not divides:
        return None
    other = step.inputs[1 - operand]
    same = other == step.inputs[operand]
    return None if same or not _is_scalar(program, other) else ((other, divides),)


def _is_scalar(program: Program, number: int) -> bool:
    aval = program.avals[number]
    return bool(aval.size == 1 and jnp.issubdtype(aval.dtype, jnp.floating))


def pass_on(program: Program, step: Step, operand: int, weight: Weight) -> dict[int, Weight]:
    """Return what a step makes of a weight, for each result that is still one."""
    before, after = (program.avals[n] for n in (step.inputs[operand], step.outputs[0]))
    result, rank = step.outputs[0], len(after.shape)
    times = factor(program, step, operand)
    if times is not None and before.shape == after.shape:
        return {result: replace(weight, factors=weight.factors + times)}
    if weight.own is not None or operand != 0:
        return {}
    if step.name in UNCHANGING:
        return {result: weight}
    if step.name == "transpose":
        order = tuple(weight.order[axis] for axis in step.params["permutation"])
        return {result: replace(weight, order=order)}
    if step.name == "broadcast_in_dim":
        if before.size == after.size:
            return {result: weight.after(("reshape", after.shape), rank)}
        dims = tuple(step.params["broadcast_dimensions"])
        own = tuple(d for d, size in zip(dims, before.shape, strict=True) if after.shape[d] == size)
        return {result: replace(weight, own=own)}
    if step.name in RESHAPING:
        reorders = step.name == "reshape" and step.params["dimensions"] is not None
        change = (step.name, str(step.params)) if reorders else ("reshape", after.shape)
        return {result: weight.after(change, rank)}
    if step.name == "rev":
        return {result: weight.after(("rev", tuple(step.params["dimensions"])), rank)}
    if step.name in SELECTING:
        boxes = _boxes(before.shape, step)
        return {n: weight.after(box, rank) for n, box in zip(step.outputs, boxes, strict=True)}
    return {}


def _boxes(shape: tuple[int, ...], step: Step) -> list[tuple[Any, ...]]:
    """Bounds, axis by axis, of the entries that a slice or a split selects."""
    if step.name == "slice":
        starts, limits = step.params["start_indices"], step.params["limit_indices"]
        if any(stride != 1 for stride in step.params["strides"] or ()):
            return [("strided", str(step.params))]
        return [("box", *((int(a), int(b)) for a, b in zip(starts, limits, strict=True)))]
    axis, start = step.params["axis"], 0
    boxes: list[tuple[Any, ...]] = []
    for size in map(int, step.params["sizes"]):
        bounds = [(0, length) for length in shape]
        bounds[axis] = (start, start + size)
        boxes.append(("box", *bounds))
        start += size
    return boxes


def disjoint(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two paths select no entry in common: they part at boxes that do not meet."""
    for a, b in zip(one, other, strict=False):
        if a == b:
            continue
        boxes = a[0] == "box" == b[0]
        return boxes and any(
            hi <= lo2 or hi2 <= lo for (lo, hi), (lo2, hi2) in zip(a[1:], b[1:], strict=True)
        )
    return False
