"""The last step of a kernel: products of Jacobians, or of what they are made of.

Shapes: inputs' Gram ``(b, n1, s1, n2, s2)``, cotangents ``(n, k, b, s, o)``, Jacobians
``(n, k, p)``. A ``full`` kernel is ``(n1, k1, n2, k2)`` here, as matrix products leave it.
"""

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
    pattern, total = {
        "full": ("nkbso,mlbto->bnsmtkl", "bnsmt,bnsmtkl->nkml"),
        "mean": ("nkbso,mkbto->bnsmt", "bnsmt,bnsmt->nm"),
        "diagonal": ("nkbso,mkbto->kbnsmt", "bnsmt,kbnsmt->nmk"),
    }[reduction]
    gram = jnp.einsum(pattern, g1, g2, precision=EXACT)
    return [jnp.einsum(total, inputs, gram, precision=EXACT) for inputs in grams]


def apply_gram(grams: list[Array], g1: Array, g2: Array) -> list[Array]:
    """Apply the Gram of the inputs to the cotangents first: a full kernel in fewer operations."""
    kernels = []
    for inputs in grams:
        applied = jnp.einsum("bnsmt,mlbto->nmbsol", inputs, g2, precision=EXACT)
        kernels.append(jnp.einsum("nmbsol,nkbso->nkml", applied, g1, precision=EXACT))
    return kernels
