"""A model as a flat list of steps: its jaxpr, calls written out and values numbered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
from jax import Array

# Calls that mean nothing for the derivative are written out. Those with a rule of their own
# (custom_jvp, custom_vjp) and control flow stay whole: their inside is not what is differentiated.
TRANSPARENT = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
}


@dataclass(frozen=True)
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


@dataclass
class Program:
    """The steps of a function of a flat list of arrays, with one result.

    Attributes
    ----------
    steps : list of Step
        In order; those that the result does not need are left out.
    inputs : tuple of int
        Numbers of the arguments.
    output : int
        Number of the result.
    constants : dict of int to Array
        Literals and arrays that the function closes over.
    avals : dict of int to shape and dtype
        Of every value.
    """

    steps: list[Step] = field(default_factory=list)
    inputs: tuple[int, ...] = ()
    output: int = -1
    constants: dict[int, Any] = field(default_factory=dict)
    avals: dict[int, Any] = field(default_factory=dict)

    def new(self, aval: Any) -> int:
        """Give a number to one more value."""
        number = len(self.avals)
        self.avals[number] = aval
        return number

    def run(
        self, arguments: Sequence[Any], taps: Mapping[int, Any], keep: Sequence[int]
    ) -> tuple[Array, dict[int, Any]]:
        """Evaluate, with ``taps`` added to the values of these numbers; keep some values.

        The derivative with respect to a tap at zero is the cotangent of that value.
        """
        values = dict(self.constants)
        values.update(zip(self.inputs, arguments, strict=True))
        for step in self.steps:
            results = _bind(step.equation, [values[i] for i in step.inputs])
            for number, result in zip(step.outputs, results, strict=True):
                values[number] = result + taps[number] if number in taps else result
        return values[self.output], {number: values[number] for number in keep}


def trace(f: Callable[..., Any], *arguments: Any) -> Program:
    """Return the program of ``f`` for arguments like these, given as flat lists of leaves."""
    closed: Any = jax.make_jaxpr(f)(*arguments)
    program = Program()
    program.inputs = tuple(program.new(var.aval) for var in closed.jaxpr.invars)
    (program.output,) = _write_out(program, closed.jaxpr, closed.consts, program.inputs)
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
            program.steps.append(Step(equation, tuple(inputs), tuple(outputs)))
        number.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _drop_unused(program: Program) -> None:
    needed = {program.output}
    kept = []
    for step in reversed(program.steps):
        if needed & set(step.outputs):
            needed |= set(step.inputs)
            kept.append(step)
    program.steps = kept[::-1]


def _bind(equation: Any, values: list[Any]) -> list[Any]:
    params = equation.primitive.get_bind_params(equation.params)
    with equation.ctx.manager:
        result = equation.primitive.bind(*values, **params)
    return list(result) if equation.primitive.multiple_results else [result]
