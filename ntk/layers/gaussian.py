r"""Geometry of a centred Gaussian pair, safe on the diagonal and at the origin.

A pair :math:`(u, v)` has the covariance :math:`c` and the variances :math:`v_1, v_2`. Duals of
kinked activations depend on the angle between the two, whose derivative is infinite where the
pair is collinear. The rules below give the derivative that a collinear pair has along directions
which keep it collinear, namely none, and never a NaN.
"""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ntk.checks import rounding

Entry = Float[Array, "..."]


def _geometric_mean(var1: Entry, var2: Entry) -> Entry:
    # Exactly var on the diagonal, and without the product that overflows for huge inputs.
    return jnp.where(var1 == var2, var1, jnp.sqrt(var1) * jnp.sqrt(var2))


def _divide_or_zero(numerator: Entry, denominator: Entry) -> Entry:
    safe = jnp.where(denominator > 0, denominator, 1.0)
    return jnp.where(denominator > 0, numerator / safe, 0.0)


def _area(cov: Entry, var1: Entry, var2: Entry) -> Entry:
    mean = _geometric_mean(var1, var2)
    gap = mean - jnp.abs(cov)
    # A gap of a few units in the last place is rounding of `cov`. Its square root is not small:
    # without this, exact duplicates would be told apart by sqrt(eps).
    gap = jnp.where(gap <= 4 * rounding(cov.dtype) * mean, 0.0, gap)
    return jnp.sqrt(gap) * jnp.sqrt(mean + jnp.abs(cov))


@jax.custom_jvp
def area(cov: Entry, var1: Entry, var2: Entry) -> Entry:
    r"""Return the area :math:`s = \sqrt{v_1 v_2 - c^2}` that the pair spans."""
    return _area(cov, var1, var2)


@area.defjvp
def _area_jvp(
    primals: tuple[Entry, Entry, Entry], tangents: tuple[Entry, Entry, Entry]
) -> tuple[Entry, Entry]:
    cov, var1, var2 = primals
    dcov, dvar1, dvar2 = tangents
    s = area(cov, var1, var2)
    return s, _divide_or_zero(0.5 * (var2 * dvar1 + var1 * dvar2) - cov * dcov, s)


@jax.custom_jvp
def angle(cov: Entry, var1: Entry, var2: Entry) -> Entry:
    r"""Return the angle :math:`\phi = \operatorname{atan2}(s, c) \in [0, \pi]`, 0 at 0."""
    return jnp.arctan2(_area(cov, var1, var2), cov)


@angle.defjvp
def _angle_jvp(
    primals: tuple[Entry, Entry, Entry], tangents: tuple[Entry, Entry, Entry]
) -> tuple[Entry, Entry]:
    cov, var1, var2 = primals
    dcov, dvar1, dvar2 = tangents
    relative = _divide_or_zero(dvar1, var1) + _divide_or_zero(dvar2, var2)
    turn = _divide_or_zero(0.5 * cov * relative - dcov, area(cov, var1, var2))
    return angle(cov, var1, var2), turn


@jax.custom_jvp
def determinant(cov: Entry, var1: Entry, var2: Entry) -> Entry:
    r"""Return the determinant :math:`v_1 v_2 - c^2 \ge 0`, factored so as not to cancel."""
    return _area(cov, var1, var2) ** 2


@determinant.defjvp
def _determinant_jvp(
    primals: tuple[Entry, Entry, Entry], tangents: tuple[Entry, Entry, Entry]
) -> tuple[Entry, Entry]:
    cov, var1, var2 = primals
    dcov, dvar1, dvar2 = tangents
    return determinant(cov, var1, var2), var2 * dvar1 + var1 * dvar2 - 2.0 * cov * dcov
