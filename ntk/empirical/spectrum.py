"""Solvers and spectra of a symmetric operator that is known by its products alone."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.empirical.method import like
from ntk.empirical.nngp import Estimate
from ntk.errors import InvalidValueError
from ntk.extras import load

Matvec = Callable[[Array], Array]
EXTRA = "operators"


def conjugate_gradients(matvec: Matvec, b: Array, tolerance: float, max_steps: int) -> Array:
    """Solve a positive definite system."""
    lineax = load("lineax", EXTRA)
    operator = lineax.FunctionLinearOperator(
        matvec, like(b.shape, b.dtype), lineax.positive_semidefinite_tag
    )
    solver = lineax.CG(rtol=tolerance, atol=0.0, max_steps=max_steps)
    solution: Array = lineax.linear_solve(operator, b, solver, throw=False).value
    return solution


def minres(matvec: Matvec, b: Array, tolerance: float, max_steps: int) -> Array:
    """Solve a symmetric system, or minimise its residual (Paige and Saunders 1975, section 6)."""
    size = jnp.linalg.norm(b)
    zero, one = jnp.zeros((), b.dtype), jnp.ones((), b.dtype)
    nothing = jnp.zeros_like(b)

    def unfinished(state: Any) -> Any:
        step, residual, beta = state[0], state[1], state[2]
        return (step < max_steps) & (jnp.abs(residual) > tolerance * size) & (beta > 0)

    def advance(state: Any) -> Any:
        step, residual, beta, v_old, v, u, d_old, d_older, c_old, s_old, c_older, s_older = state
        # Lanczos: the next basis vector and the next column of the tridiagonal matrix.
        w = matvec(v)
        alpha = jnp.vdot(w, v)
        w = w - alpha * v - beta * v_old
        beta_next = jnp.linalg.norm(w)
        # A norm of rounding size means that the space is exhausted.
        small = 10 * checks.rounding(b.dtype) * (jnp.abs(alpha) + beta)
        beta_next = jnp.where(beta_next > small, beta_next, 0.0)
        v_next = jnp.where(beta_next > 0, w / jnp.where(beta_next > 0, beta_next, 1.0), 0.0)
        # The first two rotations act on this column, a third one is chosen to clear it.
        off = jnp.where(step > 0, beta, 0.0)
        epsilon = s_older * off
        delta = c_old * (c_older * off) + s_old * alpha
        gamma_bar = c_old * alpha - s_old * (c_older * off)
        gamma = jnp.hypot(gamma_bar, beta_next)
        # A singular operator: there is no step that lowers the residual.
        gamma = jnp.where(gamma > small, gamma, 0.0)
        safe = jnp.where(gamma > 0, gamma, 1.0)
        c, s = gamma_bar / safe, beta_next / safe
        d = (v - delta * d_old - epsilon * d_older) / safe
        u = u + jnp.where(gamma > 0, c * residual, 0.0) * d
        return (
            step + 1, -s * residual, beta_next, v, v_next, u, d, d_old, c, s, c_old, s_old,
        )  # fmt: skip

    v = b / jnp.where(size > 0, size, 1.0)
    state = (
        0, size, size, nothing, v, nothing, nothing, nothing, one, zero, one, zero,
    )  # fmt: skip
    solution: Array = jax.lax.while_loop(unfinished, advance, state)[5]
    return solution


def largest_eigenvalues(matvec: Matvec, start: Array, count: int, steps: int) -> Array:
    """Return Ritz values of a Lanczos iteration with full reorthogonalisation."""
    decomp, eig = load("matfree.decomp", EXTRA), load("matfree.eig", EXTRA)
    tridiagonalise = decomp.tridiag_sym(steps, reortho="full")
    values, _ = eig.eigh_partial(tridiagonalise)(matvec, start)
    return jnp.sort(values)[::-1][:count]


def trace(matvec: Matvec, size: int, dtype: Any, key: PRNGKeyArray, samples: int) -> Estimate:
    """Estimate a trace with random signs."""
    stochtrace = load("matfree.stochtrace", EXTRA)
    return _average(stochtrace.monte_carlo_trace(), matvec, size, dtype, key, samples)


def logdet(
    matvec: Matvec, size: int, dtype: Any, key: PRNGKeyArray, samples: int, steps: int
) -> Estimate:
    """Estimate a log-determinant by quadratures with random signs."""
    funm, decomp = load("matfree.funm", EXTRA), load("matfree.decomp", EXTRA)
    integrand = funm.monte_carlo_funm_sym_logdet(decomp.tridiag_sym(steps, reortho="full"))
    return _average(integrand, matvec, size, dtype, key, samples)


def _average(
    integrand: Any, matvec: Matvec, size: int, dtype: Any, key: PRNGKeyArray, samples: int
) -> Estimate:
    if checks.positive_integer("samples", samples) < 2:
        raise InvalidValueError("samples must be at least 2: one draw says nothing of the error")
    stochtrace = load("matfree.stochtrace", EXTRA)
    vectors = stochtrace.sampler_signs(jnp.zeros(size, dtype), num=samples)(key)
    # One vector at a time: each product is a pass over the model of full size.
    values = jax.lax.map(lambda v: integrand(matvec, v), vectors)
    error = jnp.std(values, ddof=1) / samples**0.5
    return Estimate(jnp.mean(values), error, samples)
