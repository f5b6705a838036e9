"""The exponential linear unit: smooth on either side of zero, by quadrature."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from ntk.layers.activations.elementwise import Expectations, Geometric, check_numbers
from ntk.layers.activations.polar import ENTIRE, polar_duals
from ntk.layers.base import description
from ntk.layers.pair import Pair


@description
class Elu(Geometric):
    r"""The exponential linear unit: :math:`x` above zero and :math:`\alpha (e^x - 1)` below.

    Both duals are integrals in polar coordinates, whose sectors leave
    the kink at zero on a border:

    .. math:: \mathbb E[\sigma\sigma'] &= \frac1{2\pi} \int_0^{2\pi}\!\! \int_0^\infty
              \sigma(\sqrt{v_1}\, r \cos\varphi) \\
              &\quad \sigma(\sqrt{v_2}\, r \cos(\varphi - \phi))\, r e^{-r^2/2}\, dr\, d\varphi .

    What the quadrature leaves out is less than 1e-12 (float64) of :math:`\sqrt{K(x, x) K(x',
    x')}` for standard deviations up to 100, and 1e-8 up to 1e6 and beyond; in float32 it is
    below 1e-6. A kernel of 500 inputs takes seconds a layer, ten times that if their standard
    deviations exceed 16. (A closed form with bivariate normal integrals is in Tsuchida et al.
    2021, section 3; for small and for large inputs its terms cancel.)

    Parameters
    ----------
    alpha : float, default 1
        The negative of the limit at :math:`-\infty`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.asarray(1.0)
    >>> round(float(ntk.Elu().dual(one, one, one)), 4)
    0.6449
    """

    alpha: Any = 1.0

    def __post_init__(self) -> None:
        """Check the number."""
        check_numbers(self, "alpha")

    def function(self, x: Array) -> Array:
        r"""Evaluate the function."""
        return jnp.where(x >= 0, x, self.alpha * jnp.expm1(jnp.minimum(x, 0.0)))

    def derivative(self, x: Array) -> Array:
        """Evaluate its derivative, 1 at zero."""
        return jnp.where(x >= 0, 1.0, self.alpha * jnp.exp(jnp.minimum(x, 0.0)))

    def expectations(self, pair: Pair) -> Expectations:
        """Return both duals."""
        return Expectations(*polar_duals(self.function, self.derivative, pair, ENTIRE))
