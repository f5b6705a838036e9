"""Inputs of kernels: on a sphere, and such that roundings show."""

import jax
import jax.numpy as jnp
import numpy as np


def sphere(n, d, seed=0, dtype=np.float64):
    x = np.random.default_rng(seed).standard_normal((n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True) * d**0.5).astype(dtype)


def awkward_inputs(dtype=np.float64):
    x = np.random.default_rng(0).standard_normal((6, 4))
    rows = [*x, x[0], 2.5 * x[1], -x[2], 1e-6 * x[3], 1e6 * x[4], np.zeros(4), x[5] + 1e-9]
    return np.asarray(rows, dtype)


def awkward_pairs():
    x = np.array(jax.random.normal(jax.random.key(0), (9, 4)))
    x[1] = x[0]  # a duplicate
    x[2] = x[0] * (1 + 1e-6)  # collinear, nearly a duplicate
    x[3] = -x[0]
    x[4] = 0.0
    x[5] = 1e4 * x[6]
    x[7] = x[6] + 1e-5
    return jnp.asarray(x)


def near_pairs(dtype):
    """Rows that almost coincide with, oppose or are collinear to others, and are far larger."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((6, 12))
    rows = [x]
    for distance in (0.0, 1e-6, 1e-4, 1e-2):
        noise = distance * rng.standard_normal(x.shape)
        rows += [x + noise, -x + noise, 2.7 * x + noise]
    return np.concatenate([*rows, 1e6 * x, 1e-6 * x, np.zeros((1, 12))]).astype(dtype)
