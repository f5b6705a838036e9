r"""The arcsine and its integral as polynomials: a few multiplications for each entry of an array.

``jnp.arccos`` and ``jnp.arctan2`` call a scalar routine for each entry on a CPU, at about ten
times the cost.
"""

from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.polynomial import Chebyshev, Polynomial

TERMS = {4: 9, 8: 20}
"""How many coefficients reach the rounding error of a number of 4 or 8 bytes."""


def arcsine_series(square: Float[Array, "..."]) -> Float[Array, "..."]:
    r"""Return :math:`A(s^2) = \arcsin(s) / s` for :math:`s^2 \in [0, 1/2]`, to rounding.

    Parameters
    ----------
    square : Array
        The numbers :math:`s^2`.

    Returns
    -------
    Array
        The quotient, 1 at 0.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.layers.arcsine import arcsine_series
    >>> round(float(arcsine_series(jnp.asarray(0.25))), 5)  # (pi / 6) / (1 / 2)
    1.0472
    """
    return _horner(_coefficients(_terms(square)), square)


def integral_series(square: Float[Array, "..."]) -> Float[Array, "..."]:
    r"""Return :math:`s^{-3} \int_0^{s^2} 2 \sqrt t\, A(t)\, dt` with the series :math:`A` above.

    Parameters
    ----------
    square : Array
        The numbers :math:`s^2 \in [0, 1/2]`.

    Returns
    -------
    Array
        The integral in units of :math:`s^3`, 4/3 at 0.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.layers.arcsine import integral_series
    >>> round(float(integral_series(jnp.asarray(0.0))), 5)
    1.33333
    """
    terms = _terms(square)
    integrated = [4.0 * a / (2 * k + 3) for k, a in enumerate(_coefficients(terms))]
    return _horner(integrated, square)


def _terms(array: Array) -> int:
    return TERMS[8 if array.dtype.itemsize == 8 else 4]


def _horner(coefficients: Any, square: Array) -> Array:
    total = jnp.full_like(square, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * square + coefficient
    return total


@cache
def _coefficients(terms: int) -> tuple[float, ...]:
    """Interpolate at Chebyshev's points: within a small factor of the best polynomial."""

    def quotient(square: Any) -> Any:
        s = np.sqrt(square)
        return np.arcsin(s) / s

    interpolant = Chebyshev.interpolate(quotient, terms - 1, domain=[0.0, 0.5])
    return tuple(map(float, interpolant.convert(kind=Polynomial).coef))
