"""Exponentials of the input and of its square."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.errors import InvalidTypeError
from ntk.layers.activations.elementwise import Expectations, Geometric, check_numbers
from ntk.layers.activations.noisy import Noisy
from ntk.layers.base import description
from ntk.layers.pair import Pair


@description
class Exp(Geometric):
    r"""The exponential :math:`\sigma(x) = a\, e^{b x}`.

    .. math:: \mathbb E[\sigma\sigma'] = a^2 e^{b^2 \mathbb E (u + v)^2 / 2}, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = b^2\, \mathbb E[\sigma\sigma']

    (the moments of a log-normal variable; as a dual in Daniely et al. 2016, appendix). They grow
    so fast that a norm of 10 overflows single precision; the kernel is infinite then.

    Parameters
    ----------
    a, b : float, default 1
        Scale of the output and of the input.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If one of them is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> zero, one = jnp.asarray(0.0), jnp.asarray(1.0)
    >>> round(float(ntk.Exp().dual(zero, one, one)), 5)  # e
    2.71828
    """

    a: Any = 1.0
    b: Any = 1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(self, "a", "b")

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`a\, e^{b x}`."""
        return jnp.asarray(self.a * jnp.exp(self.b * x))

    def expectations(self, pair: Pair) -> Expectations:
        """Return the exponential kernel."""
        dual = self.a**2 * jnp.exp(self.b**2 * pair.half_square_sum)
        return Expectations(dual, self.b**2 * dual)


@description
class ExpNormalized(Geometric):
    r"""The normalised Gaussian kernel, :math:`K \mapsto \sqrt{v_1 v_2}\, e^{\gamma (\rho + s)}`.

    A kernel without a scalar function behind it (Shankar et al. 2020, page 6): a finite network
    with this layer cannot be evaluated. With :math:`\rho = c / \sqrt{v_1 v_2}` the derivative's
    dual is :math:`\gamma\, e^{\gamma (\rho + s)}`.

    Parameters
    ----------
    gamma : float, default 1
        The factor :math:`\gamma` of the exponent, not negative.
    shift : float, default -1
        The shift :math:`s`; with -1 the diagonal is kept.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If one of them is not a finite number, or ``gamma`` is negative.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> zero, one = jnp.asarray(0.0), jnp.asarray(1.0)
    >>> round(float(ntk.ExpNormalized(2.0).dual(zero, one, one)), 6)  # exp(-2)
    0.135335
    """

    gamma: Any = 1.0
    shift: Any = -1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(self, "gamma", least=0.0)
        check_numbers(self, "shift")

    def function(self, x: Array) -> Array:
        """Raise: there is no such function."""
        del x
        raise InvalidTypeError(
            "ExpNormalized is a map of kernels, not a function of numbers: a finite network "
            "with it cannot be evaluated. ntk.Exp is the nearest activation that is one"
        )

    def expectations(self, pair: Pair) -> Expectations:
        """Return the kernel, its derivative, and the gap in terms of that of the pair."""
        apart = 2.0 * pair.half_sine**2
        exponent = self.gamma * jnp.where(pair.cov >= 0, -apart, apart - 2.0)  # of rho - 1
        mean, top = pair.mean, jnp.exp(self.gamma * (1.0 + self.shift))
        factor = top * jnp.exp(exponent)
        gap = -mean * top * jnp.expm1(exponent)
        return Expectations(mean * factor, self.gamma * factor, gap)


@description
class Gaussian(Geometric):
    r"""The bell curve :math:`\sigma(x) = a\, e^{b x^2}`, with :math:`b < 0` as a rule.

    With :math:`q = (1 - 2 b v_1)(1 - 2 b v_2) - 4 b^2 c^2` (a Gaussian integral; for radial
    units Williams 1997, section 3.2)

    .. math:: \mathbb E[\sigma\sigma'] = \frac{a^2}{\sqrt q}, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \frac{4 a^2 b^2 c}{q^{3/2}}.

    Parameters
    ----------
    a : float, default 1
        The height.
    b : float, default -1
        The factor in the exponent. If it is positive the moments diverge once the larger
        eigenvalue of the pair's covariance reaches :math:`1 / 2b`; they are infinite then.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If one of them is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> zero, one = jnp.asarray(0.0), jnp.asarray(1.0)
    >>> round(float(ntk.Gaussian().dual(zero, one, one)), 6)
    0.333333
    """

    a: Any = 1.0
    b: Any = -1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(self, "a", "b")

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`a\, e^{b x^2}`."""
        return jnp.asarray(self.a * jnp.exp(self.b * x**2))

    def expectations(self, pair: Pair) -> Expectations:
        """Return both duals, infinite where the integral diverges."""
        # The determinant of 1 - 2 b Sigma; for b < 0 a sum of positive terms.
        linear = -2.0 * self.b * (pair.var1 + pair.var2)
        q = 1.0 + linear + (2.0 * self.b) ** 2 * pair.determinant
        converges = (q > 0) & (1.0 + 0.5 * linear > 0)
        inverse = jax.lax.rsqrt(jnp.where(converges, q, 1.0))
        dual = jnp.where(converges, self.a**2 * inverse, jnp.inf)
        # Three factors one after another: the cube itself overflows for huge norms.
        derivative = ((2.0 * self.b) ** 2 * pair.cov * inverse * inverse) * dual
        return Expectations(dual, derivative)


@description
class Gabor(Geometric):
    r"""Gabor's function :math:`\sigma(x) = e^{-x^2} \sin x`.

    With :math:`q = (1 + 2 v_1)(1 + 2 v_2) - 4 c^2`, :math:`S = (v_1 + v_2 + 4 (v_1 v_2 - c^2)) /
    2 q` and :math:`t = c / q` (a Gaussian integral, tilted by the two exponentials of the sine)

    .. math:: \mathbb E[\sigma\sigma'] &= \frac{e^{-S} \sinh t}{\sqrt q}, \\
              \mathbb E[\dot\sigma\dot\sigma'] &= \frac{e^{-S}}{q^{3/2}} \bigl( (1 + 8 c\, t)
              \cosh t + 4\, t\, (q + 1 + v_1 + v_2) \sinh t \bigr).

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.asarray(1.0)
    >>> round(float(ntk.Gabor().dual(one, one, one)), 6)  # (1 - exp(-2/5)) / (2 sqrt(5))
    0.073719
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`e^{-x^2} \sin x`."""
        return jnp.exp(-(x**2)) * jnp.sin(x)

    def expectations(self, pair: Pair) -> Expectations:
        """Return both duals, from quotients that do not overflow."""
        noisy = Noisy.of(pair, 0.5)  # q = 4 r^2 (1 - x^2)
        square, shares = noisy.sine_square, noisy.share1 + noisy.share2
        t = 0.25 * noisy.cosine / (noisy.scale * square)
        height = jnp.exp(0.25 * shares / square - 0.5) * 0.5 / (noisy.scale * noisy.sine)
        even, odd = jnp.cosh(t), jnp.sinh(t)
        bend = (1.0 + 2.0 * noisy.cosine**2 / square) * (noisy.share1 * noisy.share2 / square)
        slope = 4.0 * t * (1.0 + 0.5 * shares / square)
        return Expectations(height * odd, height * (bend * even + slope * odd))
