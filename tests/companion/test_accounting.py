"""What the compiler counts, and the solver that is written so that it can."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk.companion.accounting import cholesky, cholesky_solve, compiled_bytes, counted_flops


def positive_definite(n):
    a = np.random.default_rng(n).standard_normal((n, n + 3))
    return jnp.asarray(a @ a.T)


@pytest.mark.parametrize("n", [1, 2, 7, 16])
def test_cholesky_by_halves(x64, n):
    K, y = positive_definite(n), jnp.asarray(np.random.default_rng(0).standard_normal((n, 2)))
    np.testing.assert_allclose(cholesky(K), np.linalg.cholesky(K), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(cholesky_solve(K, y), np.linalg.solve(K, y), rtol=1e-7)


def test_the_upper_half_is_not_read(x64):
    K = positive_definite(5)
    np.testing.assert_allclose(cholesky(jnp.tril(K)), cholesky(K), rtol=1e-12)


def test_flops_of_products_are_exact():
    product = counted_flops(jnp.matmul, jnp.ones((3, 5)), jnp.ones((5, 7)))
    assert product == 2 * 3 * 5 * 7


def test_cholesky_by_halves_takes_half_a_cube():
    K = jax.ShapeDtypeStruct((64, 64), jnp.float32)
    assert counted_flops(cholesky, K) / 64**3 == pytest.approx(0.5, abs=0.06)


def test_bytes_hold_the_result_and_what_is_alive():
    n = 64
    x = jax.ShapeDtypeStruct((n,), jnp.float32)
    held = compiled_bytes(lambda x: jnp.outer(x, x) @ jnp.outer(x, x + 1), x)
    assert 4 * n**2 < held < 6 * 4 * n**2
