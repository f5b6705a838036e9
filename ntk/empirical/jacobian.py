"""Jacobian contraction: the definition, one parameter leaf after another."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.empirical.contraction import gram_of_jacobians
from ntk.empirical.method import Method, Task


def jacobian_method(task: Task) -> Method:
    """Return the method that forms the Jacobians, ``(n, k, p)`` for each leaf."""
    chosen, f = task.split()

    def features(x: Any, rows: Array) -> list[Array]:
        if task.coupled:
            y, pullback = jax.vjp(lambda leaves: f(leaves, x), chosen)
            each = jnp.eye(y.shape[0], dtype=y.dtype)
            # One row for each example and combination, a cotangent of the whole batch.
            cotangents = each[:, None, :, None] * rows[None, :, None, :]
            jacobians = jax.vmap(jax.vmap(lambda g: pullback(g)[0]))(cotangents)
        else:
            jacobians = jax.vmap(lambda example: _of_one(example, rows))(x)
        return [j.reshape(*j.shape[:2], -1) for j in jacobians]

    def _of_one(example: Any, rows: Array) -> list[Array]:
        batch = jax.tree.map(lambda leaf: leaf[None], example)
        _, pullback = jax.vjp(lambda leaves: f(leaves, batch)[0], chosen)
        jacobian: list[Array] = jax.vmap(lambda g: pullback(g)[0])(rows)
        return jacobian

    def contract(one: list[Array], two: list[Array]) -> dict[int, Array]:
        return {
            leaf: gram_of_jacobians(a, b, task.reduction)
            for leaf, a, b in zip(task.leaves, one, two, strict=True)
        }

    return Method(features, contract)
