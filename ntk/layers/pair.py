r"""Geometry of a centred Gaussian pair, accurate to rounding where the two almost coincide.

A pair :math:`(u, v)` has the covariance :math:`c` and the variances :math:`v_1, v_2`. The dual of
a kinked activation depends on the angle between the two, and near zero the angle is a square root
of the rounding of :math:`c`: single precision would know it to 3e-4 only. A pair therefore carries

.. math:: g = \sqrt{v_1 v_2} - |c| = 2 \sqrt{v_1 v_2}\, \sin^2(\psi / 2),

with :math:`\psi \in [0, \pi/2]` the acute angle, found without cancellation at the input
(:mod:`ntk.inputs`) and kept so by the layers. Derivatives that are infinite where a pair is
collinear are replaced by those along directions which keep it collinear, namely none.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ntk.checks import rounding
from ntk.layers.arcsine import arcsine_series, integral_series
from ntk.pytrees import register

Entry = Float[Array, "..."]


@register
@dataclasses.dataclass(frozen=True)
class Pair:
    """Covariance, variances and gap of Gaussian pairs: arrays that broadcast.

    Attributes
    ----------
    cov, var1, var2 : Array
        The covariance and the two variances.
    gap : Array
        The geometric mean of the variances less the absolute covariance, not negative.
    """

    cov: Entry
    var1: Entry
    var2: Entry
    gap: Entry

    @classmethod
    def of(cls, cov: Entry, var1: Entry, var2: Entry) -> "Pair":
        """Return the pair with a gap found by subtraction.

        A gap of a few units in the last place is rounding of ``cov``. Its square root, the angle,
        is not small: without taking it for zero, exact duplicates would be told apart.
        """
        cov, var1, var2 = jnp.broadcast_arrays(cov, var1, var2)
        mean = root(var1) * root(var2)
        gap = mean - jnp.where(cov >= 0, cov, -cov)
        coincident = gap <= 4 * rounding(cov.dtype) * mean
        return cls(cov, var1, var2, gap - jax.lax.stop_gradient(jnp.where(coincident, gap, 0.0)))

    @classmethod
    def diagonal(cls, var: Entry) -> "Pair":
        """Return the pair of a variable and itself."""
        return cls(var, var, var, jnp.zeros_like(var))

    @property
    def mean(self) -> Entry:
        r"""The geometric mean :math:`\sqrt{v_1 v_2}`, without the product that overflows."""
        return root(self.var1) * root(self.var2)

    @property
    def half_sine(self) -> Entry:
        r"""The number :math:`\sin(\psi / 2) \le \sqrt{1/2}`, 0 for a pair of zeros."""
        return root(self.gap * (_half_inverse_root(self.var1) * _half_inverse_root(self.var2)))

    @property
    def angle(self) -> Entry:
        r"""The angle :math:`\phi \in [0, \pi]`, 0 for a pair of zeros."""
        acute = acute_angle(self.half_sine)
        return jnp.where(self.cov >= 0, acute, jnp.pi - acute)

    @property
    def determinant(self) -> Entry:
        r"""The determinant :math:`v_1 v_2 - c^2 = g (2 \sqrt{v_1 v_2} - g)`."""
        return determinant(self.cov, self.var1, self.var2, self.gap)

    @property
    def half_square_difference(self) -> Entry:
        r"""The number :math:`\tfrac12 \mathbb E (u - v)^2 = \tfrac12 (v_1 + v_2) - c`."""
        return _half_square(self.cov, self.var1, self.var2, self.gap)

    @property
    def half_square_sum(self) -> Entry:
        r"""The number :math:`\tfrac12 \mathbb E (u + v)^2 = \tfrac12 (v_1 + v_2) + c`."""
        return _half_square(-self.cov, self.var1, self.var2, self.gap)


@jax.custom_jvp
def determinant(cov: Entry, var1: Entry, var2: Entry, gap: Entry) -> Entry:
    r"""Return :math:`v_1 v_2 - c^2 = g (2 \sqrt{v_1 v_2} - g)`, the second for its accuracy.

    The derivative is that of the first, which is smooth where a variance is zero.
    """
    del cov
    return gap * (2.0 * root(var1) * root(var2) - gap)


@determinant.defjvp
def _determinant_jvp(
    primals: tuple[Entry, Entry, Entry, Entry], tangents: tuple[Entry, Entry, Entry, Entry]
) -> tuple[Entry, Entry]:
    cov, var1, var2, _ = primals
    change, change1, change2, _ = tangents
    return determinant(*primals), var2 * change1 + var1 * change2 - 2.0 * cov * change


@jax.custom_jvp
def _half_square(cov: Entry, var1: Entry, var2: Entry, gap: Entry) -> Entry:
    r"""Return :math:`\tfrac12 (v_1 + v_2) - c` without cancellation, and its plain derivative."""
    root1, root2 = root(var1), root(var2)
    return jnp.where(cov >= 0, gap, root1 * root2 - cov) + 0.5 * (root1 - root2) ** 2


@_half_square.defjvp
def _half_square_jvp(
    primals: tuple[Entry, Entry, Entry, Entry], tangents: tuple[Entry, Entry, Entry, Entry]
) -> tuple[Entry, Entry]:
    change, change1, change2, _ = tangents
    return _half_square(*primals), 0.5 * (change1 + change2) - change


@jax.custom_jvp
def root(var: Entry) -> Entry:
    """Return the square root, with derivative zero at zero."""
    return jnp.sqrt(var)


@root.defjvp
def _root_jvp(primals: tuple[Entry], tangents: tuple[Entry]) -> tuple[Entry, Entry]:
    (var,), (change,) = primals, tangents
    positive = var > 0
    slope = 0.5 * jax.lax.rsqrt(jnp.where(positive, var, 1.0))
    return root(var), jnp.where(positive, slope * change, 0.0)


def _half_inverse_root(var: Entry) -> Entry:
    positive = var > 0
    return jnp.where(positive, jax.lax.rsqrt(2.0 * jnp.where(positive, var, 0.5)), 0.0)


@jax.custom_jvp
def acute_angle(half_sine: Entry) -> Entry:
    r"""Return :math:`\psi = 2 \arcsin s` for :math:`s = \sin(\psi/2) \le \sqrt{1/2}`."""
    return 2.0 * half_sine * arcsine_series(half_sine * half_sine)


@acute_angle.defjvp
def _acute_angle_jvp(primals: tuple[Entry], tangents: tuple[Entry]) -> tuple[Entry, Entry]:
    (s,), (ds,) = primals, tangents
    return acute_angle(s), 2.0 * ds * jax.lax.rsqrt(1.0 - s * s)


@jax.custom_jvp
def opposition(half_sine: Entry) -> Entry:
    r"""Return :math:`\sin\psi - \psi \cos\psi` for :math:`s = \sin(\psi/2)`.

    Times :math:`\sqrt{v_1 v_2} / 2\pi` it is :math:`\mathbb E[\max(u, 0) \max(-v, 0)]`, what a
    pair of acute angle yields on opposite sides of zero (Cho and Saul 2009, section 2, at
    :math:`\pi - \psi`).
    """
    # Its derivative by s^2 is 2 psi, so that the integral of the series has it without the
    # cancellation between the two terms.
    square = half_sine * half_sine
    return 2.0 * square * half_sine * integral_series(square)


@opposition.defjvp
def _opposition_jvp(primals: tuple[Entry], tangents: tuple[Entry]) -> tuple[Entry, Entry]:
    (s,), (ds,) = primals, tangents
    return opposition(s), 4.0 * s * acute_angle(s) * ds
