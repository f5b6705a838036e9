"""NTK-vector products: one gradient of one output at a time, never a Jacobian."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.model import Model


def vector_products(
    f: Model, params: Any, x1: Any, x2: Any, reduction: str, coupled: bool
) -> Array:
    r"""Return the kernel column by column.

    A column belongs to one output of one example of ``x2``: its gradient :math:`g` by a
    vector-Jacobian product, then :math:`\partial_\theta f(x_1) \cdot g` for all of ``x1`` by one
    Jacobian-vector product (Novak et al. 2022, section 3.2).
    """
    if x2 is None:
        x2 = x1
    outputs = jax.eval_shape(f, params, x2)
    basis = jnp.eye(outputs.shape[1], dtype=outputs.dtype)

    def column(gradient: Any) -> Array:
        change: Array = jax.jvp(lambda p: f(p, x1), (params,), (gradient,))[1]
        return change

    def columns_of_one(index: Array) -> Array:
        if coupled:
            pullback = jax.vjp(lambda p: f(p, x2)[index], params)[1]
        else:
            example = jax.tree.map(lambda leaf: leaf[index][None], x2)
            pullback = jax.vjp(lambda p: f(p, example)[0], params)[1]
        block = jax.vmap(lambda e: column(pullback(e)[0]))(basis)  # (k of x2, n1, k of x1)
        return _reduce(block, reduction)

    by_column: Array = jax.lax.map(columns_of_one, jnp.arange(outputs.shape[0]))
    return jnp.moveaxis(by_column, 0, 1)


def _reduce(block: Array, reduction: str) -> Array:
    if reduction == "full":
        return block.transpose(1, 2, 0)
    diagonal = jnp.einsum("knk->nk", block)
    return diagonal if reduction == "diagonal" else jnp.mean(diagonal, axis=1)
