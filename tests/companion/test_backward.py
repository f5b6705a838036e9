"""Forward and backward vectors against automatic differentiation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.companion.backward import passes
from ntk.errors import ShapeError


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_outer_products_are_the_gradients(x64, activation):
    conventions = ntk.conventions.arora(3, 4, activation)
    net = ntk.mlp(width=8, **conventions)
    params = net.init(jax.random.key(0), (4,))
    x = jax.random.normal(jax.random.key(1), (5, 4))
    weights = [layer["weight"] for layer in params[::2]]
    sigma = ntk.layers.activation(activation).function
    forward, backward = passes(weights, x, sigma, ntk.conventions.c_sigma(activation))
    gradients = jax.jit(jax.jacrev(net.apply))(params, x)
    for g, b, layer in zip(forward, backward, gradients[::2], strict=True):
        np.testing.assert_allclose(
            jnp.einsum("ni,nj->nij", g, b), layer["weight"][:, 0], rtol=1e-10, atol=1e-14
        )


def test_one_output_only():
    with pytest.raises(ShapeError, match="one column"):
        passes([jnp.ones((2, 3)), jnp.ones((3, 2))], jnp.ones((1, 2)), jax.nn.relu, 2.0)
