"""Where each parameter leaf enters a program: in products only, or in some other way."""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ntk.empirical.products import Product, bias, product
from ntk.empirical.program import Program, Step

# Rearrangements of a weight: their transposes keep inner products, so the kernel does not see them.
REARRANGING = {"transpose", "reshape", "squeeze", "expand_dims", "rev", "copy", "copy_p"}
SELECTING = {"slice", "split"}


@dataclass(frozen=True)
class Weight:
    """A value that is a leaf, up to rearrangement, selection of entries and numbers as factors.

    Attributes
    ----------
    leaf : int
        Which leaf.
    path : tuple
        What was done to it; equal paths mean equal entries in equal places.
    factors : tuple of (int, bool)
        Numbers of the scalars that multiply it, or divide it if true; -1 is a change of sign.
    own : tuple of int, optional
        After a broadcast, the axes that are the weight's own.
    """

    leaf: int
    path: tuple[Hashable, ...] = ()
    factors: tuple[tuple[int, bool], ...] = ()
    own: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Use:
    """A product, the scalars that multiply its derivative, and where its cotangent is taken."""

    product: Product
    factors: tuple[tuple[int, bool], ...]
    tap: int


@dataclass(frozen=True)
class Part:
    """All uses of a leaf, or of some entries of it, in one layout: their positions are joined."""

    leaf: int
    uses: tuple[Use, ...]

    @property
    def positions(self) -> int:
        """At how many positions the weight is used."""
        return sum(use.product.s for use in self.uses)

    @property
    def place(self) -> Hashable:
        """Where the cotangents come from; parts with the same place share them."""
        return tuple(
            (use.tap, p.axes, p.grouped, p.b, p.s, p.o) for use in self.uses for p in [use.product]
        )


def find_parts(program: Program, leaves: int) -> list[list[Part] | str]:
    """For each of the first ``leaves`` inputs return its parts, or why there are none."""
    weights = {program.inputs[leaf]: Weight(leaf) for leaf in range(leaves)}
    found: dict[int, list[tuple[Weight, Use]]] = {leaf: [] for leaf in range(leaves)}
    reasons: dict[int, str] = {}
    readers = _readers(program)
    if program.output in weights:
        reasons[weights[program.output].leaf] = "it is the result"
    for step in program.steps:
        for operand, number in enumerate(step.inputs):
            weight = weights.get(number)
            if weight is None or weight.leaf in reasons:
                continue
            if _passes_on(program, step, operand, weight, weights):
                if program.output in step.outputs:
                    reasons[weight.leaf] = "it is the result"
                continue
            entered = _enter(program, step, operand, weight)
            if entered is None:
                reasons[weight.leaf] = f"it enters {step.name}"
            else:
                tap, factors = _forward(program, entered.result, readers)
                found[weight.leaf].append((weight, Use(entered, weight.factors + factors, tap)))
    return [
        reasons[leaf] if leaf in reasons else _join(leaf, found[leaf]) for leaf in range(leaves)
    ]


def _readers(program: Program) -> dict[int, list[tuple[Step, int]]]:
    readers = defaultdict(list)
    for step in program.steps:
        for operand, number in enumerate(step.inputs):
            readers[number].append((step, operand))
    return readers


def _is_scalar(program: Program, number: int) -> bool:
    aval = program.avals[number]
    return bool(aval.size == 1 and jnp.issubdtype(aval.dtype, jnp.floating))


def _factor(program: Program, step: Step, operand: int) -> tuple[tuple[int, bool], ...] | None:
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


def _passes_on(
    program: Program, step: Step, operand: int, weight: Weight, weights: dict[int, Weight]
) -> bool:
    """Note what a step makes of a weight, if that is still a weight."""
    before, after = (program.avals[n] for n in (step.inputs[operand], step.outputs[0]))
    leaf, path, factors, own = weight.leaf, weight.path, weight.factors, weight.own
    factor = _factor(program, step, operand)
    if factor is not None and before.shape == after.shape:
        weights[step.outputs[0]] = Weight(leaf, path, factors + factor, own)
        return True
    if own is not None or operand != 0:
        return False
    if step.name == "broadcast_in_dim":
        dims = tuple(step.params["broadcast_dimensions"])
        if before.size == after.size:
            weights[step.outputs[0]] = Weight(leaf, (*path, ("reshape", after.shape)), factors)
            return True
        own = tuple(d for d, size in zip(dims, before.shape, strict=True) if after.shape[d] == size)
        weights[step.outputs[0]] = Weight(leaf, path, factors, own)
        return True
    if step.name in REARRANGING:
        weights[step.outputs[0]] = Weight(leaf, (*path, _change(step, after.shape)), factors)
        return True
    if step.name in SELECTING:
        for output, box in zip(step.outputs, _boxes(before.shape, step), strict=True):
            weights[output] = Weight(leaf, (*path, box), factors)
        return True
    return False


def _change(step: Step, shape: tuple[int, ...]) -> Hashable:
    reorders = step.name == "reshape" and step.params["dimensions"] is not None
    if step.name in {"reshape", "squeeze", "expand_dims"} and not reorders:
        return ("reshape", shape)  # whichever way the shape came about
    return (step.name, str(step.params), shape)


def _boxes(shape: tuple[int, ...], step: Step) -> list[tuple[Hashable, ...]]:
    """Bounds, axis by axis, of the entries that a slice or a split selects."""
    if step.name == "slice":
        starts, limits = step.params["start_indices"], step.params["limit_indices"]
        if any(stride != 1 for stride in step.params["strides"] or ()):
            return [("strided", str(step.params))]
        return [("box", *((int(a), int(b)) for a, b in zip(starts, limits, strict=True)))]
    axis, start = step.params["axis"], 0
    boxes: list[tuple[Hashable, ...]] = []
    for size in map(int, step.params["sizes"]):
        bounds = [(0, length) for length in shape]
        bounds[axis] = (start, start + size)
        boxes.append(("box", *bounds))
        start += size
    return boxes


def _enter(program: Program, step: Step, operand: int, weight: Weight) -> Product | None:
    if weight.own is not None:
        if step.name not in {"add", "sub"}:
            return None
        spread: tuple[int, ...] = program.avals[step.inputs[operand]].shape
        if spread != program.avals[step.outputs[0]].shape:
            return None
        return bias(program, step, operand, weight.own)
    return product(program, step, operand)


def _forward(
    program: Program, number: int, readers: dict[int, list[tuple[Step, int]]]
) -> tuple[int, tuple[tuple[int, bool], ...]]:
    """Move a tap past sums and scalar factors, so that a weight and its bias share one."""
    factors: tuple[tuple[int, bool], ...] = ()
    while number != program.output and len(readers[number]) == 1:
        step, operand = readers[number][0]
        before, after = program.avals[number], program.avals[step.outputs[0]]
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            break
        if step.name in {"add", "sub"}:
            factor: tuple[tuple[int, bool], ...] | None = (
                ((-1, False),) if step.name == "sub" and operand == 1 else ()
            )
        else:
            factor = _factor(program, step, operand)
        if factor is None:
            break
        number, factors = step.outputs[0], factors + factor
    return number, factors


def _join(leaf: int, found: list[tuple[Weight, Use]]) -> list[Part] | str:
    """Collect uses of equal layout; refuse if different layouts share an entry."""
    groups: dict[Hashable, list[tuple[Weight, Use]]] = defaultdict(list)
    for weight, use in found:
        groups[weight.path, use.product.layout].append((weight, use))
    paths = [members[0][0].path for members in groups.values()]
    for i, one in enumerate(paths):
        if any(not _disjoint(one, other) for other in paths[:i]):
            return "it is shared by different products"
    return [Part(leaf, tuple(use for _, use in members)) for members in groups.values()]


def _disjoint(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two selections share no entry: they part at boxes that do not meet."""
    for a, b in zip(one, other, strict=False):
        if a == b:
            continue
        boxes = a[0] == "box" == b[0]
        return boxes and any(
            hi <= lo2 or hi2 <= lo for (lo, hi), (lo2, hi2) in zip(a[1:], b[1:], strict=True)
        )
    return False
