r"""Where the variance of preactivations comes to rest, for many layers at once.

A fixed length attracts if the length map crosses the diagonal from above. It cannot overshoot: with
the normal density :math:`\varphi_q` of variance :math:`q`

.. math:: q V'(q) = \sigma_w^2 \int \sigma^2(x)\, \frac{x^2 - q}{2 q}\, \varphi_q(x)\, dx
          \ge -\tfrac12 V(q),

so that the slope at a fixed point is at least -1/2.
"""

from typing import Any

import numpy as np

from ntk.layers.activations.elementwise import Elementwise
from ntk.phases.moments import duals
from ntk.phases.search import find_roots

FOUND, VANISHES, GROWS, ANY = range(4)
"""What a search ends with."""

DOWN, UP, STEPS = 100, 40, 4
"""How many octaves are searched from the start on, and in how many steps each."""

ROUNDING = 2e-15
"""Below this a relative change of a length is rounding."""


def settle(activation: Elementwise, sigma_w: Any, sigma_b: Any, start: float) -> tuple[Any, Any]:
    """Find the length at which iterations from a start arrive.

    Parameters
    ----------
    activation : Elementwise
        The nonlinearity.
    sigma_w, sigma_b : array, shape (n,)
        Scales, one layer an entry.
    start : float
        The first length.

    Returns
    -------
    lengths, outcomes : array, shape (n,)
        The lengths, and what was found: a length, that lengths vanish (0), that they grow without
        bound (NaN), or that any length stays as it is (NaN).
    """
    grid = start * 2.0 ** (np.arange(-DOWN * STEPS, UP * STEPS + 1) / STEPS)
    middle = DOWN * STEPS
    moments = duals(activation, grid)[0]
    finite = np.isfinite(moments)  # an exponential overflows
    excess = np.outer(sigma_w**2, np.where(finite, moments, 0.0)) + sigma_b[:, None] ** 2
    excess = excess / grid - 1.0
    certain = finite & (np.abs(excess) > ROUNDING)
    sign = np.where(certain, np.sign(excess), 0.0).astype(int)

    lengths = np.full(len(sigma_w), np.nan)
    outcomes = np.full(len(sigma_w), GROWS)
    here = sign[:, middle]
    at_rest = here == 0
    indifferent = at_rest & (sign[:, middle - STEPS : middle + STEPS + 1] == 0).all(axis=1)
    attracted = at_rest & (sign[:, middle + 1] <= 0)
    lengths[attracted], outcomes[attracted] = start, FOUND
    lengths[indifferent], outcomes[indifferent] = np.nan, ANY

    columns = np.arange(len(grid))
    # The nearest column on the far side of a root, in the direction of motion, and the last one
    # before it whose sign is certain.
    beyond_up = np.where((sign < 0) & (columns > middle), columns, len(grid)).min(axis=1)
    before_up = np.where((sign > 0) & (columns < beyond_up[:, None]), columns, -1).max(axis=1)
    beyond_down = np.where((sign > 0) & (columns < middle), columns, -1).max(axis=1)
    before_down = np.where((sign < 0) & (columns > beyond_down[:, None]), columns, len(grid)).min(
        axis=1
    )
    rises = (here > 0) & (beyond_up < len(grid))
    falls = (here < 0) & (beyond_down >= 0)
    vanishes = (here < 0) & (beyond_down < 0)
    lengths[vanishes], outcomes[vanishes] = 0.0, VANISHES

    found = rises | falls
    low = np.where(rises, before_up, beyond_down)[found]
    high = np.where(rises, beyond_up, before_down)[found]
    lengths[found] = find_roots(
        lambda q, w, b: relative_change(activation, q, w, b),
        grid[low],
        grid[high],
        sigma_w[found],
        sigma_b[found],
    )
    outcomes[found] = FOUND
    return lengths, outcomes


def relative_change(activation: Elementwise, q: Any, sigma_w: Any, sigma_b: Any) -> Any:
    """Return the next length over this one, less 1."""
    return (sigma_w**2 * duals(activation, q)[0] + sigma_b**2) / q - 1.0


def repels(activation: Elementwise, q: Any, sigma_w: Any) -> Any:
    """Return where the slope of the length map is greater than 1, by a difference."""
    step = 1e-5 * q
    up, down = (duals(activation, q + s)[0] for s in (step, -step))
    return sigma_w**2 * (up - down) / (2 * step) > 1 + 1e-6
