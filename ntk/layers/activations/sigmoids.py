"""Activations that saturate on either side: erf, and the logistic curve by averages of it."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.layers.activations.elementwise import Expectations, Geometric, check_numbers
from ntk.layers.activations.logistic import average
from ntk.layers.activations.noisy import Noisy
from ntk.layers.base import description
from ntk.layers.pair import Entry, Pair

HALF_TURN = 2.0 / math.pi


def _step_duals(noisy: Noisy) -> tuple[Entry, Entry]:
    r"""Return the duals of :math:`\mathbb E \operatorname{sign}(x + \tau \epsilon)`."""
    return HALF_TURN * noisy.arcsine, HALF_TURN / (noisy.scale * noisy.sine)


@description
class Erf(Geometric):
    r"""The error function, scaled and shifted: :math:`\sigma(x) = a \operatorname{erf}(b x) + c`.

    With :math:`q = (1 + 2 b^2 v_1)(1 + 2 b^2 v_2) - 4 b^4 k^2` and the covariance :math:`k`
    (Williams 1997, section 3.1)

    .. math:: \mathbb E[\sigma\sigma'] = \frac{2 a^2}\pi \arcsin
              \frac{2 b^2 k}{\sqrt{(1 + 2 b^2 v_1)(1 + 2 b^2 v_2)}} + c^2, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \frac{4 a^2 b^2}{\pi \sqrt q}.

    Parameters
    ----------
    a, b, c : float, default 1, 1, 0
        Scale of the output and of the input, and the shift of the output.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If one of them is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> half = jnp.asarray(0.5)
    >>> round(float(ntk.Erf().dual(half, half, half)), 6)
    0.333333
    """

    a: Any = 1.0
    b: Any = 1.0
    c: Any = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(self, "a", "b", "c")

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`a \operatorname{erf}(b x) + c`."""
        return jnp.asarray(self.a * jax.scipy.special.erf(self.b * x) + self.c)

    def expectations(self, pair: Pair) -> Expectations:
        r"""Return the arcsine kernel: a step that sees the pair through noise of variance 1/2."""
        output, square = self.a**2, self.b**2
        scaled = jax.tree.map(lambda part: square * part, pair)
        dual, derivative = _step_duals(Noisy.of(scaled, 0.5))
        return Expectations(output * dual + self.c**2, output * square * derivative)


SIGMOID_SCALE = 2.4020563531719796
"""For this scale :math:`s` the mean square of erf(x/s)/2 + 1/2 - sigmoid(x) on [-5, 5] is least."""


@description
class SigmoidLike(Erf):
    r"""A sigmoid with a closed dual, :math:`\tfrac12 \operatorname{erf}(x / s) + \tfrac12`.

    The scale :math:`s = 2.4020563531719796` makes it the closest to the logistic sigmoid, in mean
    square over :math:`[-5, 5]`; it is that of neural-tangents' ``Sigmoid_like``. For the duals see
    :class:`ntk.Erf`; for the logistic sigmoid itself :class:`ntk.Sigmoid`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> round(float(ntk.SigmoidLike().apply((), jnp.asarray(1.0))), 3)  # sigmoid(1) = 0.7311
    0.722
    """

    a: Any = 0.5
    b: Any = 1.0 / SIGMOID_SCALE
    c: Any = 0.5


@description
class Tanh(Geometric):
    r"""The hyperbolic tangent.

    It is a mean of error functions over the random scale :math:`\tau` of a logistic variable
    (Andrews and Mallows 1974), :math:`\tanh x = \mathbb E_\tau \operatorname{erf}(\sqrt2\, x /
    \tau)`, so that with :math:`V_i = v_i + \tau_i^2 / 4`

    .. math:: \mathbb E[\sigma\sigma'] = \mathbb E_{\tau_1, \tau_2}\, \frac2\pi \arcsin
              \frac{c}{\sqrt{V_1 V_2}}, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \mathbb E_{\tau_1, \tau_2}\,
              \frac{2}{\pi \sqrt{V_1 V_2 - c^2}}.

    A Gauss rule takes the outer mean. What it leaves out is less than 2e-14 (float64) or 4e-8
    (float32) of :math:`\sqrt{K(x, x) K(x', x')}`, for every norm.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.asarray(1.0)
    >>> round(float(ntk.Tanh().dual(one, one, one)), 5)
    0.39429
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`\tanh`."""
        return jnp.tanh(x)

    def expectations(self, pair: Pair) -> Expectations:
        """Return the averages of arcsine kernels."""
        return average(_step_duals, pair, 0.5)


@description
class Sigmoid(Geometric):
    r"""The logistic sigmoid :math:`\sigma(x) = 1 / (1 + e^{-x})`.

    As :math:`\sigma(x) = \tfrac12 + \tfrac12 \tanh(x / 2)`, with :math:`V_i = v_i + \tau_i^2`

    .. math:: \mathbb E[\sigma\sigma'] = \frac14 + \mathbb E_{\tau_1, \tau_2}\, \frac1{2\pi}
              \arcsin \frac{c}{\sqrt{V_1 V_2}}, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = \mathbb E_{\tau_1, \tau_2}\,
              \frac{1}{2 \pi \sqrt{V_1 V_2 - c^2}};

    for the mean over scales and its accuracy see :class:`ntk.Tanh`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> zero, one = jnp.asarray(0.0), jnp.asarray(1.0)
    >>> round(float(ntk.Sigmoid().dual(zero, one, one)), 6)
    0.25
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`1 / (1 + e^{-x})`."""
        return jax.nn.sigmoid(x)

    def expectations(self, pair: Pair) -> Expectations:
        """Return the averages of arcsine kernels."""
        found = average(_step_duals, pair)
        return Expectations(0.25 + 0.25 * found.dual, 0.25 * found.derivative)
