"""Operations and bytes of a function, counted from its jaxpr.

XLA's own analysis counts the body of a loop once, whatever its number of turns; this one does not.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

ELEMENTWISE_FREE = {
    "broadcast_in_dim",
    "reshape",
    "squeeze",
    "expand_dims",
    "transpose",
    "slice",
    "dynamic_slice",
    "dynamic_update_slice",
    "concatenate",
    "pad",
    "convert_element_type",
    "copy",
    "copy_p",
    "gather",
    "iota",
    "stop_gradient",
    "split",
    "rev",
}
"""Primitives that move numbers and compute none."""


class Count(NamedTuple):
    """Operations by kind, and the entries of all values that are made.

    Attributes
    ----------
    products : float
        Operations of matrix products and convolutions, two for each multiplication.
    elementwise : float
        All others: one for each entry of a result, or of what is summed up.
    entries : float
        Entries of the results of all steps.
    """

    products: float = 0.0
    elementwise: float = 0.0
    entries: float = 0.0

    def plus(self, other: "Count", times: float = 1.0) -> "Count":
        """Add another count, several times."""
        return Count(*(a + times * b for a, b in zip(self, other, strict=True)))

    @property
    def flops(self) -> float:
        """All operations."""
        return self.products + self.elementwise


def count(f: Callable[..., Any], *arguments: Any) -> Count:
    """Count the operations of ``f``; loops by their turns, of branches the longest.

    A ``while`` loop of unknown length counts as one turn.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> w = jnp.ones((4, 4))
    >>> def power(x):
    ...     return jax.lax.scan(lambda c, _: (c @ w, None), x, length=10)[0]
    >>> count(power, jnp.ones((3, 4))).products
    960.0
    """
    return of_jaxpr(jax.make_jaxpr(f)(*arguments).jaxpr)


def of_jaxpr(jaxpr: Any) -> Count:
    """Count the operations of a jaxpr."""
    total = Count()
    for equation in jaxpr.eqns:
        total = total.plus(of_equation(equation))
    return total


def of_equation(equation: Any) -> Count:
    """Count the operations of one step, with whatever it calls."""
    name, params = equation.primitive.name, equation.params
    if name == "cond":
        return max((of_jaxpr(branch.jaxpr) for branch in params["branches"]), key=_flops)
    inner = [jaxpr for value in params.values() for jaxpr in _jaxprs(value)]
    if inner:
        turns = float(params["length"]) if name == "scan" else 1.0
        total = Count()
        for jaxpr in inner:
            total = total.plus(of_jaxpr(jaxpr), turns)
        return total
    results = float(sum(_size(var) for var in equation.outvars))
    if name == "dot_general":
        (summed, _), _ = params["dimension_numbers"]
        shape = equation.invars[0].aval.shape
        return Count(2.0 * results * math.prod(shape[axis] for axis in summed), 0.0, results)
    if name == "conv_general_dilated":
        weight = equation.invars[1].aval.shape
        outputs = weight[params["dimension_numbers"].rhs_spec[0]]
        return Count(2.0 * results * math.prod(weight) / outputs, 0.0, results)
    if name in ELEMENTWISE_FREE:
        return Count(0.0, 0.0, results)
    read = float(max((_size(var) for var in equation.invars), default=0))
    reduces = name.startswith(("reduce", "arg", "cum", "scatter"))
    return Count(0.0, max(read, results) if reduces else results, results)


def contains(equation: Any, name: str) -> bool:
    """Whether a step is an operation whose name begins so, or calls one."""
    if equation.primitive.name.startswith(name):
        return True
    inner = [jaxpr for value in equation.params.values() for jaxpr in _jaxprs(value)]
    return any(contains(each, name) for jaxpr in inner for each in jaxpr.eqns)


def _flops(total: Count) -> float:
    return total.flops


def _jaxprs(value: Any) -> list[Any]:
    values = value if isinstance(value, tuple | list) else [value]
    return [getattr(v, "jaxpr", v) for v in values if hasattr(getattr(v, "jaxpr", v), "eqns")]


def _size(var: Any) -> int:
    shape = getattr(var.aval, "shape", ())
    return math.prod(shape)
