"""Descriptions as pytrees: two classes are two structures, also for compiled functions."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

import ntk
from ntk.layers import ACTIVATIONS
from ntk.pytrees import register


def test_every_activation_has_a_structure_of_its_own():
    kinds = set(ACTIVATIONS.values())
    structures = [jax.tree.structure(kind()) for kind in kinds]
    assert len(kinds) > 15
    for first in structures:
        assert sum(first == second for second in structures) == 1


def test_a_compiled_function_does_not_take_one_class_for_another():
    # Registered by JAX's own function, sixty of four hundred come out wrong in JAX 0.10.2.
    classes = [
        register(dataclasses.make_dataclass(f"Number{i}", [], frozen=True)) for i in range(200)
    ]
    value = jax.jit(lambda tree, x: x + float(type(tree).__name__.removeprefix("Number")))
    found = [float(value(cls(), jnp.float32(0))) for cls in classes]
    np.testing.assert_array_equal(found, np.arange(200))


def test_numbers_are_leaves_and_the_rest_is_structure():
    layer = ntk.Dense(8, sigma_w=1.5, sigma_b=0.5)
    leaves, structure = jax.tree.flatten(layer)
    assert leaves == [1.5, 0.5]
    assert jax.tree.unflatten(structure, leaves) == layer
    assert structure == jax.tree.structure(ntk.Dense(8, sigma_w=0.1, sigma_b=0.2))
    assert structure != jax.tree.structure(ntk.Dense(9, sigma_w=1.5, sigma_b=0.5))
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(layer)]
    assert paths == [".sigma_w", ".sigma_b"]
