"""Sine waves: random features of stationary kernels."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from ntk.layers.activations.elementwise import Expectations, Geometric, check_numbers
from ntk.layers.base import description
from ntk.layers.pair import Pair


@description
class Sin(Geometric):
    r"""The sine :math:`\sigma(x) = a \sin(b x + c)`.

    .. math:: \mathbb E[\sigma\sigma'] = \tfrac12 a^2 (E_- - E_+ \cos 2c), \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \tfrac12 a^2 b^2 (E_- + E_+ \cos 2c)

    with :math:`E_\mp = \exp(-\tfrac12 b^2\, \mathbb E (u \mp v)^2)` (Rahimi and Recht 2007).

    Parameters
    ----------
    a, b, c : float, default 1, 1, 0
        Amplitude, frequency and phase.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If one of them is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.asarray(1.0)
    >>> round(float(ntk.Sin().dual(one, one, one)), 6)  # (1 - exp(-2)) / 2
    0.432332
    """

    a: Any = 1.0
    b: Any = 1.0
    c: Any = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(self, "a", "b", "c")

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`a \sin(b x + c)`."""
        return jnp.asarray(self.a * jnp.sin(self.b * x + self.c))

    @property
    def squares(self) -> tuple[Any, Any]:
        r"""The numbers :math:`\sin^2 c` and :math:`\cos^2 c`."""
        return jnp.sin(self.c) ** 2, jnp.cos(self.c) ** 2

    def expectations(self, pair: Pair) -> Expectations:
        """Return both duals, without cancellation between the two exponentials."""
        frequency = self.b**2
        near = jnp.exp(-frequency * pair.half_square_difference)
        far = jnp.exp(-frequency * pair.half_square_sum)
        size = jnp.maximum(near, far) * -jnp.expm1(-2.0 * frequency * jnp.abs(pair.cov))
        difference = jnp.where(pair.cov >= 0, size, -size)
        sine, cosine = self.squares
        half = 0.5 * self.a**2
        return Expectations(
            half * (difference + 2.0 * sine * far),
            half * frequency * (difference + 2.0 * cosine * far),
        )


@description
class Cos(Sin):
    r"""The cosine :math:`\sigma(x) = a \cos(b x + c)`.

    .. math:: \mathbb E[\sigma\sigma'] = \tfrac12 a^2 (E_- + E_+ \cos 2c), \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \tfrac12 a^2 b^2 (E_- - E_+ \cos 2c)

    with :math:`E_\mp` as for :class:`ntk.Sin` (Rahimi and Recht 2007).

    Parameters
    ----------
    a, b, c : float, default 1, 1, 0
        Amplitude, frequency and phase.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If one of them is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> zero = jnp.asarray(0.0)
    >>> float(ntk.Cos().dual(zero, zero, zero))
    1.0
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`a \cos(b x + c)`."""
        return jnp.asarray(self.a * jnp.cos(self.b * x + self.c))

    @property
    def squares(self) -> tuple[Any, Any]:
        r"""Those of the sine's phase, a quarter of a turn further."""
        return jnp.cos(self.c) ** 2, jnp.sin(self.c) ** 2


@description
class Rbf(Geometric):
    r"""The wave whose dual is the Gaussian kernel.

    With :math:`\sigma(x) = \sqrt2 \sin(\sqrt{2\gamma}\, x + \pi/4)`

    .. math:: \mathbb E[\sigma\sigma'] = e^{-\gamma\, \mathbb E (u - v)^2}, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = 2 \gamma\, e^{-\gamma\, \mathbb E (u - v)^2}

    (Rahimi and Recht 2007, section 3).

    Parameters
    ----------
    gamma : float, default 1
        The factor of the squared distance, not negative.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is not a finite number, or negative.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> zero, one = jnp.asarray(0.0), jnp.asarray(1.0)
    >>> round(float(ntk.Rbf(0.5).dual(zero, one, one)), 6)  # exp(-1)
    0.367879
    """

    gamma: Any = 1.0

    def __post_init__(self) -> None:
        """Check the number."""
        check_numbers(self, "gamma", least=0.0)

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`\sqrt2 \sin(\sqrt{2\gamma}\, x + \pi/4)`."""
        # The sum form: a sine and a cosine of equal weight, and no rounding of the phase.
        angle = jnp.sqrt(2.0 * self.gamma) * x
        return jnp.sin(angle) + jnp.cos(angle)

    def expectations(self, pair: Pair) -> Expectations:
        """Return the Gaussian kernel, whose exponent does not cancel."""
        frequency = 2.0 * self.gamma
        dual = jnp.exp(-frequency * pair.half_square_difference)
        return Expectations(dual, frequency * dual)
