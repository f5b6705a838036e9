"""Whether a function of a user is smooth: quadrature that trusts it is wrong at a kink."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

REACH = 10.0
"""Kinks are looked for between minus this and this."""


class Kink(NamedTuple):
    """Where a function jumps, or its derivative."""

    order: int
    place: float


@cache
def find_kink(function: Callable[[Array], Array]) -> Kink | None:
    """Return a point where the function or its derivative jumps, or ``None``.

    The largest steps of each on a grid are halved until they either vanish, as for a steep but
    smooth function, or turn out to be jumps. Higher derivatives are not looked at.

    Parameters
    ----------
    function : callable
        Elementwise, in JAX.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from ntk.layers.activations.smoothness import find_kink
    >>> find_kink(jnp.tanh) is None, find_kink(jax.nn.relu).order
    (True, 1)
    """
    # Where the function overflows there is nothing to compare.
    with jax.ensure_compile_time_eval(), np.errstate(invalid="ignore"):
        for order, f in enumerate((function, slope(function))):
            place = _jump(f)
            if place is not None:
                return Kink(order, place)
    return None


def slope(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return the derivative of an elementwise function, elementwise."""

    def derivative(x: Array) -> Array:
        change: Array = jax.jvp(function, (x,), (jnp.ones_like(x),))[1]
        return change

    return derivative


def _jump(function: Callable[[Array], Array]) -> float | None:
    def values(x: Any) -> Any:
        return np.asarray(function(jnp.asarray(x)), float)

    # Off zero and all round numbers, where derivatives of a kink may be defined as the mean.
    grid = np.linspace(-REACH, REACH, 4002) + 1.2345e-4
    at_grid = values(grid)
    step = np.abs(np.diff(at_grid))
    # A second difference tells a jump from a slope that is steep over many points.
    bend = np.abs(np.diff(at_grid, 2))
    largest = np.argsort(np.maximum(np.append(bend, 0), np.insert(bend, 0, 0)))[-12:]
    low, high = grid[largest], grid[largest + 1]
    low_value, high_value = at_grid[largest], at_grid[largest + 1]
    before = step[largest]
    for _ in range(12):  # from 5e-3 to 1e-6, ten times the rounding of a single at 1
        middle = 0.5 * (low + high)
        middle_value = values(middle)
        left = np.abs(middle_value - low_value) > np.abs(high_value - middle_value)
        high, high_value = np.where(left, middle, high), np.where(left, middle_value, high_value)
        low, low_value = np.where(left, low, middle), np.where(left, low_value, middle_value)
    after = np.abs(high_value - low_value)
    noise = 1e-4 * np.maximum(1e-3, np.abs(low_value) + np.abs(high_value))
    jumps = np.isfinite(after) & (after > 0.25 * before) & (after > noise)
    if not jumps.any():
        return None
    return float(low[jumps][np.argmax(after[jumps])])
