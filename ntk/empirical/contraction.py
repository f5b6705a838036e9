"""The last step of a kernel: products of Jacobians, or of what they are made of.

Shapes: inputs' Gram ``(b, n1, s1, n2, s2)``, cotangents ``(n, k, b, s, o)``, Jacobians
``(n, k, p)``. A ``full`` kernel is ``(n1, k1, n2, k2)`` here, as matrix products leave it.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

EXACT = jax.lax.Precision.HIGHEST


def gram_of_jacobians(a: Array, b: Array, reduction: str) -> Array:
    """Contract two Jacobians of one leaf."""
    (n1, k1, p), (n2, k2, _) = a.shape, b.shape
    if reduction == "diagonal":
        return jnp.einsum("nkp,mkp->nmk", a, b, precision=EXACT)
    if reduction == "mean":
        return jnp.matmul(a.reshape(n1, k1 * p), b.reshape(n2, k2 * p).T, precision=EXACT)
    gram = jnp.matmul(a.reshape(n1 * k1, p), b.reshape(n2 * k2, p).T, precision=EXACT)
    return gram.reshape(n1, k1, n2, k2)


def product_of_grams(grams: list[Array], g1: Array, g2: Array, reduction: str) -> list[Array]:
    """Multiply the Gram of the inputs, for each leaf, with that of the cotangents they share."""
    _, _, b, s1, _ = g1.shape
    s2 = g2.shape[3]
    if b == s1 == s2 == 1:
        gram = gram_of_jacobians(g1[:, :, 0, 0], g2[:, :, 0, 0], reduction)
        along = {"full": (1, 3), "mean": (), "diagonal": (2,)}[reduction]
        return [jnp.expand_dims(inputs[0, :, 0, :, 0], along) * gram for inputs in grams]
    if reduction == "full":
        return _full_product(grams, g1, g2)
    pattern, total = {
        "mean": ("nkbso,mkbto->bnsmt", "bnsmt,bnsmt->nm"),
        "diagonal": ("nkbso,mkbto->kbnsmt", "bnsmt,kbnsmt->nmk"),
    }[reduction]
    gram = jnp.einsum(pattern, g1, g2, precision=EXACT)
    return [jnp.einsum(total, inputs, gram, precision=EXACT) for inputs in grams]


def _full_product(grams: list[Array], g1: Array, g2: Array) -> list[Array]:
    """Sum over positions of products, one shared index after another."""

    def add(totals: list[Array], shared: Any) -> tuple[list[Array], None]:
        inputs, one, two = shared
        (n1, k1, s1, o), (n2, k2, s2, _) = one.shape, two.shape
        # One large matrix product, in the order in which it comes out.
        gram = jnp.matmul(one.reshape(-1, o), two.reshape(-1, o).T, precision=EXACT)
        gram = gram.reshape(n1, k1, s1, n2, k2, s2)
        return [
            total + jnp.sum(gram * each[:, None, :, :, None, :], axis=(2, 5))
            for total, each in zip(totals, inputs, strict=True)
        ], None

    shape = (g1.shape[0], g1.shape[1], g2.shape[0], g2.shape[1])
    start = [jnp.zeros(shape, jnp.result_type(g1, each)) for each in grams]
    totals, _ = jax.lax.scan(add, start, (grams, jnp.moveaxis(g1, 2, 0), jnp.moveaxis(g2, 2, 0)))
    return totals


def apply_gram(grams: list[Array], g1: Array, g2: Array) -> list[Array]:
    """Apply the Gram of the inputs to the cotangents first: a full kernel in fewer operations."""
    k1, (n2, k2) = g1.shape[1], g2.shape[:2]

    def row(one: tuple[Array, Array]) -> Array:
        inputs, g = one
        applied = jnp.einsum("bsmt,mlbto->mlbso", inputs, g2, precision=EXACT)
        products = jnp.matmul(g.reshape(k1, -1), applied.reshape(n2 * k2, -1).T, precision=EXACT)
        return products.reshape(k1, n2, k2)

    # Example by example: what is between the two products is large, and fits the cache this way.
    return [jax.lax.map(row, (jnp.moveaxis(inputs, 1, 0), g1)) for inputs in grams]
