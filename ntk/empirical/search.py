"""Where each parameter leaf enters a program: in products only, or in some other way."""

import itertools
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from ntk.empirical.normal_form import SUM, Layout
from ntk.empirical.products import bias, product
from ntk.empirical.program import Loop, Program, Step
from ntk.empirical.uses import Use, in_loop, plain, times
from ntk.empirical.weights import Factors, Weight, disjoint, factor, pass_on

Path = tuple[Hashable, ...]
Found = list[tuple[Path, Use]]
"""Uses, each with the way from the leaf to the weight that is used."""


@dataclass(frozen=True, eq=False)
class Part:
    """All uses of a leaf, or of some entries of it, in one layout: their positions are joined."""

    leaf: int
    uses: tuple[Use, ...]

    @property
    def first(self) -> Use:
        """One of them; all have the same lengths but for the positions."""
        return self.uses[0]

    @property
    def positions(self) -> int:
        """At how many positions the weight is used."""
        return sum(use.s for use in self.uses)

    @property
    def place(self) -> Hashable:
        """Where the cotangents come from; parts with the same place share them."""
        return tuple((use.tap, use.view, use.b, use.s, use.o) for use in self.uses)


class Uses(NamedTuple):
    """All uses of a leaf.

    Attributes
    ----------
    parts : tuple of Part
        By layout and entries.
    ties : tuple of pairs of Part
        Those with the same entries, one with the transpose of the other: tied weights.
    size : int
        Number of entries of the leaf.
    """

    parts: tuple[Part, ...]
    ties: tuple[tuple[Part, Part], ...]
    size: int


def find_uses(program: Program, leaves: int) -> list[Uses | str]:
    """For each of the first ``leaves`` inputs return its uses, or why they cannot be told."""
    avals = [program.avals[number] for number in program.inputs[:leaves]]
    weights = {
        program.inputs[leaf]: Weight(leaf, tuple(range(len(aval.shape))))
        for leaf, aval in enumerate(avals)
    }
    reasons: dict[int, str] = {}
    found: dict[int, Found] = {leaf: [] for leaf in range(leaves)}
    for leaf, path, use in _walk(program, weights, reasons, "it is the result"):
        found[leaf].append((path, use))
    return [
        reasons[leaf] if leaf in reasons else _join(leaf, found[leaf], int(aval.size))
        for leaf, aval in enumerate(avals)
    ]


def _walk(
    program: Program, weights: dict[int, Weight], reasons: dict[int, str], leaving: str
) -> list[tuple[int, Path, Use]]:
    """Follow weights through a program; note a reason for each that cannot be followed."""
    found: list[tuple[int, Path, Use]] = []
    readers = _readers(program)
    for step in program.steps:
        for operand, number in enumerate(step.inputs):
            weight = weights.get(number)
            if weight is None or weight.leaf in reasons:
                continue
            if isinstance(step, Loop):
                found += _walk_loop(step, operand, weight, reasons)
                continue
            passed = pass_on(program, step, operand, weight)
            weights.update(passed)
            if passed:
                continue
            entered = _enter(program, step, operand, weight, readers)
            if entered is None:
                reasons[weight.leaf] = f"it enters {step.name}"
            else:
                found.append((weight.leaf, *entered))
    for number in program.outputs:
        if number in weights:
            reasons.setdefault(weights[number].leaf, leaving)
    return found


def _walk_loop(
    loop: Loop, operand: int, weight: Weight, reasons: dict[int, str]
) -> list[tuple[int, Path, Use]]:
    role, leaf = loop.role(operand), weight.leaf
    by_row = role == "row"
    if role == "state" or (by_row and weight.own is not None):
        reasons[leaf] = "it is the state of a loop" if role == "state" else "it enters scan"
        return []
    inside = {loop.body.inputs[operand]: weight.in_turn(by_row=by_row)}
    found = _walk(loop.body, inside, reasons, "it leaves a loop")
    if by_row and any(use.is_lookup for _, _, use in found):
        reasons[leaf] = "it is a table for each turn of a loop"
    return [
        (leaf, path, times(in_loop(use, loop, by_row=by_row), weight.factors))
        for leaf, path, use in found
        if leaf not in reasons
    ]


def _readers(program: Program) -> dict[int, list[tuple[Step, int]]]:
    readers = defaultdict(list)
    for step in program.steps:
        for operand, number in enumerate(step.inputs):
            readers[number].append((step, operand))
    return readers


def _enter(
    program: Program,
    step: Step,
    operand: int,
    weight: Weight,
    readers: dict[int, list[tuple[Step, int]]],
) -> tuple[Path, Use] | None:
    if weight.own is None:
        entered = product(program, step, operand)
    else:
        spread = program.avals[step.inputs[operand]].shape
        adds = step.name in {"add", "sub"} and spread == program.avals[step.outputs[0]].shape
        entered = bias(program, step, operand, weight.own) if adds else None
    if entered is None:
        return None
    tap, factors = _forward(program, entered.result, readers)
    path = weight.flat if entered.layout.kind == SUM else weight.path
    layout = entered.layout.of(weight.order)
    dtype = program.avals[tap].dtype
    return path, plain(entered, layout, weight.factors + factors, tap, dtype)


def _forward(
    program: Program, number: int, readers: dict[int, list[tuple[Step, int]]]
) -> tuple[int, Factors]:
    """Move a tap past sums and scalar factors, so that a weight and its bias share one."""
    factors: Factors = ()
    while number not in program.outputs and len(readers[number]) == 1:
        step, operand = readers[number][0]
        before, after = program.avals[number], program.avals[step.outputs[0]]
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            break
        if step.name in {"add", "sub"}:
            times: Factors | None = ((-1, False),) if step.name == "sub" and operand == 1 else ()
        else:
            times = factor(program, step, operand)
        if times is None:
            break
        number, factors = step.outputs[0], factors + times
    return number, factors


def _join(leaf: int, found: Found, size: int) -> Uses | str:
    """Collect uses of equal layout; refuse if others share entries, unless as a transpose."""
    groups: dict[tuple[Path, Layout], list[Use]] = defaultdict(list)
    for path, use in found:
        groups[path, use.layout].append(use)
    parts = {key: Part(leaf, tuple(uses)) for key, uses in groups.items()}
    ties = []
    for one, two in itertools.combinations(parts, 2):
        (path1, layout1), (path2, layout2) = one, two
        if disjoint(path1, path2):
            continue
        if path1 != path2 or not layout1.mirrors(layout2):
            kinds = " and ".join(sorted({layout1.kind, layout2.kind}))
            return f"it is shared in different arrangements ({kinds})"
        ties.append((parts[one], parts[two]))
    return Uses(tuple(parts.values()), tuple(ties), size)
