"""Smooth rectifiers: GELU, and SiLU and softplus as averages of its like."""

import math
from typing import Any

import jax
from jax import Array

from ntk.layers.activations.elementwise import Expectations, Geometric
from ntk.layers.activations.logistic import average
from ntk.layers.activations.noisy import Noisy
from ntk.layers.base import description
from ntk.layers.pair import Entry, Pair

TURN = 2.0 * math.pi


def _gated_duals(noisy: Noisy, cov: Any) -> tuple[Entry, Entry]:
    r"""Return the duals of :math:`x\, \Phi(x / \tau)`."""
    p1, p2, x, sine = noisy.share1, noisy.share2, noisy.cosine, noisy.sine
    open_gates = 0.25 + noisy.arcsine / TURN
    noise = p1 * p2
    dual = open_gates * cov + noisy.scale / TURN * (
        noisy.rest1 * noisy.rest2 * sine + noise * x * x / sine
    )
    return dual, open_gates + x / (TURN * sine) * (noise / noisy.sine_square + p1 + p2)


def _softened_duals(noisy: Noisy) -> tuple[Entry, Entry]:
    r"""Return the duals of :math:`\mathbb E \max(x + \tau \epsilon, 0)`."""
    angle = 0.5 * math.pi + noisy.arcsine
    return noisy.scale / TURN * (noisy.sine + noisy.cosine * angle), angle / TURN


@description
class Gelu(Geometric):
    r"""The Gaussian error linear unit :math:`\sigma(x) = x\, \Phi(x)`, exactly.

    With :math:`A_i = 1 + v_i`, :math:`q = A_1 A_2 - c^2` and :math:`\alpha = \arcsin (c /
    \sqrt{A_1 A_2})` (Tsuchida et al. 2021, section 3)

    .. math:: \mathbb E[\sigma\sigma'] &= \frac c4 + \frac{1}{2\pi} \Bigl( c\, \alpha
              + \frac{c^2 + v_1 v_2\, q}{A_1 A_2 \sqrt q} \Bigr), \\
              \mathbb E[\dot\sigma\dot\sigma'] &= \frac14 + \frac{1}{2\pi} \Bigl( \alpha
              + \frac{c}{\sqrt q} \Bigl( \frac1q + \frac1{A_1} + \frac1{A_2} \Bigr) \Bigr).

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.asarray(1.0)
    >>> round(float(ntk.Gelu().dual(one, one, one)), 5)
    0.42522
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`x\, \Phi(x)`."""
        return jax.nn.gelu(x, approximate=False)

    def expectations(self, pair: Pair) -> Expectations:
        """Return both duals, from the pair with noise of variance 1."""
        return Expectations(*_gated_duals(Noisy.of(pair, 1.0), pair.cov))


@description
class Silu(Geometric):
    r"""The sigmoid linear unit, or swish, :math:`\sigma(x) = x / (1 + e^{-x})`.

    It is :math:`\mathbb E_\tau\, x\, \Phi(x / \tau)` with the scales of :class:`ntk.Tanh`; with
    :math:`V_i = v_i + \tau_i^2`, :math:`x = c / \sqrt{V_1 V_2}` and :math:`p_i = \tau_i^2 / V_i`

    .. math:: \mathbb E[\sigma\sigma'] &= \mathbb E_{\tau_1, \tau_2}\, \Bigl[ c\, \Bigl( \frac14
              + \frac{\arcsin x}{2\pi} \Bigr) \\
              &\quad + \frac{\sqrt{V_1 V_2}}{2\pi}
              \Bigl( (1 - p_1)(1 - p_2) \sqrt{1 - x^2} + \frac{p_1 p_2 x^2}{\sqrt{1 - x^2}} \Bigr)
              \Bigr]

    (from the GELU's dual in Tsuchida et al. 2021). For the accuracy see :class:`ntk.Tanh`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.asarray(1.0)
    >>> round(float(ntk.Silu().dual(one, one, one)), 5)
    0.35578
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`x / (1 + e^{-x})`."""
        return jax.nn.silu(x)

    def expectations(self, pair: Pair) -> Expectations:
        """Return the averages of the duals of scaled GELUs."""
        return average(lambda noisy: _gated_duals(noisy, pair.cov), pair)


@description
class Softplus(Geometric):
    r"""The softplus :math:`\sigma(x) = \log(1 + e^x)`.

    Its derivative is the logistic sigmoid, and it is therefore :math:`\mathbb E \max(x + \tau
    \epsilon, 0)` with a standard normal :math:`\epsilon` and the scales of :class:`ntk.Tanh`.
    With :math:`V_i = v_i + \tau_i^2` and the angle :math:`\cos\phi = c / \sqrt{V_1 V_2}`

    .. math:: \mathbb E[\sigma\sigma'] &= \mathbb E_{\tau_1, \tau_2}\, \frac{\sqrt{V_1 V_2}}{2\pi}
              \bigl(\sin\phi + (\pi - \phi) \cos\phi\bigr), \\
              \mathbb E[\dot\sigma\dot\sigma'] &= \mathbb E_{\tau_1, \tau_2}\,
              \frac{\pi - \phi}{2\pi}

    (from Cho and Saul 2009, section 2). For the accuracy see :class:`ntk.Tanh`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> zero = jnp.asarray(0.0)
    >>> round(float(ntk.Softplus().dual(zero, zero, zero)), 5)  # log(2) ** 2
    0.48045
    """

    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`\log(1 + e^x)`."""
        return jax.nn.softplus(x)

    def expectations(self, pair: Pair) -> Expectations:
        """Return the averages of arc-cosine kernels."""
        return average(_softened_duals, pair)
