"""The papers' conventions, each against the paper's own recursion written out."""

import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.companion import recursions


def inputs():
    return np.random.default_rng(0).standard_normal((5, 4))


@pytest.mark.parametrize("L", [2, 3, 5])
def test_jacot_counts_weight_layers(x64, L):
    K = ntk.kernel(ntk.mlp(**ntk.conventions.jacot(L, 0.3)), inputs())
    np.testing.assert_allclose(K, recursions.jacot(inputs(), L, 0.3), rtol=1e-12)


@pytest.mark.parametrize("L", [1, 2, 4])
def test_arora_counts_hidden_layers(x64, L):
    K = ntk.kernel(ntk.mlp(**ntk.conventions.arora(L, 4)), inputs())
    np.testing.assert_allclose(K, recursions.arora(inputs(), L), rtol=1e-12)


def test_c_sigma_preserves_unit_variance(x64):
    for name in ("relu", "erf"):
        z = np.random.default_rng(0).standard_normal(400_000)
        sigma = ntk.layers.activation(name)
        second = np.asarray(sigma.function(jnp.asarray(z))) ** 2
        error = 4 * second.std() / len(z) ** 0.5
        assert abs(1 / ntk.conventions.c_sigma(name) - second.mean()) < error
