r"""The logistic curve as an average of normal ones: its duals then are sums of closed forms.

A logistic variable is a normal one of random scale :math:`\tau = 2 K`, where :math:`K` has
Kolmogorov's distribution (Andrews and Mallows 1974, section 3; Stefanski 1991):

.. math:: \frac{1}{1 + e^{-x}} = \mathbb E_\tau\, \Phi(x / \tau).

A Gauss rule for the scale (compare Monahan and Stefanski 1992) leaves a few terms. The duals are
smooth in both scales, whatever the variances: no norm is too large or too small for the rule.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntk.layers.activations.elementwise import Expectations
from ntk.layers.activations.noisy import Noisy
from ntk.layers.pair import Entry, Pair

NODES = {4: 6, 8: 13}
"""Scales that leave 4e-8 and 2e-14 of a dual, for numbers of 4 and 8 bytes."""


def average(
    term: Callable[[Noisy], tuple[Entry, Entry]], pair: Pair, factor: float = 1.0
) -> Expectations:
    r"""Average two expectations over noises :math:`\tau_1, \tau_2` of independent logistic scales.

    Parameters
    ----------
    term : callable
        Returns the dual and the derivative's dual for one choice of noises.
    pair : Pair
        Without the noise.
    factor : float
        The noises are this times the scales.
    """
    size = 8 if pair.cov.dtype.itemsize == 8 else 4
    tau, weight = scales(NODES[size])
    noise = np.asarray((factor * tau) ** 2, pair.cov.dtype)
    share = np.asarray(np.outer(weight, weight), pair.cov.dtype)
    zero = jnp.zeros(jnp.broadcast_shapes(*(part.shape for part in jax.tree.leaves(pair))))

    def add(total: Any, item: Any) -> tuple[Any, None]:
        noise1, noise2, weight = item
        parts = term(Noisy.of(pair, noise1, noise2))
        return tuple(t + weight * p for t, p in zip(total, parts, strict=True)), None

    items = tuple(
        jnp.asarray(item.ravel()) for item in (*np.meshgrid(noise, noise, indexing="ij"), share)
    )
    # A loop, since unrolled this is a long program; its terms are computed again for gradients.
    start = (zero.astype(pair.cov.dtype),) * 2
    dual, derivative = jax.lax.scan(jax.checkpoint(add), start, items)[0]
    return Expectations(dual, derivative)


@cache
def scales(nodes: int) -> tuple[Any, Any]:
    r"""Return the scales :math:`\tau_k` and their weights, which add to 1.

    Parameters
    ----------
    nodes : int
        How many.

    Examples
    --------
    >>> from ntk.layers.activations.logistic import scales
    >>> tau, weight = scales(13)
    >>> round(float(weight @ tau**2), 12)  # the variance of the logistic distribution, pi^2 / 3
    3.289868133696
    """
    # A fine trapezoidal rule in log(K), where the density falls off doubly exponentially at
    # either end; then the Gauss rule of that discrete measure, by Lanczos' recursion.
    log_k = np.linspace(np.log(0.12), np.log(5.5), 801)
    measure = _density(np.exp(log_k)) * np.exp(log_k)
    measure /= measure.sum()
    diagonal, off_diagonal = _lanczos(log_k, measure, nodes)
    jacobi = np.diag(diagonal) + np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    points, vectors = np.linalg.eigh(jacobi)
    return 2.0 * np.exp(points), vectors[0] ** 2


def _density(k: Any) -> Any:
    """Kolmogorov's density by whichever of its two series converges fast."""
    n = np.arange(1, 30)[:, None]
    large = 8 * k * ((-1.0) ** (n + 1) * n**2 * np.exp(-2 * n**2 * k**2)).sum(0)
    odd = (2 * n - 1) ** 2 * np.pi**2 / 8
    small = np.sqrt(2 * np.pi) * ((2 * odd / k**4 - 1 / k**2) * np.exp(-odd / k**2)).sum(0)
    return np.where(k > 1, large, small)


def _lanczos(points: Any, measure: Any, steps: int) -> tuple[Any, Any]:
    """Return the recursion coefficients of the polynomials orthogonal to a discrete measure."""
    basis = [np.sqrt(measure)]
    diagonal, off_diagonal = [], []
    for _ in range(steps):
        residual = points * basis[-1]
        diagonal.append(residual @ basis[-1])
        for _ in range(2):  # twice is enough to be orthogonal to rounding
            for vector in basis:
                residual = residual - (residual @ vector) * vector
        off_diagonal.append(np.linalg.norm(residual))
        basis.append(residual / off_diagonal[-1])
    return np.array(diagonal), np.array(off_diagonal[:-1])
