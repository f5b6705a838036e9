"""Jacobian contraction: the definition, one parameter leaf after another."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.model import Model

EXACT = jax.lax.Precision.HIGHEST


def jacobian_contraction(
    f: Model, params: Any, x1: Any, x2: Any, reduction: str, coupled: bool
) -> Array:
    """Return the sum over leaves of the products of the two Jacobians."""
    rows = _jacobian(f, params, x1, coupled)
    columns = rows if x2 is None else _jacobian(f, params, x2, coupled)
    parts = jax.tree.map(
        lambda a, b: _contract(_flat_leaf(a), _flat_leaf(b), reduction), rows, columns
    )
    return jax.tree.reduce(jnp.add, parts)


def _jacobian(f: Model, params: Any, x: Any, coupled: bool) -> Any:
    """Jacobians with the leading axes ``(n, k)`` before those of each leaf."""
    if coupled:
        return jax.jacrev(f)(params, x)

    def of_one(example: Any) -> Any:
        batch = jax.tree.map(lambda leaf: leaf[None], example)
        return jax.jacrev(lambda p: f(p, batch)[0])(params)

    return jax.vmap(of_one)(x)


def _flat_leaf(leaf: Array) -> Array:
    return leaf.reshape(*leaf.shape[:2], -1)


def _contract(a: Array, b: Array, reduction: str) -> Array:
    (n1, k, p), n2 = a.shape, b.shape[0]
    if reduction == "diagonal":
        return jnp.einsum("nkp,mkp->nmk", a, b, precision=EXACT)
    if reduction == "mean":
        return jnp.matmul(a.reshape(n1, k * p), b.reshape(n2, k * p).T, precision=EXACT) / k
    gram = jnp.matmul(a.reshape(n1 * k, p), b.reshape(n2 * k, p).T, precision=EXACT)
    return gram.reshape(n1, k, n2, k).transpose(0, 2, 1, 3)
