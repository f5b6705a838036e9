"""The limit of a dense layer: an affine map of covariances, and of what separates a pair."""

import dataclasses
from typing import Any, ClassVar, Literal

import jax.numpy as jnp
from jax import Array

from ntk.layers.base import Limit, description, static
from ntk.layers.pair import root
from ntk.layers.weights import require_limit
from ntk.state import State


@description
class Affine(Limit):
    r"""The map :math:`K \mapsto \sigma_w^2 K + \sigma_b^2` with the tangent's recursion.

    Parameters
    ----------
    weight : float
        The variance :math:`\sigma_w^2`.
    bias : float or None
        The variance :math:`\sigma_b^2`; ``None`` if there is no bias.
    width : int
        Number of outputs.
    parametrization : {"ntk", "standard"}
        See :class:`ntk.Dense`.
    """

    single_variances: ClassVar[bool] = True
    reads_variances: ClassVar[bool] = False
    weight: Any
    bias: Any
    width: int = static()
    parametrization: Literal["ntk", "standard"] = static()

    def propagate(self, state: State) -> State:
        """Apply the map to the covariance, the tangent kernel, the variances and the gap."""
        cov = self._map(state.cov)
        tangent = state.tangent
        if tangent is not None:
            if self.parametrization == "ntk":
                own = cov
            else:
                own = state.features * state.cov + (0.0 if self.bias is None else 1.0)
            tangent = self.weight * tangent + own
        return dataclasses.replace(
            state,
            cov=cov,
            tangent=tangent,
            var1=self._map(state.var1),
            var2=self._map(state.var2),
            features=self.width,
            gaussian=True,
            gap=self._gap(state, cov),
        )

    def _map(self, cov: Array) -> Array:
        mapped: Array = self.weight * cov
        return mapped if self.bias is None else mapped + self.bias

    def _gap(self, state: State, cov: Array) -> Array | None:
        r"""Return the new gap without a cancellation.

        A variable of length :math:`s = \sqrt v` becomes one of length :math:`s' =
        \sqrt{\sigma_w^2 s^2 + \sigma_b^2}`, turned by :math:`\theta = \arctan(\sigma_b /
        \sigma_w s)` towards the bias. Two that were collinear are apart by
        :math:`\theta_1 - \theta_2` afterwards, which adds
        :math:`2 s'_1 s'_2 \sin^2 \tfrac12 (\theta_1 - \theta_2)`.
        """
        if state.gap is None:
            return None
        apart: Array = self.weight * state.gap
        if self.bias is None:
            return apart
        (along1, tan1), (along2, tan2) = map(self._turned, (state.var1, state.var2))
        # The difference of the tangents, and not of two products, is zero for equal variances.
        turn = along1[:, None] * along2[None] * (tan1[:, None] - tan2[None])
        mean = root(state.var1)[:, None] * root(state.var2)[None]
        opposed = jnp.where(cov < 0, apart + 2.0 * self.bias, self.weight * (mean - state.cov))
        return jnp.where(state.cov >= 0, apart, opposed) + 2.0 * turn**2

    def _turned(self, var: Array) -> tuple[Array, Array]:
        r"""Return :math:`\sqrt{s'} \cos(\theta/2)` and :math:`\tan(\theta/2)`."""
        before, after = root(self.weight * var), root(self._map(var))
        along = root(0.5 * (after + before))
        tangent = root(jnp.asarray(self.bias, var.dtype)) / jnp.where(
            after > 0, after + before, 1.0
        )
        return along, tangent


def affine(layer: Any, width: int) -> Affine:
    """Return the map of a layer's scales, squared before anything rounds them.

    Parameters
    ----------
    layer : Layer
        With the fields ``sigma_w``, ``sigma_b`` and ``parametrization`` of :class:`ntk.Dense`.
    width : int
        Number of outputs.

    Raises
    ------
    InvalidValueError
        If the parametrisation has no limit.
    """
    return Affine(
        layer.sigma_w**2,
        None if layer.sigma_b is None else layer.sigma_b**2,
        width,
        require_limit(layer.parametrization),
    )
