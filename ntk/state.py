"""What travels through a description, and what comes out of it."""

import dataclasses
import math
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ntk.pytrees import register


@register
@dataclasses.dataclass(frozen=True)
class State:
    r"""One tile of the recursion on its way through the layers.

    With :math:`z(x)` the representation that has been reached, averages over its features are

    .. math:: K(x, x') &= \tfrac1n \langle z(x), z(x') \rangle, \\
              T(x, x') &= \tfrac1n \sum_i \langle \partial_\theta z_i(x),
              \partial_\theta z_i(x') \rangle

    in the limit of infinite width.

    Attributes
    ----------
    cov : Array, shape (n1, n2, *positions) or (n1, n2, *positions, *positions)
        The covariance :math:`K(x_i, x'_j)`; the second shape if ``paired``.
    tangent : Array of the same shape, or None
        The tangent kernel :math:`T(x_i, x'_j)`; ``None`` when only the NNGP is wanted.
    var1, var2 : Array, shapes (n1, *positions) and (n2, *positions)
        The diagonals :math:`K(x_i, x_i)` and :math:`K(x'_j, x'_j)`, of all pairs of positions if
        ``paired_variances``.
    features : int
        How many features the representation has. The limit does not depend on it, except in
        standard parametrisation, where the tangent kernel grows with it.
    gap : Array of the shape of ``cov``, or None
        What separates a pair from a collinear one, :math:`\sqrt{K(x, x) K(x', x')} - |K(x, x')|`.
        The subtraction would leave rounding of it where inputs almost coincide, so layers carry
        it along; ``None`` after a layer that does not.
    paired : bool
        Whether all pairs of positions are carried, or each position with itself.
    paired_variances : bool
        The same for the variances. All pairs are needed only if a nonlinearity comes after
        positions have met.
    gaussian : bool
        Whether the features are independent Gaussians of mean zero, as infinitely wide weights
        leave them. Activations need it; neither they nor the inputs have it.
    batches : tuple of int or None
        The sizes of the input sets whose examples are both the rows and the columns, one set
        after the other, for a network that couples the examples of a batch; else ``None``, and
        the rows and columns may be a part of any larger matrix.
    """

    cov: Array
    tangent: Array | None
    var1: Array
    var2: Array
    features: int = dataclasses.field(default=1, metadata={"static": True})
    gap: Array | None = None
    paired: bool = dataclasses.field(default=False, metadata={"static": True})
    paired_variances: bool = dataclasses.field(default=False, metadata={"static": True})
    gaussian: bool = dataclasses.field(default=True, metadata={"static": True})
    batches: tuple[int, ...] | None = dataclasses.field(default=None, metadata={"static": True})

    @property
    def positions(self) -> tuple[int, ...]:
        """The shape of the positions, such as ``(height, width)``; empty if there are none."""
        shape = self.cov.shape[2:]
        return shape[: len(shape) // 2] if self.paired else shape

    def variances(self) -> tuple[Array, Array]:
        """Return the variances at rows and columns, with axes that broadcast against ``cov``."""
        if not self.paired:
            return self.var1[:, None], self.var2[None]
        k = len(self.positions)
        own1, own2 = self.var1, self.var2
        if self.paired_variances:
            own1, own2 = own_positions(own1, k), own_positions(own2, k)
        rows = own1.reshape(own1.shape[:1] + (1,) + own1.shape[1:] + (1,) * k)
        columns = own2.reshape((1,) + own2.shape[:1] + (1,) * k + own2.shape[1:])
        return rows, columns


def own_positions(var: Array, positions: int) -> Array:
    """Return the entries of a paired variance where both positions are the same."""
    shape = var.shape[1 : 1 + positions]
    flat = var.reshape(len(var), math.prod(shape), math.prod(shape))
    own: Array = jnp.diagonal(flat, axis1=1, axis2=2)
    return own.reshape(len(var), *shape)


class Kernel(NamedTuple):
    """The two limiting kernels of a description; a part that was not asked for is ``None``.

    Attributes
    ----------
    nngp : Array, shape (n1, n2), or None
        The covariance of the outputs at initialisation.
    ntk : Array, shape (n1, n2), or None
        The neural tangent kernel.
    """

    nngp: Array | None
    ntk: Array | None
