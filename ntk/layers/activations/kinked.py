"""Activations with a kink at zero: two straight halves, or a step."""

import abc
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from ntk import checks
from ntk.layers.activations.elementwise import Expectations, Geometric
from ntk.layers.base import description
from ntk.layers.pair import Pair, acute_angle, opposition


class TwoSlopes(Geometric):
    r"""A function that is linear on either side of zero.

    With the slopes :math:`a` above and :math:`b` below zero, the acute angle :math:`\psi` of the
    pair and :math:`P = \sqrt{v_1 v_2}\,(\sin\psi - \psi \cos\psi) / 2\pi` (from Cho and Saul
    2009, section 2)

    .. math:: \mathbb E[\sigma\sigma'] = (a - b)^2 P + \begin{cases}
              \tfrac12 (a^2 + b^2)\, c & c \ge 0 \\ a b\, c & c < 0 \end{cases}, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \frac{a^2 + b^2}{2}
              - (a - b)^2 \frac{\phi}{2\pi}.
    """

    homogeneous: ClassVar[bool] = True

    @property
    @abc.abstractmethod
    def slopes(self) -> tuple[Any, Any]:
        """The slopes above and below zero."""

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`a \max(x, 0) + b \min(x, 0)`."""
        above, below = self.slopes
        return jnp.where(x >= 0, above * x, below * x)

    def expectations(self, pair: Pair) -> Expectations:
        """Return the arc-cosine kernels of orders 1 and 0, and the gap without cancellation."""
        above, below = self.slopes
        square, kink = 0.5 * (above**2 + below**2), (above - below) ** 2
        acute, half_sine = pair.cov >= 0, pair.half_sine
        bend = (kink / (2.0 * jnp.pi)) * pair.mean * opposition(half_sine)
        dual = bend + jnp.where(acute, square, above * below) * pair.cov
        angle = (kink / (2.0 * jnp.pi)) * acute_angle(half_sine)
        derivative = jnp.where(acute, square - angle, square - 0.5 * kink + angle)
        gap = jnp.where(acute, square * pair.gap - bend, self._obtuse_gap(pair, bend, dual))
        return Expectations(dual, derivative, gap)

    def _obtuse_gap(self, pair: Pair, bend: Array, dual: Array) -> Array:
        above, below = self.slopes
        if isinstance(below, float) and below == 0:  # the dual is not negative
            half: Array = 0.5 * above**2 * pair.mean
            return half - bend
        product = above * below
        return jnp.where(
            dual >= 0,
            0.5 * (above + below) ** 2 * pair.mean - product * pair.gap - bend,
            0.5 * (above - below) ** 2 * pair.mean + product * pair.gap + bend,
        )


@description
class Relu(TwoSlopes):
    r"""The rectifier :math:`\sigma(x) = \max(x, 0)`.

    With :math:`\phi` the angle of the pair (Cho and Saul 2009, section 2)

    .. math:: \mathbb E[\sigma\sigma'] = \frac{\sqrt{v_1 v_2}}{2\pi}
              \bigl(\sin\phi + (\pi - \phi) \cos\phi\bigr), \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \frac{\pi - \phi}{2\pi}.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> float(ntk.Relu().dual(jnp.asarray(1.0), jnp.asarray(1.0), jnp.asarray(1.0)))
    0.5
    """

    @property
    def slopes(self) -> tuple[float, float]:
        """One and zero."""
        return 1.0, 0.0

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`\max(x, 0)`, with derivative 0 at 0."""
        return jax.nn.relu(x)


@description
class LeakyRelu(TwoSlopes):
    r"""The rectifier with a slope below zero, :math:`\sigma(x) = \max(x, 0) + \alpha \min(x, 0)`.

    Parameters
    ----------
    alpha : float, default 0.01
        The slope below zero.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If ``alpha`` is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.kernel(ntk.mlp(1, activation=ntk.LeakyRelu(0.5)), jnp.eye(2)).nngp[0, 0].item()
    0.3125
    """

    alpha: Any = 0.01

    def __post_init__(self) -> None:
        """Check the slope."""
        object.__setattr__(self, "alpha", checks.number("alpha", self.alpha))

    @property
    def slopes(self) -> tuple[float, Any]:
        r"""One and :math:`\alpha`."""
        return 1.0, self.alpha


@description
class ABRelu(TwoSlopes):
    r"""Any two slopes, :math:`\sigma(x) = a \min(x, 0) + b \max(x, 0)`.

    Parameters
    ----------
    a, b : float
        The slopes below and above zero.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a slope is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> [float(y) for y in ntk.ABRelu(-1.0, 2.0).apply((), jnp.asarray([-3.0, 3.0]))]
    [3.0, 6.0]
    """

    a: Any
    b: Any

    def __post_init__(self) -> None:
        """Check the slopes."""
        object.__setattr__(self, "a", checks.number("a", self.a))
        object.__setattr__(self, "b", checks.number("b", self.b))

    @property
    def slopes(self) -> tuple[Any, Any]:
        r"""The slopes :math:`b` above and :math:`a` below zero."""
        return self.b, self.a


@description
class Abs(TwoSlopes):
    r"""The absolute value :math:`\sigma(x) = |x|`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> x = jnp.asarray([[1.0, 0.0], [-1.0, 0.0]])
    >>> round(ntk.kernel(ntk.mlp(1, activation="abs"), x).nngp[0, 1].item(), 6)
    0.5
    """

    @property
    def slopes(self) -> tuple[float, float]:
        """One and minus one."""
        return 1.0, -1.0


@description
class Sign(Geometric):
    r"""The sign of :math:`x`, with :math:`\sigma(0) = 0`.

    .. math:: \mathbb E[\sigma\sigma'] = 1 - \frac{2 \phi}{\pi}

    (Cho and Saul 2009, the kernel of order 0). The gradient of a finite network stops at a step,
    whose derivative is zero almost everywhere, and so does the tangent kernel:
    :math:`\mathbb E[\dot\sigma\dot\sigma']` is taken as 0.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.kernel(ntk.mlp(1, activation="sign"), jnp.eye(2)).nngp[0, 0].item()
    1.0
    """

    @property
    def jumps(self) -> bool:
        """It does, at zero."""
        return True

    def function(self, x: Array) -> Array:
        """Evaluate the sign."""
        return jnp.sign(x)

    def expectations(self, pair: Pair) -> Expectations:
        """Return the kernel of order 0, a derivative of zero, and the gap."""
        gap = (2.0 / jnp.pi) * acute_angle(pair.half_sine)
        size = 1.0 - gap
        apart_from_zero = (pair.var1 > 0) & (pair.var2 > 0)
        dual = jnp.where(apart_from_zero, jnp.where(pair.cov >= 0, size, -size), 0.0)
        return Expectations(dual, jnp.zeros_like(dual), gap)
