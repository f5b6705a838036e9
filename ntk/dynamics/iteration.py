"""Filters of gradient descent: plain in closed form, with momentum by powers of small matrices."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ntk.dynamics.trajectory import Filter

BITS = 31
"""Of a number of steps: more than 2**31 are the limit of infinitely many."""


@jax.jit
def plain(x: Float[Array, " n"], steps: Float[Array, "*steps"], unit: Array) -> Filter:
    r"""Filter of :math:`s` steps of plain descent, where :math:`x = \eta(\lambda + \rho)`.

    .. math:: \phi = (1 - x)^s, \qquad \text{gain} = \frac{1 - \phi}{\lambda + \rho}

    with as many digits as the arguments have, for tiny :math:`x` as well. At infinitely many steps
    the decay is 0 inside the region of stability and NaN outside, where there is no limit.
    """
    steps = steps[..., None]
    slow, never = x < 1.0, steps == 0.0
    # log |1 - x|, with the digits of a small x; -inf at 1, where one step is enough.
    log = jnp.where(slow, jnp.log1p(-jnp.where(slow, x, 0.0)), jnp.log(jnp.where(slow, 1.0, x) - 1))
    exponent = jnp.where(never, 0.0, jnp.where(never, 1.0, steps) * log)  # not 0 * inf
    sign = jnp.where(~slow & (jnp.mod(steps, 2.0) == 1.0), -1.0, 1.0)
    decay = sign * jnp.exp(exponent)
    done = jnp.where(slow, -jnp.expm1(exponent), 1.0 - decay)
    endless = jnp.isinf(steps) & (x >= 2.0)
    decay, done = (jnp.where(endless, jnp.nan, value) for value in (decay, done))
    return Filter(done * unit / x, decay, unit * decay)


@partial(jax.jit, static_argnames="nesterov")
def with_momentum(
    x: Float[Array, " n"],
    steps: Float[Array, "*steps"],
    unit: Array,
    momentum: Array,
    stable: Array,
    nesterov: bool,
) -> Filter:
    r"""Filter of :math:`s` steps of heavy ball or Nesterov, along each eigenvector by itself.

    Per unit of residual the dual coefficient :math:`a` and the velocity :math:`q` follow

    .. math:: q' = \beta q + \eta - x a, \qquad a' = a + q'

    for the heavy ball, and :math:`a' = a + \beta q' + \eta - x a` for Nesterov. That is an affine
    map of :math:`(a, q)`, whose power is taken by squaring. To keep the digits of slow
    directions the *difference* to the identity is carried, :math:`E_{2s} = 2 E_s + E_s^2`.
    """
    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    beta, eta = momentum * one, unit * one
    if nesterov:
        position = jnp.stack([-(1 + beta) * x, beta**2, (1 + beta) * eta], axis=-1)
    else:
        position = jnp.stack([-x, beta, eta], axis=-1)
    velocity = jnp.stack([-x, beta - 1, eta], axis=-1)
    step = jnp.stack([position, velocity, jnp.stack([zero, zero, zero], axis=-1)], axis=-2)

    many = jnp.isinf(steps)
    power = _power_minus_one(step, jnp.where(many, 0.0, steps))
    gain, state = power[..., 0, 2], power[..., 2].at[..., 2].add(1.0)
    growth = jnp.sum(step[:, 0] * state, axis=-1)
    gain = jnp.where(many[..., None], jnp.where(stable, unit / x, jnp.nan), gain)
    growth = jnp.where(many[..., None], jnp.where(stable, 0.0, jnp.nan), growth)
    return Filter(gain, 1.0 - gain * x / unit, growth)


def _power_minus_one(
    step: Float[Array, "n d d"], steps: Float[Array, "*steps"]
) -> Float[Array, "*steps n d d"]:
    """Return ``(1 + step)**steps - 1`` for whole numbers of steps below ``2**BITS``."""

    def double(_: Any, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        power, square, rest = carry
        odd = (jnp.mod(rest, 2.0) == 1.0)[..., None, None, None]
        power = jnp.where(odd, power + square + power @ square, power)
        return power, 2.0 * square + square @ square, jnp.floor(rest / 2.0)

    power = jnp.zeros((*steps.shape, *step.shape), step.dtype)
    result: Array = jax.lax.fori_loop(0, BITS, double, (power, step, steps))[0]
    return result
