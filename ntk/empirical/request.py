"""What is asked for: arguments checked, brought to one model and one reduction."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from ntk import checks
from ntk.empirical.jacobian import jacobian_method
from ntk.empirical.method import Method, Task, like
from ntk.empirical.plan import Sizes
from ntk.empirical.structured import structured_method
from ntk.empirical.vector_products import vector_products_method
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError
from ntk.model import (
    Model,
    batch_size,
    check_batch_of_one,
    check_outputs,
    check_params,
    refuse_mixing,
    with_flat_outputs,
)

Output = Literal["mean", "full", "diagonal", "pseudo"]
OUTPUTS = ("mean", "full", "diagonal", "pseudo")
METHODS = ("jacobian", "vector_products", "structured")

Compute = Callable[[Any, Any, Any], Any]
"""A computation, of parameters and both sets of inputs."""


@dataclass(frozen=True)
class Request:
    """A kernel to be computed, without the values.

    Attributes
    ----------
    f : callable
        The model whose kernel is taken: results ``(n, k)``, one output for pseudo and single ones.
    k : int
        Its number of outputs.
    reduction : {"mean", "full", "diagonal"}
        What is done with pairs of outputs.
    coupled : bool
        Whether the joint Jacobian is meant.
    """

    f: Model
    k: int
    reduction: str
    coupled: bool

    def sizes(self, x1: Any, x2: Any) -> Sizes:
        """Return how much is asked for."""
        n1 = jax.tree.leaves(x1)[0].shape[0]
        n2 = n1 if x2 is None else jax.tree.leaves(x2)[0].shape[0]
        return Sizes(n1, n2, self.k, self.reduction, x2 is None)

    def methods(
        self, name: str, params: Any, x1: Any, x2: Any, groups: Any, merge: bool = True
    ) -> list[Method]:
        """Return the method for each group of leaves."""
        tasks = [
            Task(self.f, params, self.k, self.reduction, self.coupled, group) for group in groups
        ]
        if name == "jacobian":
            return [jacobian_method(task) for task in tasks]
        if name == "vector_products":
            return [vector_products_method(task) for task in tasks]
        sizes = self.sizes(x1, x2)
        return [structured_method(task, x1, sizes, merge) for task in tasks]

    def rows(self, params: Any, x: Any) -> Array:
        """Return the combinations of outputs that the kernel is about: each by itself."""
        return jnp.eye(self.k, dtype=jax.eval_shape(self.f, params, x).dtype)


@dataclass(frozen=True)
class Shapes:
    """Structure, shapes and dtypes of the arguments: what a compilation depends on."""

    tree: Any
    leaves: tuple[tuple[tuple[int, ...], Any], ...]

    @classmethod
    def of(cls, *arguments: Any) -> "Shapes":
        """Return those of some pytrees of arrays."""
        leaves, tree = jax.tree.flatten(arguments)
        return cls(tree, tuple((jnp.shape(leaf), jnp.result_type(leaf)) for leaf in leaves))

    def arguments(self) -> Any:
        """Return pytrees of that kind without values."""
        leaves = [like(shape, dtype) for shape, dtype in self.leaves]
        return jax.tree.unflatten(self.tree, leaves)


def check_request(f: Any, params: Any, x1: Any, x2: Any, output: Any, coupled: bool) -> None:
    """Check everything that a kernel is made from."""
    if not callable(f):
        raise InvalidTypeError(f"f must be a function f(params, x), got {type(f).__name__}")
    if isinstance(output, bool) or not isinstance(output, int):
        if not isinstance(output, str):
            raise InvalidTypeError(
                f"output must be one of {OUTPUTS} or the number of one output, got {output!r}"
            )
        checks.choice("output", output, OUTPUTS)
    check_params(params)
    k = check_outputs(f, params, "x1", x1)
    if x2 is not None:
        check_pair(x1, x2)
        if check_outputs(f, params, "x2", x2) != k:
            raise ShapeError("f has different numbers of outputs on x1 and on x2")
    if isinstance(output, int) and not -k <= output < k:
        raise InvalidValueError(
            f"output={output} is not among the {k} outputs 0, ..., {k - 1} of f"
        )
    if not coupled:
        check_batch_of_one(f, params, "x1", x1)
        # One example alone cannot mix: the larger batch tells more.
        more = x2 is not None and batch_size("x2", x2) > batch_size("x1", x1)
        refuse_mixing(f, params, "x2" if more else "x1", x2 if more else x1)


def make_request(f: Model, params: Any, x: Any, output: Any, coupled: bool) -> Request:
    """Return the request for checked arguments."""
    flat = with_flat_outputs(f)
    k = jax.eval_shape(flat, params, x).shape[1]
    if isinstance(output, int):
        at = output % k
        return Request(lambda p, x: flat(p, x)[:, at : at + 1], 1, "mean", coupled)
    if output == "pseudo":
        return Request(
            lambda p, x: jnp.sum(flat(p, x), axis=1, keepdims=True) / k**0.5, 1, "mean", coupled
        )
    return Request(flat, k, output, coupled)


def check_pair(x1: Any, x2: Any) -> None:
    """Raise unless two batches are alike in everything but the number of examples."""
    structure1: Any = jax.tree.structure(x1)
    structure2: Any = jax.tree.structure(x2)
    if structure1 != structure2:
        raise ShapeError(f"x1 and x2 must be alike, got {structure1} and {structure2}")
    batch_size("x2", x2)
    for a, b in zip(jax.tree.leaves(x1), jax.tree.leaves(x2), strict=True):
        checks.same_features("x1", a, "x2", b)


def answer(
    make: Callable[..., Compute],
    f: Any,
    params: Any,
    x1: Any,
    x2: Any,
    *,
    output: Any,
    method: str,
    methods: tuple[str, ...],
    coupled: bool,
    more: tuple[Hashable, ...] = (),
) -> Any:
    """Check what is asked for, compile its computation once for these shapes, and compute.

    ``make`` returns the computation for a request, arguments without values, the method and
    ``more``.
    """
    checks.choice("method", method, ("auto", *methods))
    check_request(f, params, x1, x2, output, coupled)
    arguments = (make, output, method, coupled, Shapes.of(params, x1, x2), more)
    try:
        compute = _compiled(f, *arguments)
    except TypeError:  # a model that cannot be hashed is compiled anew at each call
        compute = _compiled.__wrapped__(f, *arguments)
    return compute(params, x1, x2)


@lru_cache(maxsize=64)
def _compiled(
    f: Model,
    make: Callable[..., Compute],
    output: Any,
    method: str,
    coupled: bool,
    shapes: Shapes,
    more: tuple[Hashable, ...],
) -> Compute:
    params, x1, x2 = shapes.arguments()
    request = make_request(f, params, x1, output, coupled)
    compute: Compute = jax.jit(make(request, params, x1, x2, method, *more))
    return compute
