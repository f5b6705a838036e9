r"""Where the correlation of two inputs comes to rest, for many layers at once.

On :math:`[0, 1]` the correlation map is convex, with :math:`C(0) \ge 0` and :math:`C(1) = 1`. If
its slope at 1 is at most 1, correlations tend to 1; else to the one other fixed point, at which
the chord up to 1 has the slope 1.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from ntk.layers.activations.elementwise import Elementwise
from ntk.phases.moments import duals
from ntk.phases.search import find_roots

ROUNDING = 1e-13
"""Below this, a slope less 1 is rounding."""

NEAR = 1e-3
"""Chords shorter than this are means of slopes, since a difference would be rounding."""


def settle(activation: Elementwise, sigma_w: Any, lengths: Any) -> Any:
    """Find the correlation at which iterations arrive.

    Parameters
    ----------
    activation : Elementwise
        The nonlinearity.
    sigma_w, lengths : array, shape (n,)
        Scales of the weights, and fixed lengths, all positive.

    Returns
    -------
    array, shape (n,)
        From 0 to 1; NaN where every correlation stays as it is.
    """
    steep, flat = (chi(activation, lengths, c, sigma_w) for c in (1.0, 0.0))
    found = np.ones(len(lengths))
    found[(np.abs(steep - 1) <= ROUNDING) & (np.abs(flat - 1) <= ROUNDING)] = np.nan
    chaotic = steep > 1 + ROUNDING
    # From 0 the chord has the slope 1 - C(0).
    apart = chaotic & (chord(activation, lengths, 1.0, sigma_w) >= 1 - ROUNDING)
    found[apart] = 0.0
    rest = chaotic & ~apart
    near = rest & (chord(activation, lengths, NEAR, sigma_w) < 1)
    # The two groups overlap, so that a rounding of the chord does not lose a root.
    for group, of_chord, low, high in (
        (near, mean_slope, 1e-40, 2 * NEAR),
        (rest & ~near, chord, NEAR / 2, 1.0),
    ):
        gaps = find_roots(
            lambda log_gap, q, w, of_chord=of_chord: (
                of_chord(activation, q, np.exp(log_gap), w) - 1.0
            ),
            np.full(group.sum(), np.log(low)),
            np.full(group.sum(), np.log(high)),
            lengths[group],
            sigma_w[group],
        )
        found[group] = 1.0 - np.exp(gaps)
    return found


def chi(activation: Elementwise, q: Any, c: Any, sigma_w: Any) -> Any:
    """Return the slope of the correlation map at a fixed length."""
    return sigma_w**2 * duals(activation, q, c)[1]


def chord(activation: Elementwise, q: Any, gap: Any, sigma_w: Any) -> Any:
    """Return the slope of the chord from a correlation, 1 less the gap, up to 1."""
    ends = (duals(activation, q, c)[0] for c in (1.0, 1.0 - gap))
    return sigma_w**2 * np.subtract(*ends) / (q * gap)


def mean_slope(activation: Elementwise, q: Any, gap: Any, sigma_w: Any) -> Any:
    r"""Return the same as a mean of slopes, in :math:`1 - c = \mathit{gap} \cdot s^2`."""
    point, weight = _graded_rule()
    values = duals(activation, q[:, None], 1.0 - gap[:, None] * point**2)[1]
    return sigma_w**2 * (values @ (2.0 * weight * point))


def _graded_rule() -> tuple[Any, Any]:
    """Return a Gauss rule on [0, 1] in panels that shrink towards zero."""
    node, weight = np.polynomial.legendre.leggauss(16)
    ends = [0.0, 1 / 64, 1 / 16, 1 / 4, 1.0]
    panels = list(pairwise(ends))
    point = np.concatenate([a + (b - a) * 0.5 * (node + 1.0) for a, b in panels])
    return point, np.concatenate([0.5 * (b - a) * weight for a, b in panels])
