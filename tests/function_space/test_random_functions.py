"""Random functions: their covariance, the model they span, and how fast its kernel settles."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk import function_space as fs

RNG = np.random.default_rng(3)
FACTOR = RNG.standard_normal((3, 2, 6))
K = np.einsum("iap,jbp->ijab", FACTOR, FACTOR)
LOW_RANK = np.einsum("iap,jbp->ijab", FACTOR[..., :2], FACTOR[..., :2])


def log_cosh(f):
    return jnp.sum(jnp.logaddexp(f, -f))


@pytest.mark.parametrize("kernel", [K, LOW_RANK, K[..., 0, 0]], ids=["full", "singular", "scalar"])
def test_the_covariance_is_the_kernel(x64, kernel):
    count = 4000
    functions = fs.random_functions(jax.random.key(1), kernel, count)
    outputs = 2 if kernel.ndim == 4 else 1
    assert functions.shape == (count, 3, outputs)
    flat = np.asarray(functions).reshape(count, -1)
    products = flat[:, :, None] * flat[:, None, :]
    error = products.std(axis=0, ddof=1) / np.sqrt(count)
    expected = np.asarray(fs.kernel_matrix(kernel))
    assert (np.abs(products.mean(axis=0) - expected) < 4 * error).all()
    mean_error = flat.std(axis=0, ddof=1) / np.sqrt(count)
    assert (np.abs(flat.mean(axis=0)) < 4 * mean_error).all()


def test_the_kernel_of_the_model_is_its_tangent_kernel(x64):
    functions = fs.random_functions(jax.random.key(0), K, 8)
    model = partial(fs.random_linear_model, functions=functions)
    theta = RNG.standard_normal(8)
    jacobian = jax.jacobian(model)(theta)  # (n, k, P)
    kernel = fs.tangent_kernel(functions)
    np.testing.assert_allclose(
        kernel, np.einsum("iap,jbp->ijab", jacobian, jacobian), rtol=1e-12, atol=1e-14
    )
    # Gradient descent on theta is kernel gradient descent with respect to it.
    slope = jax.grad(lambda p: log_cosh(model(p)))(theta)
    outputs, velocity = jax.jvp(model, (jnp.asarray(theta),), (-slope,))
    np.testing.assert_allclose(
        velocity, -fs.kernel_gradient(kernel, log_cosh, outputs), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("kernel", [K, K[..., 0, 0]], ids=["two outputs", "scalar"])
def test_the_error_of_the_tangent_kernel_is_the_exact_one(x64, kernel):
    count, seeds = 5, 2000
    whole = kernel.reshape(3, 3, *([2, 2] if kernel.ndim == 4 else [1, 1]))

    def squared_error(key):
        functions = fs.random_functions(key, kernel, count)
        return jnp.sum((fs.tangent_kernel(functions) - whole) ** 2)

    errors = np.asarray(jax.vmap(squared_error)(jax.random.split(jax.random.key(2), seeds)))
    standard_error = errors.std(ddof=1) / np.sqrt(seeds)
    expected = float(fs.expected_squared_error(kernel, count))
    assert abs(errors.mean() - expected) < 4 * standard_error
    # A formula without the trace, as for non-random functions, is not within reach.
    assert abs(errors.mean() - np.sum(kernel**2) / count) > 4 * standard_error
    np.testing.assert_allclose(
        fs.expected_squared_error(kernel, 10 * count), expected / 10, rtol=1e-14
    )
