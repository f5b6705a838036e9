"""What the compiler says that a function takes, and a solver of which it sees every operation."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ntk.empirical.budget import compiled_bytes

__all__ = ["cholesky", "cholesky_solve", "compiled_bytes", "counted_flops"]


def counted_flops(f: Callable[..., Any], *arguments: Any) -> float:
    """Return the floating-point operations of a function as XLA counts them.

    Calls of LAPACK count as nothing, and the body of a loop counts once: it is for functions
    without either. Nothing is compiled or computed.

    Parameters
    ----------
    f, *arguments
        As for :func:`compiled_bytes`.

    Returns
    -------
    float
        The number of operations; a multiplication and an addition are two.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> counted_flops(jnp.matmul, jnp.ones((10, 20)), jnp.ones((20, 30)))
    12000.0
    """
    counts: Any = jax.jit(f).lower(*arguments).cost_analysis()
    return float(counts["flops"])


def cholesky(K: Float[Array, "n n"]) -> Float[Array, "n n"]:
    r"""Factor a positive definite matrix, :math:`K = L L^\top`, by halves.

    .. math:: L = \begin{pmatrix} L_{11} & 0 \\ L_{21} & L_{22} \end{pmatrix}, \qquad
              L_{21} = K_{21} L_{11}^{-\top}, \quad
              L_{22} L_{22}^\top = K_{22} - L_{21} L_{21}^\top.

    Written in matrix products, so that a compiler counts all of it: about
    :math:`\frac12 n^3` operations. LAPACK, which uses the symmetry of the last product, needs
    :math:`\frac13 n^3`, and is faster in every respect.

    Parameters
    ----------
    K : Array, shape (n, n)
        Symmetric and positive definite; the upper half is not read.

    Returns
    -------
    Array, shape (n, n)
        The lower triangular factor.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> cholesky(jnp.array([[4.0, 2.0], [2.0, 10.0]])).tolist()
    [[2.0, 0.0], [1.0, 3.0]]
    """
    n = len(K)
    if n == 1:
        return jnp.sqrt(K)
    m = n // 2
    first = cholesky(K[:m, :m])
    below = _divide(K[m:, :m], first)
    last = cholesky(K[m:, m:] - below @ below.T)
    return jnp.block([[first, jnp.zeros((m, n - m), K.dtype)], [below, last]])


def cholesky_solve(K: Float[Array, "n n"], y: Float[Array, "n k"]) -> Float[Array, "n k"]:
    """Solve ``K u = y`` by :func:`cholesky` and two substitutions.

    Parameters
    ----------
    K : Array, shape (n, n)
        Symmetric and positive definite.
    y : Array, shape (n, k)
        Right-hand sides.

    Returns
    -------
    Array, shape (n, k)
        The solution.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> cholesky_solve(jnp.array([[4.0, 2.0], [2.0, 10.0]]), jnp.array([[10.0], [32.0]])).tolist()
    [[1.0], [3.0]]
    """
    factor = cholesky(K)
    forward = _divide(y.T, factor)  # y^T L^{-T}
    # L^T u = z read backwards is a lower triangular system again.
    return _divide(forward[:, ::-1], factor[::-1, ::-1].T)[:, ::-1].T


def _divide(rows: Array, factor: Array) -> Array:
    """Return ``rows @ inv(factor).T`` for a lower triangular factor, by halves."""
    n = len(factor)
    if n == 1:
        return rows / factor
    m = n // 2
    left = _divide(rows[:, :m], factor[:m, :m])
    right = _divide(rows[:, m:] - left @ factor[m:, :m].T, factor[m:, m:])
    return jnp.concatenate([left, right], axis=1)
