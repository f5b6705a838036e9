"""The activations with a closed dual, and their names."""

import math

import jax
import jax.numpy as jnp
from jax import Array

from ntk import checks
from ntk.layers.base import description
from ntk.layers.elementwise import Elementwise, Expectations, Geometric
from ntk.layers.kinked import Abs, LeakyRelu, Relu, Sign
from ntk.layers.pair import Pair


@description
class Erf(Geometric):
    r"""The error function :math:`\sigma(x) = \operatorname{erf}(x)`.

    With :math:`q = (1 + 2 v_1)(1 + 2 v_2) - 4 c^2` (Williams 1997, equation 11)

    .. math:: \mathbb E[\sigma\sigma'] = \frac2\pi \arcsin
              \frac{2c}{\sqrt{(1 + 2 v_1)(1 + 2 v_2)}}, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \frac{4}{\pi \sqrt q}.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> half = jnp.asarray(0.5)
    >>> round(float(ntk.Erf().dual(half, half, half)), 6)
    0.333333
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`\operatorname{erf}`."""
        return jax.scipy.special.erf(x)

    def expectations(self, pair: Pair) -> Expectations:
        r"""Return the arcsine kernel, written with atan2 to be accurate for huge inputs."""
        q = 1.0 + 2.0 * (pair.var1 + pair.var2) + 4.0 * pair.determinant
        dual = (2.0 / math.pi) * jnp.arctan2(2.0 * pair.cov, jnp.sqrt(q))
        return Expectations(dual, (4.0 / math.pi) / jnp.sqrt(q))


ACTIVATIONS: dict[str, type[Elementwise]] = {
    "abs": Abs,
    "erf": Erf,
    "leaky_relu": LeakyRelu,
    "relu": Relu,
    "sign": Sign,
}
"""The names that :func:`ntk.mlp` understands."""


def activation(name: str | Elementwise) -> Elementwise:
    """Return the activation with this name; an activation passes unchanged.

    Raises
    ------
    InvalidValueError
        If the name is unknown; the message lists close matches.

    Examples
    --------
    >>> from ntk.layers import activation
    >>> activation("relu")
    Relu()
    """
    if isinstance(name, Elementwise):
        return name
    return ACTIVATIONS[checks.choice("activation", name, ACTIVATIONS)]()
