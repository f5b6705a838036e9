r"""Gaussian pairs with independent noise added: the geometry behind erf, GELU and their kin.

Smooth steps are averages of steps over Gaussian noise, for example :math:`\operatorname{erf}(x)
= \mathbb E \operatorname{sign}(x + \epsilon / \sqrt 2)` with a standard normal
:math:`\epsilon`. Their duals are therefore those of kinked functions at the pair :math:`(u +
\tau_1 \epsilon_1, v + \tau_2 \epsilon_2)`, and follow from its cosine and sine.
"""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp

from ntk.layers.arcsine import arcsine_series
from ntk.layers.pair import Entry, Pair, determinant


@dataclasses.dataclass(frozen=True)
class Noisy:
    r"""A pair with noise: scale, cosine, and what share of each variance is noise.

    Attributes
    ----------
    scale : Array
        The geometric mean :math:`r = \sqrt{V_1 V_2}` of the variances :math:`V_i = v_i +
        \tau_i^2`.
    cosine, sine_square : Array
        :math:`x = c / r` and :math:`1 - x^2`; the latter is a sum of positive terms, exact to
        rounding for any norm.
    share1, share2 : Array
        What is noise, :math:`p_i = \tau_i^2 / V_i`.
    rest1, rest2 : Array
        What is not, :math:`v_i / V_i = 1 - p_i`.
    """

    scale: Entry
    cosine: Entry
    sine_square: Entry
    share1: Entry
    share2: Entry
    rest1: Entry
    rest2: Entry

    @classmethod
    def of(cls, pair: Pair, noise1: Any, noise2: Any = None) -> "Noisy":
        r"""Add noise of the variances :math:`\tau_1^2, \tau_2^2 > 0` (equal, if one is given)."""
        noise2 = noise1 if noise2 is None else noise2
        inverse1, inverse2 = (
            jax.lax.rsqrt(v + noise) for v, noise in ((pair.var1, noise1), (pair.var2, noise2))
        )
        share1, share2 = noise1 * inverse1**2, noise2 * inverse2**2
        rest1, rest2 = pair.var1 * inverse1**2, pair.var2 * inverse2**2
        inverse = inverse1 * inverse2
        cosine = pair.cov * inverse
        return cls(
            jnp.sqrt(pair.var1 + noise1) * jnp.sqrt(pair.var2 + noise2),
            cosine,
            share1 + rest1 * share2 + determinant(cosine, rest1, rest2, pair.gap * inverse),
            share1,
            share2,
            rest1,
            rest2,
        )

    @property
    def sine(self) -> Entry:
        r"""The number :math:`\sqrt{1 - x^2} > 0`."""
        return jnp.sqrt(self.sine_square)

    @property
    def arcsine(self) -> Entry:
        r"""The number :math:`\arcsin x`, to rounding near 0 and near :math:`\pm\pi/2`."""
        return arcsine(self.cosine, self.sine_square)


@jax.custom_jvp
def arcsine(x: Entry, cosine_square: Entry) -> Entry:
    r"""Return :math:`\arcsin x`, given :math:`1 - x^2` as well.

    Parameters
    ----------
    x, cosine_square : Array
        The numbers :math:`x \in [-1, 1]` and :math:`1 - x^2`. The second is used where the first
        is near :math:`\pm 1`.

    Returns
    -------
    Array
        The angles; the derivative is taken with respect to ``x`` alone.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.layers.activations.noisy import arcsine
    >>> x = jnp.asarray(0.5)
    >>> round(float(arcsine(x, 1 - x**2)), 6)  # pi / 6
    0.523599
    """
    size = jnp.abs(x)
    square = x * x
    shallow = square <= 0.5
    # Beyond 45 degrees by the complement, pi/2 - 2 arcsin sqrt((1 - |x|) / 2).
    half = jnp.where(shallow, square, 0.5 * cosine_square / (1.0 + size))
    angle = jnp.where(shallow, size, jnp.sqrt(half)) * arcsine_series(half)
    angle = jnp.where(shallow, angle, 0.5 * math.pi - 2.0 * angle)
    return jnp.where(x >= 0, angle, -angle)


@arcsine.defjvp
def _arcsine_jvp(primals: tuple[Entry, Entry], tangents: tuple[Any, Any]) -> tuple[Entry, Entry]:
    x, cosine_square = primals
    return arcsine(x, cosine_square), tangents[0] * jax.lax.rsqrt(cosine_square)
