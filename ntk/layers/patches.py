"""What a convolution's weights see: the patches of positions under its window, as features."""

import dataclasses
from typing import Any, ClassVar, Protocol, runtime_checkable

from jax import Array

from ntk.layers.base import Limit, description, static
from ntk.state import State


@runtime_checkable
class Geometry(Protocol):
    """How a window slides over positions."""

    @property
    def size(self) -> int:
        """How many positions a window covers."""

    def require_fit(self, positions: tuple[int, ...]) -> None:
        """Raise unless the window fits these positions."""

    def sum_together(self, array: Array, axes: int, *, paired: bool) -> Array:
        """Sum over windows in which both positions of a pair move together."""


@description
class Patches(Limit):
    r"""The average over the windows of a convolution, whose weights are a dense layer of patches.

    .. math:: K_{pp'} \mapsto \frac1{|W|} \sum_{q \in W} K_{p+q, p'+q}

    Parameters
    ----------
    geometry : Geometry
        How the window slides.
    """

    single_variances: ClassVar[bool] = True
    reads_variances: ClassVar[bool] = False
    geometry: Any = static()

    def propagate(self, state: State) -> State:
        """Average all arrays; a patch has as many features as its positions together."""
        size, axes = self.geometry.size, len(state.positions)
        self.geometry.require_fit(state.positions)

        def average(array: Array, paired: bool) -> Array:
            total: Array = self.geometry.sum_together(array, axes, paired=paired)
            mean: Array = (1.0 / size) * total
            return mean

        return dataclasses.replace(
            state,
            cov=average(state.cov, state.paired),
            tangent=None if state.tangent is None else average(state.tangent, state.paired),
            var1=average(state.var1, state.paired_variances),
            var2=average(state.var2, state.paired_variances),
            features=size * state.features,
            gap=None,
        )
