"""NTK-vector products: one gradient of one output at a time, never a Jacobian."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.empirical.method import Method, Task


def vector_products_method(task: Task) -> Method:
    r"""Return the method that goes column by column.

    A column belongs to one output of one example of ``x2``: its gradient :math:`g` by a
    vector-Jacobian product, then :math:`\partial_\theta f(x_1) \cdot g` for all of ``x1`` by one
    Jacobian-vector product (Novak et al. 2022, section 3.2). The features are the examples.
    """
    chosen, f = task.split()

    def contract(one: tuple[Any, Array], two: tuple[Any, Array]) -> dict[int, Array]:
        (x1, rows1), (x2, rows2) = one, two

        def column(gradient: Any) -> Array:
            change: Array = jax.jvp(lambda leaves: f(leaves, x1), (chosen,), (gradient,))[1]
            return change @ rows1.T

        def columns_of_one(index: Any) -> Array:
            if task.coupled:
                pullback = jax.vjp(lambda leaves: f(leaves, x2)[index], chosen)[1]
            else:
                example = jax.tree.map(lambda leaf: leaf[index][None], x2)
                pullback = jax.vjp(lambda leaves: f(leaves, example)[0], chosen)[1]
            block = jax.vmap(lambda row: column(pullback(row)[0]))(rows2)  # (k2, n1, k1)
            return _reduce(block, task.reduction)

        n2 = jax.tree.leaves(x2)[0].shape[0]
        by_column: Array = jax.lax.map(columns_of_one, jnp.arange(n2))
        kernel = jnp.moveaxis(by_column, 0, 2 if task.reduction == "full" else 1)
        return {task.leaves[0]: kernel}

    return Method(lambda x, rows: (x, rows), contract, divisible=False)


def _reduce(block: Array, reduction: str) -> Array:
    if reduction == "full":
        return block.transpose(1, 2, 0)
    diagonal = jnp.einsum("knk->nk", block)
    return diagonal if reduction == "diagonal" else jnp.sum(diagonal, axis=1)
