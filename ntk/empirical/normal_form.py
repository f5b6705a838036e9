r"""The normal form of what a weight enters, :math:`y_{bso} = \sum_i a_{bsi} w_{bio}`.

After a rearrangement of axes ``b`` are those that weight, input and result share (heads, groups of
channels), ``s`` positions at which the weight is used, ``i`` what is summed over and ``o`` what
comes out. The derivative of output :math:`k` is then :math:`\partial f_k / \partial w_{bio} =
\sum_s a_{bsi} g_{kbso}` with the cotangent :math:`g` of :math:`y`.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from jax import Array

PRODUCT = "product"
LOOKUP = "lookup"
SUM = "sum"


class Layout(NamedTuple):
    """Which axes of a weight are shared, summed over and come out; equal layouts may be added.

    Attributes
    ----------
    kind : str
        In what the weight enters.
    b, i, o : tuple of int
        Axes of the weight.
    detail : hashable
        What else makes a difference.
    """

    kind: str
    b: tuple[int, ...]
    i: tuple[int, ...]
    o: tuple[int, ...]
    detail: Hashable = None

    def of(self, order: tuple[int, ...]) -> "Layout":
        """Return the same of a weight whose axes in this order are those here."""
        b, i, o = (tuple(order[axis] for axis in axes) for axes in (self.b, self.i, self.o))
        return self._replace(b=b, i=i, o=o)

    def mirrors(self, other: "Layout") -> bool:
        """Whether what is summed over here comes out there: a weight and its transpose."""
        plain = {self.kind, other.kind} <= {PRODUCT, LOOKUP}
        return plain and (self.b, self.i, self.o) == (other.b, other.o, other.i)


@dataclass(frozen=True)
class Product:
    """One use of a weight in normal form.

    Attributes
    ----------
    layout : Layout
        Which axes of the weight became ``b``, ``i`` and ``o``.
    b, s, i, o : int
        Lengths of the axes.
    other : int or None
        Number of the value that the weight is multiplied with, if there is one.
    result : int
        Number of the value that comes out.
    axes : tuple of int
        The order in which the axes of the result are ``b``, ``s``, ``o``.
    inputs : callable
        Brings the other value into the form ``(b, s, i)``; indices ``(s,)`` for a look-up.
    grouped : bool
        Whether the axes of the result are ``s``, ``b``, ``o`` instead.
    """

    layout: Layout
    b: int
    s: int
    i: int
    o: int
    other: int | None
    result: int
    axes: tuple[int, ...]
    inputs: Callable[[Any], Array]
    grouped: bool = False

    @property
    def is_lookup(self) -> bool:
        """Whether the input is a row number instead of a vector."""
        return self.layout.kind == LOOKUP

    def cotangent(self, g: Array) -> Array:
        """Bring a cotangent of the result into the form ``(b, s, o)``."""
        g = g.transpose(self.axes)
        if self.grouped:  # channels are (b, o) and come last
            return g.reshape(self.s, self.b, self.o).swapaxes(0, 1)
        return g.reshape(self.b, self.s, self.o)
