"""The papers' conventions, each against the paper's own recursion written out."""

import jax.numpy as jnp
import numpy as np
import pytest

import ntk


def relu_moments(c):
    d = np.sqrt(np.diag(c))
    rho = np.clip(c / np.outer(d, d), -1, 1)
    phi = np.arccos(rho)
    np.fill_diagonal(phi, 0.0)
    product = np.outer(d, d)
    dual = product * (np.sin(phi) + (np.pi - phi) * np.cos(phi)) / (2 * np.pi)
    return dual, (np.pi - phi) / (2 * np.pi)


def inputs():
    return np.random.default_rng(0).standard_normal((5, 4))


@pytest.mark.parametrize("L", [2, 3, 5])
def test_jacot_counts_weight_layers(x64, L):
    x, beta = inputs(), 0.3
    sigma = x @ x.T / 4 + beta**2
    theta = sigma
    for _ in range(L - 1):
        dual, dot = relu_moments(sigma)
        sigma = dual + beta**2
        theta = theta * dot + sigma
    K = ntk.kernel(ntk.mlp(**ntk.conventions.jacot(L, beta)), x)
    np.testing.assert_allclose(K.nngp, sigma, rtol=1e-12)
    np.testing.assert_allclose(K.ntk, theta, rtol=1e-12)


@pytest.mark.parametrize("L", [1, 2, 4])
def test_arora_counts_hidden_layers(x64, L):
    x = inputs()
    sigmas, dots = [x @ x.T], []
    for _ in range(L):
        dual, dot = relu_moments(sigmas[-1])
        sigmas.append(2 * dual)
        dots.append(2 * dot)
    dots.append(np.ones_like(dots[0]))  # the convention of the last layer
    theta = sum(sigmas[h] * np.prod(dots[h:], axis=0) for h in range(L + 1))
    K = ntk.kernel(ntk.mlp(**ntk.conventions.arora(L, 4)), x)
    np.testing.assert_allclose(K.nngp, sigmas[-1], rtol=1e-12)
    np.testing.assert_allclose(K.ntk, theta, rtol=1e-12)


def test_c_sigma_preserves_unit_variance(x64):
    for name in ("relu", "erf"):
        z = np.random.default_rng(0).standard_normal(400_000)
        sigma = ntk.layers.activation(name)
        second = np.asarray(sigma.function(jnp.asarray(z))) ** 2
        error = 4 * second.std() / len(z) ** 0.5
        assert abs(1 / ntk.conventions.c_sigma(name) - second.mean()) < error
