"""The activations with a closed dual, and their names."""

import math

import jax
import jax.numpy as jnp
from jax import Array

from ntk import checks
from ntk.layers.base import description
from ntk.layers.elementwise import Elementwise, Entry
from ntk.layers.gaussian import angle, area, determinant


@jax.custom_jvp
def _relu_dual(cov: Entry, var1: Entry, var2: Entry) -> Entry:
    phi = angle(cov, var1, var2)
    return 0.5 * cov * (1.0 - phi / math.pi) + area(cov, var1, var2) / (2.0 * math.pi)


@_relu_dual.defjvp
def _relu_dual_jvp(
    primals: tuple[Entry, Entry, Entry], tangents: tuple[Entry, Entry, Entry]
) -> tuple[Entry, Entry]:
    # Differentiating the terms one by one gives infinities that cancel; their sum is this.
    cov, var1, var2 = primals
    dcov, dvar1, dvar2 = tangents
    phi, s = angle(cov, var1, var2), area(cov, var1, var2)
    relative = sum(
        jnp.where(v > 0, dv / jnp.where(v > 0, v, 1.0), 0.0)
        for v, dv in ((var1, dvar1), (var2, dvar2))
    )
    slope = 0.5 * (1.0 - phi / math.pi)
    return _relu_dual(cov, var1, var2), slope * dcov + s * relative / (4.0 * math.pi)


@description
class Relu(Elementwise):
    r"""The rectifier :math:`\sigma(x) = \max(x, 0)`.

    With :math:`\phi` the angle of the pair (Cho and Saul 2009, equations 3, 4 and 6)

    .. math:: \mathbb E[\sigma\sigma'] = \frac{\sqrt{v_1 v_2}}{2\pi}
              \bigl(\sin\phi + (\pi - \phi) \cos\phi\bigr), \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \frac{\pi - \phi}{2\pi}.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> float(ntk.Relu().dual(jnp.asarray(1.0), jnp.asarray(1.0), jnp.asarray(1.0)))
    0.5
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`\max(x, 0)`, with derivative 0 at 0."""
        return jax.nn.relu(x)

    def dual(self, cov: Entry, var1: Entry, var2: Entry) -> Entry:
        r"""Return :math:`\mathbb E[\sigma\sigma']`, the arc-cosine kernel of order 1, halved."""
        return _relu_dual(*jnp.broadcast_arrays(cov, var1, var2))

    def dual_derivative(self, cov: Entry, var1: Entry, var2: Entry) -> Entry:
        r"""Return :math:`(\pi - \phi) / 2\pi`, the probability that both are active."""
        phi = angle(*jnp.broadcast_arrays(cov, var1, var2))
        return 0.5 * (1.0 - phi / math.pi)


@description
class Erf(Elementwise):
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

    def dual(self, cov: Entry, var1: Entry, var2: Entry) -> Entry:
        r"""Return the arcsine kernel, written with atan2 to be accurate for huge inputs."""
        return (2.0 / math.pi) * jnp.arctan2(2.0 * cov, jnp.sqrt(_erf_q(cov, var1, var2)))

    def dual_derivative(self, cov: Entry, var1: Entry, var2: Entry) -> Entry:
        r"""Return :math:`4 / (\pi \sqrt q)`."""
        return (4.0 / math.pi) / jnp.sqrt(_erf_q(cov, var1, var2))


def _erf_q(cov: Entry, var1: Entry, var2: Entry) -> Entry:
    pair = jnp.broadcast_arrays(cov, var1, var2)
    return 1.0 + 2.0 * (var1 + var2) + 4.0 * determinant(*pair)


ACTIVATIONS: dict[str, type[Elementwise]] = {"relu": Relu, "erf": Erf}
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
