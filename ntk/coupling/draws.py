r"""Expectations over whole batches by draws: for what has no integral of fewer dimensions.

A batch :math:`z = A \xi` has the covariance :math:`A A^\top = K`, and :math:`\xi` the points of a
scrambled Sobol sequence (Owen 1998) through the normal quantile. They are the same in every call.
"""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.checks import rounding
from ntk.coupling.integral import Part, centred
from ntk.layers.activations.smoothness import slope

TOGETHER = 64
"""How many draws are taken at once: their Jacobians are that many matrices."""

SEED = 20200624


def drawn(
    steps: tuple[Any, ...], cov: Array, tangent: Array | None, batches: tuple[int, ...], draws: int
) -> Part:
    """Return covariance and tangent kernel after normalisations and activations.

    Parameters
    ----------
    steps : tuple of Layer
        Activations, and batch normalisations with their ``eps``.
    cov, tangent : Array, shape (n, n)
        Before the first of them; the tangent kernel may be ``None``.
    batches : tuple of int
        Sizes of the batches, one after the other along both axes.
    draws : int
        How many, a power of two.
    """
    root = _root(cov)
    chunks = min(TOGETHER, draws)
    points = jnp.asarray(_points(len(cov), draws), cov.dtype)

    def add(total: Any, chunk: Array) -> tuple[Part, None]:
        after, jacobian = _through(steps, chunk @ root.T, batches, tangent is not None)
        dual = total[0] + after.T @ after
        if tangent is None:
            return (dual, None), None
        turned = jnp.einsum("sij,jk->sik", jacobian, tangent)
        change: Array = total[1] + jnp.einsum("sik,sjk->ij", turned, jacobian)
        return (dual, change), None

    zeros = jax.tree.map(jnp.zeros_like, (cov, tangent))
    shaped = points.reshape(-1, chunks, len(cov))
    sums: Part = jax.lax.scan(jax.checkpoint(add), zeros, shaped)[0]
    mean: Part = jax.tree.map(lambda part: part / draws, sums)
    return mean


def _root(cov: Array) -> Array:
    """Return a root of a covariance that may be singular, as one with duplicates is."""
    size = len(cov)
    least = 4 * size * rounding(cov.dtype) * jnp.maximum(jnp.trace(cov) / size, 1e-30)
    root: Array = jnp.linalg.cholesky(cov + least * jnp.eye(size, dtype=cov.dtype))
    return root


@cache
def _points(dimensions: int, draws: int) -> Any:
    """Return standard normal points ``(draws, dimensions)`` that fill space evenly."""
    from scipy.special import ndtri
    from scipy.stats import qmc  # takes a second to load

    uniform = qmc.Sobol(dimensions, rng=SEED).random(draws)
    return ndtri(np.clip(uniform, 1e-12, 1.0 - 1e-12))


def _through(
    steps: tuple[Any, ...], z: Array, batches: tuple[int, ...], with_jacobian: bool
) -> tuple[Array, Array]:
    """Take draws ``(s, n)`` through the steps, and their Jacobians ``(s, n, n)`` if wanted."""
    jacobian = jnp.broadcast_to(jnp.eye(z.shape[1], dtype=z.dtype), (*z.shape, z.shape[1]))
    for step in steps:
        if not step.couples_batch:
            if with_jacobian:
                jacobian = slope(step.function)(z)[..., None] * jacobian
            z = step.function(z)
            continue
        z, inverse = normalised(z, batches, step.eps)
        if with_jacobian:
            apart = centred(jacobian.swapaxes(1, 2), batches).swapaxes(1, 2)
            along = jnp.concatenate(
                [
                    u[:, :, None] * jnp.einsum("sn,snk->sk", u, part)[:, None] / u.shape[1]
                    for u, part in zip(_split(z, batches), _split(jacobian, batches), strict=True)
                ],
                axis=1,
            )
            jacobian = inverse[..., None] * (apart - along)
    return z, jacobian


def normalised(z: Array, batches: tuple[int, ...], eps: Any) -> tuple[Array, Array]:
    """Return draws less the mean of each batch over its deviation, and that number's inverse."""
    apart = centred(z, batches)
    inverse = jnp.concatenate(
        [
            jnp.broadcast_to(_inverse_root(jnp.mean(part**2, 1, keepdims=True) + eps), part.shape)
            for part in _split(apart, batches)
        ],
        axis=1,
    )
    return apart * inverse, inverse


def _inverse_root(square: Array) -> Array:
    return jnp.where(square > 0, jax.lax.rsqrt(jnp.where(square > 0, square, 1.0)), 0.0)


def _split(array: Array, batches: tuple[int, ...]) -> list[Array]:
    """Return the parts of the second axis that belong to each batch."""
    parts: list[Array] = jnp.split(array, np.cumsum(batches)[:-1], axis=1)
    return parts
