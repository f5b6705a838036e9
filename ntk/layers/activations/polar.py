r"""Gaussian pairs in polar coordinates: quadrature for any function that is smooth beside zero.

With the angle :math:`\theta` of the pair and :math:`r` the length of a standard normal vector in
the plane, the pair is :math:`(\sqrt{v_1}\, r \sin x, \pm \sqrt{v_2}\, r \sin(W - x))` in four
sectors of width :math:`W = \pi - \theta` (equal signs, twice) and :math:`W = \theta` (opposite
signs, twice). In each the signs are fixed, so a kink at zero lies on a border, and a pair that
almost coincides is no special case.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.layers.pair import Entry, Pair, root

Function = Callable[[Array], Array]

Rule = Callable[[Array, Array], tuple[Array, ...]]
"""Fractions of a sector, their complements, weights; lengths and their weights."""

GAUSS_NODES = {4: ((14, 20), (24, 32)), 8: ((20, 32), (36, 44))}
"""How many angles and lengths they have, for numbers of 4 and 8 bytes."""

LONGEST = 8.6
"""Beyond this length a standard normal vector of the plane is with probability 1e-16."""


def polar_duals(
    function: Function,
    derivative: Function,
    pair: Pair,
    levels: Sequence[tuple[float, Rule]],
    known: tuple[Array, Entry, Entry] | None = None,
) -> tuple[Entry, Entry]:
    r"""Return :math:`\mathbb E[\sigma\sigma']` and :math:`\mathbb E[\dot\sigma\dot\sigma']`.

    Parameters
    ----------
    function, derivative : callable
        The function and its derivative, elementwise.
    pair : Pair
        Of any shape; the pairs are taken one after another.
    levels : sequence of (float, Rule)
        Quadrature rules, and the standard deviations up to which they serve.
    known : tuple of Array, optional
        Where the duals are known, and what they are.
    """
    parts = (root(pair.var1), root(pair.var2), pair.angle, *(known or ()))
    shape = jnp.broadcast_shapes(*(part.shape for part in parts))
    flat = tuple(jnp.broadcast_to(part, shape).ravel() for part in parts)

    def one(item: Any) -> tuple[Array, Array]:
        std1, std2, angle = item[:3]

        def by(rules: Callable[[Any, Any], Any]) -> tuple[Array, Array]:
            return _integrate(function, derivative, std1, std2, angle, rules)

        def integral() -> tuple[Array, Array]:
            limits = jnp.asarray([limit for limit, _ in levels[:-1]], std1.dtype)
            level = jnp.searchsorted(limits, jnp.maximum(std1, std2))
            found: tuple[Array, Array] = jax.lax.switch(level, [partial(by, r) for _, r in levels])
            return found

        if known is None:
            return integral()
        is_known, dual, slope = item[3:]
        found: tuple[Array, Array] = jax.lax.cond(is_known, lambda: (dual, slope), integral)
        return found

    dual, slope = (part.reshape(shape) for part in jax.lax.map(jax.checkpoint(one), flat))
    # By Price's theorem the slope is the derivative by the covariance. The integral itself knows
    # it through the angle, whose derivative is infinite where the pair coincides; here the angle
    # is therefore held, and the rest of the change added.
    rest = pair.cov - pair.mean * jnp.cos(jax.lax.stop_gradient(pair.angle))
    change = jax.lax.stop_gradient(slope) * (rest - jax.lax.stop_gradient(rest))
    return dual + change, slope


def _integrate(
    function: Function, derivative: Function, std1: Array, std2: Array, angle: Array, rules: Any
) -> tuple[Array, Array]:
    part, rest, part_weight, radius, radius_weight = rules(std1, std2)
    totals = []
    for f, turn in ((function, jax.lax.stop_gradient(angle)), (derivative, angle)):
        total = jnp.zeros_like(angle)
        for width, beyond, sign in ((jnp.pi - turn, turn, 1.0), (turn, jnp.pi - turn, -1.0)):
            u = std1 * _sine(width, beyond, part, rest)[:, None] * radius
            v = sign * std2 * _sine(width, beyond, rest, part)[:, None] * radius
            weight = (width / (2.0 * jnp.pi)) * part_weight[:, None] * radius_weight
            total += jnp.sum(weight * (f(u) * f(v) + f(-u) * f(-v)))
        totals.append(total)
    return totals[0], totals[1]


def _sine(width: Array, beyond: Array, part: Array, rest: Array) -> Array:
    """Return the sine of a part of the width, from the nearer end of the half turn."""
    return jnp.sin(jnp.where(part < 0.5, width * part, beyond + width * rest))


def _gauss(level: int, std1: Array, std2: Array) -> tuple[Array, ...]:
    """Return Gauss rules for the fraction of a sector, and for the length."""
    del std2
    parts, lengths = GAUSS_NODES[8 if std1.dtype.itemsize == 8 else 4][level]
    (part, part_weight), (point, point_weight) = _legendre(parts), _legendre(lengths)
    rest = 1.0 - part
    if level:  # closer to the ends, where a function of larger scale has its features
        part_weight, point_weight = 6.0 * part * rest * part_weight, 2.0 * point * point_weight
        part, rest, point = part**2 * (3.0 - 2.0 * part), rest**2 * (3.0 - 2.0 * rest), point**2
    radius = LONGEST * point
    radius_weight = LONGEST * point_weight * radius * np.exp(-0.5 * radius**2)
    rules = (part, rest, part_weight, radius, radius_weight)
    return tuple(jnp.asarray(rule, std1.dtype) for rule in rules)


def _double_exponential(std1: Array, std2: Array) -> tuple[Array, ...]:
    """Return rules that cluster at the borders of a sector and at length 0."""
    step = 7.2 / 63
    t = step * (np.arange(64) - 31.5)
    bend = np.pi * np.sinh(t)
    part, rest = 1.0 / (1.0 + np.exp(-bend)), 1.0 / (1.0 + np.exp(bend))
    weight = step * np.pi * np.cosh(t) * part * rest
    rules = (jnp.asarray(rule, std1.dtype) for rule in (part, rest, weight))
    return *rules, *_lengths(160, std1, std2)


def _exponential(std1: Array, std2: Array) -> tuple[Array, ...]:
    """Return rules that cluster evenly on all scales, for poles close to the origin."""
    double = std1.dtype.itemsize == 8
    reach = (33.0 if double else 17.0) + jnp.log(jnp.maximum(1.0, jnp.maximum(std1, std2)))
    nodes = 288 if double else 128
    step = 2.0 * reach / (nodes - 1)
    t = step * (jnp.arange(nodes) - 0.5 * (nodes - 1))
    part, rest = jax.nn.sigmoid(t), jax.nn.sigmoid(-t)
    return part, rest, step * part * rest, *_lengths(192 if double else 112, std1, std2)


def _lengths(nodes: int, std1: Array, std2: Array) -> tuple[Array, Array]:
    """Return the lengths and their weights, evenly spaced in the logarithm."""
    longest = jnp.log(jnp.asarray(LONGEST, std1.dtype))
    # Below this length everything is linear, and the area is less than is resolved.
    reach = 14.5 if std1.dtype.itemsize == 8 else 8.5
    shortest = -reach - jnp.log(jnp.maximum(1.0, jnp.maximum(std1, std2)))
    step = (longest - shortest) / (nodes - 1)
    radius = jnp.exp(shortest + step * jnp.arange(nodes))
    return radius, step * radius**2 * jnp.exp(-0.5 * radius**2)


SMOOTH: Sequence[tuple[float, Rule]] = ((math.inf, _exponential),)
"""For functions of which nothing is known but that they are smooth."""

ENTIRE: Sequence[tuple[float, Rule]] = (
    (4.0, partial(_gauss, 0)),
    (16.0, partial(_gauss, 1)),
    (math.inf, _double_exponential),
)
"""For functions without poles on either side of zero, such as exponentials."""


@cache
def _legendre(nodes: int) -> tuple[Any, Any]:
    """Return Gauss's rule on [0, 1]."""
    point, weight = np.polynomial.legendre.leggauss(nodes)
    return 0.5 * (point + 1.0), 0.5 * weight
