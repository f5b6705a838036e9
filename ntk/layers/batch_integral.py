r"""Batch normalisation before a homogeneous activation: its expectations as integrals.

A batch :math:`z \sim \mathcal N(0, K)` of :math:`M` entries less its mean is :math:`y \sim
\mathcal N(0, G)` with :math:`G = C K C`, :math:`C = 1 - \tfrac1M \mathbf 1 \mathbf 1^\top`, and
divided by its standard deviation :math:`\sqrt M y / \sqrt q` with :math:`q = |y|^2 + M \epsilon`.
An activation with :math:`\sigma(a u) = a\, \sigma(u)`, :math:`a > 0`, lets the root out, and

.. math:: q^{-1/2} = \frac{2}{\sqrt\pi} \int_0^\infty e^{-s^2 q}\, ds

leaves a Gaussian expectation of the activation alone: with :math:`H = 2 S G S`, where :math:`S`
holds an :math:`s` for each of the two batches, the weight :math:`e^{-s^2 |y|^2}` turns :math:`S y`
into a Gaussian of covariance :math:`\tfrac12 Z`, :math:`Z = (1 + H)^{-1} H`, and leaves a factor
:math:`\det(1 + H)^{-1/2}`. With :math:`V` and :math:`\dot V` the duals of activation and
derivative at :math:`Z`, and the blocks 11, 12 and 22 of the two batches,

.. math:: K_{12} &\mapsto \frac{2 \sqrt{M_1 M_2}}{\pi} \int \frac{ds_1\, ds_2}{s_1 s_2}\, w\,
          V(Z_{12}), \qquad w = \frac{e^{-\epsilon (M_1 s_1^2 + M_2 s_2^2)}}{\det(1 + H)^{1/2}},
          \\ T_{12} &\mapsto \frac{4 \sqrt{M_1 M_2}}{\pi} \int ds_1\, ds_2\, w\, D(T_{12}).

:math:`D` is the derivative of the covariance between the batches in the direction :math:`T_{12}`
(Price's theorem for vectors), by partial integration

.. math:: D(T) = \dot V \circ [(1 - Z_{11}) T (1 - Z_{22}) + Z_{12} T^\top Z_{12}]
          - a \circ V_{uu} - V_{vv} \circ b + \langle T, Z_{12} \rangle V,

with :math:`V_{uu} = (V - Z_{12} \circ \dot V) / \operatorname{diag} Z_{11}` for rows,
:math:`V_{vv}` alike for columns, and :math:`a, b` the diagonals of :math:`(1 - Z_{11}) T Z_{21}`
and :math:`Z_{21} T (1 - Z_{22})`. For a batch with itself :math:`s_1^2 + s_2^2 = t` alone decides,
and the other integral is known. (Yang et al. 2019, "A mean field theory of batch normalization",
has the covariance of one batch by the same integral.)
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.checks import rounding
from ntk.layers.pair import Pair

Part = tuple[Array, Array | None]
"""Covariance and tangent kernel, or blocks of these."""

STEP, STEP_ALONE = 0.2, 0.33
"""Of the trapezoidal rules in the logarithm of :math:`s` (or its like) and of :math:`t`."""


def integrated(
    activation: Any, cov: Array, tangent: Array | None, batches: tuple[int, ...], eps: Any
) -> Part:
    """Return covariance and tangent kernel after batch normalisation and an activation.

    Parameters
    ----------
    activation : Elementwise
        Positively homogeneous.
    cov, tangent : Array, shape (n, n)
        Before the normalisation; the tangent kernel may be ``None``.
    batches : tuple of int
        Sizes of the batches, one after the other along both axes.
    eps : float
        What is added to the variances.
    """
    cov = centred(cov, batches, sides=2)
    tangent = None if tangent is None else centred(tangent, batches, sides=2)
    ends = np.cumsum([0, *batches])
    sets = [slice(a, b) for a, b in pairwise(ends)]
    blocks: dict[tuple[int, int], Part] = {}
    for a, rows in enumerate(sets):
        for b, columns in enumerate(sets[a:], a):
            both = np.r_[rows, columns] if a < b else np.r_[rows]
            seen = None if tangent is None else tangent[rows, columns]
            if a == b:
                blocks[a, a] = _alone(activation, cov[rows, rows], seen, eps)
            else:
                found = _across(activation, cov[np.ix_(both, both)], seen, batches[a], eps)
                blocks[a, b] = found
                blocks[b, a] = (found[0].T, None if found[1] is None else found[1].T)

    def whole(part: int) -> Array:
        indices = range(len(batches))
        rows: list[list[Any]] = [[blocks[a, b][part] for b in indices] for a in indices]
        return jnp.block(rows)

    return whole(0), None if tangent is None else whole(1)


def centred(array: Array, batches: tuple[int, ...], *, sides: int = 1) -> Array:
    """Subtract each batch's mean along the last axis, or along the last two."""
    parts = jnp.split(array, np.cumsum(batches)[:-1], axis=-1)
    less: Array = jnp.concatenate([part - part.mean(-1, keepdims=True) for part in parts], -1)
    return less if sides == 1 else centred(less.swapaxes(-1, -2), batches).swapaxes(-1, -2)


def _alone(activation: Any, cov: Array, tangent: Array | None, eps: Any) -> Part:
    r"""Return both kernels of one batch with itself.

    The parts of :math:`D` are averaged over :math:`s_1^2 = a t`, :math:`s_2^2 = (1 - a) t` with
    density :math:`(a (1 - a))^{-1/2} / \pi`: :math:`a` to 1/2 and :math:`a (1 - a)` to 1/8.
    """
    size, most = len(cov), _most(cov.dtype)
    scale = _scale(cov)
    few, many = (np.log(bound) for bound in (rounding(cov.dtype), most))
    nodes = jnp.arange(few, many, STEP_ALONE, dtype=cov.dtype)

    def add(total: Part, log: Array) -> tuple[Part, None]:
        t = jnp.exp(log)
        z, weight = _shrunk((2.0 * t / scale) * cov)
        weight = STEP_ALONE * size * weight * jnp.exp(-size * eps * t / scale)
        v, slope, bend, _ = _duals(activation, z, jnp.diagonal(z), jnp.diagonal(z))
        dual = total[0] + 0.5 * weight * v
        if tangent is None:
            return (dual, None), None
        seen = tangent @ z
        turned = tangent - 0.5 * (seen + seen.T) + 0.25 * z @ seen
        across = bend * (0.5 * jnp.diagonal(z @ tangent) - 0.125 * jnp.diagonal(z @ seen))[:, None]
        change = slope * turned - across - across.T + 0.125 * jnp.sum(tangent * z) * v
        return (dual, total[1] + (weight * t / scale) * change), None

    return _summed(add, nodes, (cov, tangent))


def _across(activation: Any, cov: Array, tangent: Array | None, first: int, eps: Any) -> Part:
    """Return both kernels between two batches, of which ``cov`` holds all blocks."""
    one, two = slice(first), slice(first, None)
    sizes = first, len(cov) - first
    # The integrand is even and analytic at zero: the hyperbolic sine keeps it so.
    nodes = STEP * (np.arange(np.arcsinh(_most(cov.dtype) ** 0.5) / STEP) + 0.5)
    scales = [_scale(cov[part, part]) ** -0.5 for part in (one, two)]
    grid = jnp.asarray([(a, b) for a in nodes for b in nodes], cov.dtype)
    measure = STEP**2 * (sizes[0] * sizes[1]) ** 0.5 / np.pi

    def add(total: Part, node: Array) -> tuple[Part, None]:
        s1, s2 = (jnp.sinh(x) * scale for x, scale in zip(node, scales, strict=True))
        s = jnp.concatenate([jnp.full(n, part) for n, part in zip(sizes, (s1, s2), strict=True)])
        z, weight = _shrunk(2.0 * s[:, None] * cov * s)
        decay = jnp.exp(-eps * (sizes[0] * s1**2 + sizes[1] * s2**2))
        weight = measure * weight * decay * jnp.prod(jnp.cosh(node))
        z11, z12, z22 = z[one, one], z[one, two], z[two, two]
        v, slope, bend1, bend2 = _duals(activation, z12, jnp.diagonal(z11), jnp.diagonal(z22))
        # ds / s is scale-free, ds is not.
        dual = total[0] + 2.0 * weight / jnp.prod(jnp.sinh(node)) * v
        if tangent is None:
            return (dual, None), None
        left, right = tangent - z11 @ tangent, tangent - tangent @ z22
        turned = left - left @ z22 + z12 @ tangent.T @ z12
        rows, columns = jnp.sum(left * z12, axis=1), jnp.sum(right * z12, axis=0)
        change = slope * turned - bend1 * rows[:, None] - bend2 * columns
        change = change + jnp.sum(tangent * z12) * v
        return (dual, total[1] + 4.0 * weight * scales[0] * scales[1] * change), None

    return _summed(add, grid, (cov[one, two], tangent))


def _summed(add: Callable[[Part, Array], tuple[Part, None]], nodes: Array, like: Part) -> Part:
    zeros = jax.tree.map(jnp.zeros_like, like)
    total: Part = jax.lax.scan(jax.checkpoint(add), zeros, nodes)[0]
    return total


def _shrunk(h: Array) -> tuple[Array, Array]:
    r"""Return :math:`(1 + H)^{-1} H` and :math:`\det(1 + H)^{-1/2}`."""
    root = jnp.linalg.cholesky(h + jnp.eye(len(h), dtype=h.dtype))
    z = jax.scipy.linalg.cho_solve((root, True), h)
    return 0.5 * (z + z.T), jnp.exp(-jnp.sum(jnp.log(jnp.diagonal(root))))


def _duals(activation: Any, cov: Array, var1: Array, var2: Array) -> tuple[Array, ...]:
    """Return both duals, and the bend of the first by either variable."""
    var1, var2 = var1[:, None], var2[None]
    found = activation.expectations(Pair.of(cov, var1, var2))
    rest = found.dual - cov * found.derivative
    bends = (jnp.where(v > 0, rest / jnp.where(v > 0, v, 1.0), 0.0) for v in (var1, var2))
    return found.dual, found.derivative, *bends


def _scale(cov: Array) -> Array:
    """Return the trace, which no eigenvalue exceeds; 1 if all entries are the same."""
    trace = 2.0 * jnp.trace(cov)
    return jax.lax.stop_gradient(jnp.where(trace > 0, trace, 1.0))


def _most(dtype: Any) -> float:
    """Return the largest :math:`t`: beyond, the matrices are rounding, the integrand a rest."""
    return 2e-3 / rounding(dtype)
