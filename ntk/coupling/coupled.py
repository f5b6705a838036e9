"""Normalisation of a batch and the activations beside it: one function of a Gaussian batch."""

import dataclasses
import math
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from ntk.coupling.draws import drawn
from ntk.coupling.integral import integrated
from ntk.errors import InvalidValueError, ShapeError
from ntk.layers.activations.polynomials import Identity
from ntk.layers.base import Limit
from ntk.pytrees import register
from ntk.state import State


@register
@dataclasses.dataclass(frozen=True)
class Coupled(Limit):
    r"""Batch normalisations and activations between two layers with weights.

    In the limit the features of a batch are independent draws of one Gaussian vector :math:`z \sim
    \mathcal N(0, K)`, with an entry for each example and position, and these layers are a function
    :math:`g` of it. With its Jacobian :math:`J`

    .. math:: K \mapsto \mathbb E[g(z)\, g(z)^\top], \qquad T \mapsto \mathbb E[J\, T J^\top].

    Parameters
    ----------
    steps : tuple of Layer
        In their order, at least one of them a batch normalisation.
    """

    couples_batch: ClassVar[bool] = True
    mixes_positions: ClassVar[bool] = True
    reads_variances: ClassVar[bool] = False
    single_variances: ClassVar[bool] = True
    steps: tuple[Any, ...]

    def propagate(self, state: State) -> State:
        """Replace covariance and tangent kernel by the expectations over whole batches."""
        normal = next(step for step in self.steps if step.couples_batch)
        name = type(normal).__name__
        if not state.gaussian:
            raise InvalidValueError(
                f"{name} has a limit where the features before it, or before the activations next "
                "to it, are Gaussian: right after weights such as ntk.Dense or ntk.Conv (or sums "
                "and pools of these); put one between"
            )
        if state.batches is None:
            raise InvalidValueError(
                f"{name} needs whole batches: use ntk.kernel, or give the state batches=(n1, n2), "
                "with the rows of both sets in one"
            )
        positions = state.positions
        if positions and not state.paired:
            raise ShapeError(f"{name} needs all pairs of the positions {positions}")
        size = math.prod(positions)
        before = None if state.tangent is None else _matrix(state.tangent, size)
        batches = tuple(n * size for n in state.batches)
        cov, tangent = self._expectations(_matrix(state.cov, size), before, batches)
        new = _pairs(cov, positions)
        own = jnp.diagonal(cov).reshape(-1, *positions)
        if state.paired_variances:
            own = jnp.moveaxis(jnp.diagonal(new, axis1=0, axis2=1), -1, 0)
        return dataclasses.replace(
            state,
            cov=new,
            tangent=None if tangent is None else _pairs(tangent, positions),
            var1=own[: len(state.var1)],
            var2=own[: len(state.var2)],
            gap=None,
            gaussian=False,
        )

    def _expectations(
        self, cov: Array, tangent: Array | None, batches: tuple[int, ...]
    ) -> tuple[Array, Array | None]:
        first, *rest = self.steps
        activation = rest[0] if rest else Identity()
        if first.couples_batch and len(rest) < 2 and getattr(activation, "homogeneous", False):
            return integrated(activation, cov, tangent, batches, first.eps)
        draws = max(step.draws for step in self.steps if step.couples_batch)
        return drawn(self.steps, cov, tangent, batches, draws)


def _matrix(array: Array, size: int) -> Array:
    """Count examples and positions into one axis for either side."""
    n = len(array)
    return array.reshape(n, n, size, size).swapaxes(1, 2).reshape(n * size, n * size)


def _pairs(matrix: Array, positions: tuple[int, ...]) -> Array:
    """Undo :func:`_matrix`."""
    size = math.prod(positions)
    n = len(matrix) // size
    return matrix.reshape(n, size, n, size).swapaxes(1, 2).reshape(n, n, *positions, *positions)
