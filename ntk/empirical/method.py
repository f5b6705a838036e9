"""What every method gives to the driver: features of a batch, and the kernel of two of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
from jax import Array

from ntk.model import Model


@dataclass(frozen=True)
class Task:
    """What is asked of a method.

    Attributes
    ----------
    f : callable
        A model with results ``(n, k)``.
    params : pytree of Array
        Where the kernel is taken.
    k : int
        Number of outputs.
    reduction : {"mean", "full", "diagonal"}
        ``mean`` is the sum here; the driver divides.
    coupled : bool
        Whether a batch is one function of all its examples.
    leaves : tuple of int
        The leaves that count, the others are constants.
    """

    f: Model
    params: Any
    k: int
    reduction: str
    coupled: bool
    leaves: tuple[int, ...]

    def split(self) -> tuple[list[Array], Callable[[Sequence[Array], Any], Array]]:
        """Return the leaves that count and the model as a function of them."""
        everything, tree = jax.tree.flatten(self.params)

        def of_chosen(chosen: Sequence[Array], x: Any) -> Array:
            leaves = list(everything)
            for i, leaf in zip(self.leaves, chosen, strict=True):
                leaves[i] = leaf
            return self.f(jax.tree.unflatten(tree, leaves), x)

        return [everything[i] for i in self.leaves], of_chosen


class Method(NamedTuple):
    """A way to compute kernels.

    Attributes
    ----------
    features : callable
        ``features(x, rows)`` of a batch; ``rows`` ``(c, k)`` are the combinations of outputs that
        are wanted. Arrays with the leading axis ``n``.
    contract : callable
        ``contract(features1, features2)``: the kernel of each leaf, ``full`` as
        ``(n1, k1, n2, k2)``. Leaves may be added up under one of their numbers.
    divisible : bool
        Whether features may be cut along the examples.
    """

    features: Callable[[Any, Array], Any]
    contract: Callable[[Any, Any], dict[int, Array]]
    divisible: bool = True


def like(shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array without values."""
    return jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]
