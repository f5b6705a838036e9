"""Models of the size that people train: their parameters, and their kernels in every method."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.companion import models

KEY = jax.random.key(0)


def size(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def test_the_residual_network_is_the_well_known_one():
    shapes = jax.eval_shape(models.ResNet18().init, KEY, jnp.ones((1, 32, 32, 3)))
    assert size(shapes["params"]) == 11_173_962  # of ResNet-18 for CIFAR-10
    assert len(jax.tree.leaves(shapes["params"])) == 20 + 2 * 20 + 2


def test_the_transformer_has_the_parameters_that_its_sizes_say():
    shapes = jax.eval_shape(models.VisionTransformer().init, KEY, jnp.ones((1, 32, 32, 3)))
    d = 192
    block = 4 * (d * d + d) + 2 * 4 * d * d + 4 * d + d + 2 * 2 * d
    expected = (4 * 4 * 3 * d + d) + 64 * d + 6 * block + 2 * d + 10 * d + 10
    assert size(shapes["params"]) == expected


def test_pictures_are_padded_and_repeated():
    grey = np.random.default_rng(0).standard_normal((2, 5, 4, 1))
    colour = models.colour_images(grey, 8)
    assert colour.shape == (2, 8, 8, 3)
    for channel in range(3):
        np.testing.assert_array_equal(colour[:, 1:6, 2:6, channel], grey[..., 0])
    np.testing.assert_array_equal(colour[:, 0, 2:6, 0], grey[:, 0, :, 0])
    with pytest.raises(ntk.errors.InvalidValueError, match="at least side=5"):
        models.colour_images(grey, 4)


def test_statistics_are_those_of_the_pictures(x64, quick):
    images = 3.0 + 2.0 * jax.random.normal(KEY, (16, 8, 8, 3))
    (f, params), (other, _) = (
        models.resnet18(KEY, scale * images, width=2) for scale in (1.0, 2.0)
    )
    f, other = jax.jit(f), jax.jit(other)
    # The first normalisation takes the scale of the pictures away again.
    np.testing.assert_allclose(f(params, images), other(params, 2.0 * images), rtol=1e-3)
    assert float(jnp.abs(f(params, images) - f(params, 2.0 * images)).max()) > 1e-2
    # Inference mode: an example does not see the others.
    alone = jnp.concatenate([images[:3], images[:13] ** 2])
    np.testing.assert_allclose(f(params, images)[:3], f(params, alone)[:3], rtol=1e-10)


def test_the_transformer_is_seen_through(x64, quick):
    images = jax.random.normal(jax.random.key(1), (3, 8, 8, 3))
    f, params = models.vision_transformer(KEY, images, width=6, depth=1)
    params = jax.tree.map(lambda leaf: leaf.astype(float), params)
    why = ntk.explain_empirical(f, params, images, output="full")
    hidden = [leaf.name for leaf in why.leaves if leaf.order == "whole"]
    # Every weight of a product is found; scales of a LayerNorm are no products.
    assert all("scale" in name or "bias" in name for name in hidden)
    # That the kernels of both models are exact is a claim of the notebook about them.
