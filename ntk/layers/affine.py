"""The limit of a dense layer: an affine map of covariances, and of what separates a pair."""

import dataclasses
from typing import Any, ClassVar, Literal

import jax
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
        cov = self.map(state.cov)
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
            var1=self.map(state.var1),
            var2=self.map(state.var2),
            features=self.width,
            gaussian=True,
            gap=self._gap(state),
        )

    def map(self, cov: Array) -> Array:
        r"""Apply :math:`K \mapsto \sigma_w^2 K + \sigma_b^2`."""
        mapped: Array = self.weight * cov
        return mapped if self.bias is None else mapped + self.bias

    def _gap(self, state: State) -> Array | None:
        if state.gap is None:
            return None
        if self.bias is None:
            apart: Array = self.weight * state.gap
            return apart
        return _widened(self.weight, self.bias, state.cov, state.var1, state.var2, state.gap)


def _turned_apart(
    weight: Any, bias: Any, cov: Array, var1: Array, var2: Array, gap: Array
) -> Array:
    r"""Return the gap after a map with a bias, without a cancellation.

    A variable of length :math:`s = \sqrt v` becomes one of length :math:`s' =
    \sqrt{\sigma_w^2 s^2 + \sigma_b^2}`, turned by :math:`\theta = \arctan(\sigma_b /
    \sigma_w s)` towards the bias. Two that were collinear are apart by
    :math:`\theta_1 - \theta_2` afterwards, which adds
    :math:`2 s'_1 s'_2 \sin^2 \tfrac12 (\theta_1 - \theta_2)`.
    """
    apart = weight * gap
    mean = root(var1)[:, None] * root(var2)[None]
    opposed = jnp.where(weight * cov + bias < 0, apart + 2.0 * bias, weight * (mean - cov))
    return jnp.where(cov >= 0, apart, opposed) + widening(weight, bias, var1, var2)


def widening(weight: Any, bias: Any, var1: Array, var2: Array) -> Array:
    r"""Return by how much a bias tells collinear pairs of these variances apart."""
    (along1, tan1), (along2, tan2) = (_half_turn(weight, bias, var) for var in (var1, var2))
    # The difference of the tangents, and not of two products, is zero for equal variances.
    turn: Array = along1[:, None] * along2[None] * (tan1[:, None] - tan2[None])
    return 2.0 * turn**2


def _half_turn(weight: Any, bias: Any, var: Array) -> tuple[Array, Array]:
    r"""Return :math:`\sqrt{s'} \cos(\theta/2)` and :math:`\tan(\theta/2)`."""
    before, after = root(weight * var), root(weight * var + bias)
    along = root(0.5 * (after + before))
    tangent = root(jnp.asarray(bias, var.dtype)) / jnp.where(after > 0, after + before, 1.0)
    return along, tangent


def _subtracted(weight: Any, bias: Any, cov: Array, var1: Array, var2: Array, gap: Array) -> Array:
    """Return the same by subtraction: less accurate, but smooth where a variance was zero."""
    del gap
    mean = root(weight * var1 + bias)[:, None] * root(weight * var2 + bias)[None]
    return mean - jnp.abs(weight * cov + bias)


_widened = jax.custom_jvp(_turned_apart)


@_widened.defjvp
def _widened_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Array, Array]:
    found, change = jax.jvp(_turned_apart, primals, tangents)
    _, smooth = jax.jvp(_subtracted, primals, tangents)
    zero = (primals[3] == 0)[:, None] | (primals[4] == 0)[None]
    return found, jnp.where(zero, smooth, change)


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
