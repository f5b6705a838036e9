"""What roundings do to the limiting kernels, in the program that a user runs."""

import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from tests.points import awkward_inputs, awkward_pairs, near_pairs, sphere

pytestmark = pytest.mark.usefixtures("optimised")


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("depth", [1, 4, 1000])
def test_awkward_inputs_give_finite_symmetric_semidefinite_kernels(x64, activation, dtype, depth):
    x = awkward_inputs(dtype)
    # Not chaotic: there the kernel of a thousand layers overflows because it is that large.
    sigma_w = {"relu": 2**0.5, "erf": 0.8}[activation]
    K = ntk.kernel(ntk.mlp(depth, activation=activation, sigma_w=sigma_w, sigma_b=0.1), x)
    for part in K:
        assert np.isfinite(part).all()
        np.testing.assert_array_equal(part, part.T)
        scale = np.sqrt(np.diag(part))
        normalised = np.asarray(part, np.float64) / np.outer(scale, scale)
        eps = np.finfo(dtype).eps
        # Rounding of the angle near the diagonal is sqrt(eps) for a kink.
        assert np.linalg.eigvalsh(normalised)[0] > -len(x) * eps**0.5


@pytest.mark.parametrize("n", [40, 600])  # one tile, and more than one
def test_the_diagonal_is_exact_in_single_precision(x64, n):
    # A matrix product and a sum of squares round differently; the angle would feel sqrt(eps).
    net, x = ntk.mlp(3, sigma_w=2**0.5, sigma_b=0.1), sphere(n, 784)
    single = np.diag(ntk.kernel(net, x.astype(np.float32), get="ntk"))
    np.testing.assert_allclose(single, np.diag(ntk.kernel(net, x, get="ntk")), rtol=2e-6)


def test_duplicates_equal_the_diagonal(x64):
    net, x = ntk.mlp(5, sigma_w=2**0.5, sigma_b=0.3), sphere(8, 20)
    K = ntk.kernel(net, np.concatenate([x, x]), get="ntk")
    np.testing.assert_allclose(np.diag(K[:8, 8:]), np.diag(K)[:8], rtol=1e-14)


@pytest.mark.parametrize("bias", [None, 0.1])
def test_single_precision_survives_a_thousand_layers(x64, bias):
    x = jnp.asarray(awkward_pairs()[jnp.asarray([0, 1, 3, 5, 6, 8])], jnp.float32)
    net = ntk.mlp(1000, activation="relu", sigma_w=2**0.5, sigma_b=bias)
    exact = ntk.kernel(net, x.astype(jnp.float64))
    for found, expected in zip(ntk.kernel(net, x), exact, strict=True):
        diagonal = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        error = np.abs(found - expected) / diagonal
        assert found.dtype == jnp.float32
        assert error.max() < 1e-5
        # A thousand roundings of 6e-8 that go the same way would be 6e-5, at random 2e-6.
        assert np.diag(error).max() < 1e-6


@pytest.mark.parametrize("layer", [ntk.LayerNorm(eps=1e-3), ntk.Dropout(0.2)])
def test_single_precision_keeps_near_duplicates_apart(x64, layer):
    # The gap of a pair goes through without a cancellation.
    x, noise = np.random.default_rng(0).standard_normal((2, 4, 6)).astype(np.float32)
    x = np.concatenate([x, x + np.float32(1e-4) * noise])
    dense = ntk.Dense(8, sigma_w=1.4)
    net = ntk.Serial(dense, layer, dense, ntk.LayerNorm(), ntk.Relu(), dense)
    single, double = ntk.kernel(net, x), ntk.kernel(net, x.astype(np.float64))
    for a, b in zip(single, double, strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-6)


@pytest.mark.parametrize("bias", [None, 0.3])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs"])
def test_single_precision_knows_near_duplicates(x64, activation, bias):
    # Without the gap the derivative of the kink would be wrong by sqrt(eps) = 3e-4.
    x = near_pairs("float32")
    net = ntk.mlp(3, activation=activation, sigma_w=1.3, sigma_b=bias)
    single, double = ntk.kernel(net, x), ntk.kernel(net, x.astype("float64"))
    for part, exact in zip(single, double, strict=True):
        scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
        error = np.abs(np.asarray(part, "float64") - exact)
        assert np.max(error[scale > 0] / scale[scale > 0]) < 2e-6
