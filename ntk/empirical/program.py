"""A model as a flat list of steps: its jaxpr, calls written out and values numbered."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import jax

from ntk.empirical.method import like

# Calls that mean nothing for the derivative are written out, and scans are looked into. Those with
# a rule of their own (custom_jvp, custom_vjp) and other control flow stay whole.
TRANSPARENT = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
}


@dataclass(frozen=True, eq=False)
class Step:
    """One operation: which numbered values it reads and writes."""

    equation: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the primitive."""
        return str(self.equation.primitive.name)

    @property
    def params(self) -> Any:
        """The parameters of the primitive."""
        return self.equation.params

    def run(self, values: list[Any]) -> list[Any]:
        """Return the results."""
        params = self.equation.primitive.get_bind_params(self.params)
        with self.equation.ctx.manager:
            result = self.equation.primitive.bind(*values, **params)
        return list(result) if self.equation.primitive.multiple_results else [result]


@dataclass(frozen=True, eq=False)
class Loop(Step):
    """A scan whose inside can be tapped and kept, all turns at once.

    Attributes
    ----------
    body : Program
        One turn, of constants, state and rows, with state and rows as results.
    stacked : dict of int to int
        Numbers, in the program around it, of the body's values of all turns.
    """

    body: "Program"
    stacked: dict[int, int]

    @property
    def length(self) -> int:
        """The number of turns."""
        return int(self.params["length"])

    def role(self, operand: int) -> Literal["constant", "state", "row"]:
        """Return how a turn gets this input: the same each time, changed, or its own row."""
        constants = self.params["num_consts"]
        if operand < constants:
            return "constant"
        return "state" if operand < constants + self.params["num_carry"] else "row"

    def run_tapped(
        self, values: list[Any], taps: Mapping[int, Any], keep: Collection[int]
    ) -> tuple[list[Any], dict[int, Any]]:
        """Return the results, and the values inside that are to be kept."""
        inside = {inner: taps[outer] for inner, outer in self.stacked.items() if outer in taps}
        wanted = [inner for inner, outer in self.stacked.items() if outer in keep]
        if not inside and not wanted:
            return self.run(values), {}
        first = self.params["num_consts"]
        last = first + self.params["num_carry"]

        def turn(state: list[Any], at: Any) -> tuple[list[Any], Any]:
            rows, taps = at
            results, kept = self.body.run([*values[:first], *state, *rows], taps, wanted)
            return results[: last - first], (results[last - first :], kept)

        state, (rows, kept) = jax.lax.scan(
            turn,
            values[first:last],
            (values[last:], inside),
            length=self.length,
            reverse=self.params["reverse"],
            unroll=self.params["unroll"],
        )
        return [*state, *rows], {self.stacked[inner]: value for inner, value in kept.items()}


@dataclass
class Program:
    """The steps of a function of a flat list of arrays.

    Attributes
    ----------
    steps : list of Step
        In order; those that the results do not need are left out.
    inputs, outputs : tuple of int
        Numbers of the arguments and of the results.
    constants : dict of int to Array
        Literals and arrays that the function closes over.
    avals : dict of int to shape and dtype
        Of every value.
    """

    steps: list[Step] = field(default_factory=list)
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    constants: dict[int, Any] = field(default_factory=dict)
    avals: dict[int, Any] = field(default_factory=dict)

    def new(self, aval: Any) -> int:
        """Give a number to one more value."""
        number = len(self.avals)
        self.avals[number] = aval
        return number

    def run(
        self, arguments: Sequence[Any], taps: Mapping[int, Any], keep: Collection[int]
    ) -> tuple[list[Any], dict[int, Any]]:
        """Evaluate, with ``taps`` added to the values of these numbers; keep some values.

        The derivative with respect to a tap at zero is the cotangent of that value.
        """
        values = dict(self.constants)
        values.update(zip(self.inputs, arguments, strict=True))
        for step in self.steps:
            inputs = [values[i] for i in step.inputs]
            if isinstance(step, Loop):
                results, inside = step.run_tapped(inputs, taps, keep)
                values.update(inside)
            else:
                results = step.run(inputs)
            for number, result in zip(step.outputs, results, strict=True):
                values[number] = result + taps[number] if number in taps else result
        return [values[number] for number in self.outputs], {n: values[n] for n in keep}


def trace(f: Callable[..., Any], *arguments: Any) -> Program:
    """Return the program of ``f`` for arguments like these, given as flat lists of leaves."""
    closed: Any = jax.make_jaxpr(f)(*arguments)
    return _read(closed.jaxpr, closed.consts)


def _read(jaxpr: Any, consts: Sequence[Any]) -> Program:
    program = Program()
    program.inputs = tuple(program.new(var.aval) for var in jaxpr.invars)
    program.outputs = tuple(_write_out(program, jaxpr, consts, program.inputs))
    _drop_unused(program)
    return program


def _write_out(
    program: Program, jaxpr: Any, consts: Sequence[Any], arguments: Sequence[int]
) -> list[int]:
    number: dict[Any, int] = dict(zip(jaxpr.invars, arguments, strict=True))

    def constant(value: Any, aval: Any) -> int:
        new = program.new(aval)
        program.constants[new] = value
        return new

    def read(atom: Any) -> int:
        # A literal has no name to look up, but carries its value.
        return constant(atom.val, atom.aval) if hasattr(atom, "val") else number[atom]

    for var, value in zip(jaxpr.constvars, consts, strict=True):
        number[var] = constant(value, var.aval)
    for equation in jaxpr.eqns:
        inputs = [read(atom) for atom in equation.invars]
        inner = equation.params.get(TRANSPARENT.get(equation.primitive.name, ""))
        if inner is not None:
            inner_consts = getattr(inner, "consts", ())
            outputs = _write_out(program, getattr(inner, "jaxpr", inner), inner_consts, inputs)
        else:
            outputs = [program.new(var.aval) for var in equation.outvars]
            program.steps.append(_step(program, equation, tuple(inputs), tuple(outputs)))
        number.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _step(
    program: Program, equation: Any, inputs: tuple[int, ...], outputs: tuple[int, ...]
) -> Step:
    if equation.primitive.name != "scan":
        return Step(equation, inputs, outputs)
    closed, length = equation.params["jaxpr"], equation.params["length"]
    body = _read(closed.jaxpr, closed.consts)
    stacked = {
        inner: program.new(like((length, *aval.shape), aval.dtype))
        for inner, aval in body.avals.items()
        if hasattr(aval, "shape")
    }
    return Loop(equation, inputs, outputs, body, stacked)


def _drop_unused(program: Program) -> None:
    needed = set(program.outputs)
    kept = []
    for step in reversed(program.steps):
        if needed & set(step.outputs):
            needed |= set(step.inputs)
            kept.append(step)
    program.steps = kept[::-1]
