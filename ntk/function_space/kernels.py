"""Multi-dimensional kernels: how they act on functions, and the bilinear form they define."""

from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError
from ntk.function_space.measure import function

ROUNDING = {"float64": 1e-10, "float32": 1e-5}
"""How far below zero, relative to its size, a squared seminorm is taken for rounding."""


def kernel_inner_product(
    K: Num[ArrayLike, "n n"] | Num[ArrayLike, "n n k k"],
    f: Num[ArrayLike, "n k"],
    g: Num[ArrayLike, "n k"],
    weights: Num[ArrayLike, " n"] | None = None,
) -> Float[Array, ""]:
    r"""Bilinear form of two functions that a kernel defines.

    .. math:: \langle f, g \rangle_K &= \mathbb E_{x, x' \sim p^{in}}
              \bigl[ f(x)^{\mathsf T} K(x, x')\, g(x') \bigr] \\
              &= \sum_{ij} w_i w_j\, f(x_i)^{\mathsf T} K(x_i, x_j)\, g(x_j)

    with independent :math:`x, x'` (Jacot et al. 2018, section 3).

    Parameters
    ----------
    K : ArrayLike, shape (n, n) or (n, n, k, k)
        The kernel on the points; ``(n, n)`` stands for a scalar kernel times the identity.
    f, g : ArrayLike, shape (n, k)
        Values of the functions.
    weights : ArrayLike, shape (n,), optional
        Weights :math:`w_i \ge 0` of the points, used as they are; 1 / n each if omitted.

    Returns
    -------
    Array, shape ()
        The number.

    Raises
    ------
    ShapeError, InvalidValueError
        If shapes do not match, something is not finite, or a weight is negative.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import kernel_inner_product
    >>> f = jnp.asarray([[1.0], [3.0]])
    >>> float(kernel_inner_product(jnp.eye(2), f, f))  # (1 + 9) / 4
    2.5
    """
    first, w = function("f", f, weights)
    second = checks.matrix("g", g, first.shape)
    n, k = first.shape
    moved = act(multidimensional("K", K, n, n, k), w[:, None] * second)
    return jnp.sum(w[:, None] * first * moved)


def kernel_seminorm(
    K: Num[ArrayLike, "n n"] | Num[ArrayLike, "n n k k"],
    f: Num[ArrayLike, "n k"],
    weights: Num[ArrayLike, " n"] | None = None,
) -> Float[Array, ""]:
    r"""Seminorm of a function that a kernel defines.

    .. math:: \| f \|_K = \sqrt{ \langle f, f \rangle_K }

    The kernel is *positive definite with respect to* :math:`\| \cdot \|_{p^{in}}` if
    :math:`\| f \|_{p^{in}} > 0` implies :math:`\| f \|_K > 0` (Jacot et al. 2018, section 3).

    Parameters
    ----------
    K, f, weights
        As for :func:`kernel_inner_product`.

    Returns
    -------
    Array, shape ()
        The seminorm.

    Raises
    ------
    ShapeError, InvalidValueError
        As for :func:`kernel_inner_product`, or if the square is negative beyond rounding: the
        kernel is not positive semi-definite then.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import kernel_seminorm
    >>> K = jnp.ones((2, 2))  # sees the mean of a function only
    >>> float(kernel_seminorm(K, jnp.asarray([[1.0], [3.0]])))
    2.0
    >>> float(kernel_seminorm(K, jnp.asarray([[1.0], [-1.0]])))
    0.0
    """
    squared = kernel_inner_product(K, f, f, weights)
    # What the terms of the sum add up to without their signs: rounding is relative to that.
    size = kernel_inner_product(jnp.abs(K), jnp.abs(f), jnp.abs(f), weights)
    noise = ROUNDING.get(str(squared.dtype), 1e-2) * size
    if checks.is_concrete(squared) and float(squared) < -float(noise):
        raise InvalidValueError(
            f"K is not positive semi-definite: <f, f>_K is {float(squared):.3g}, and a seminorm "
            "needs it to be at least 0; check how K was made"
        )
    return jnp.sqrt(jnp.maximum(squared, 0.0))


def kernel_matrix(
    K: Num[ArrayLike, "m n"] | Num[ArrayLike, "m n k k"], outputs: int | None = None
) -> Float[Array, "mk nk"]:
    r"""Write a multi-dimensional kernel as one Gram matrix.

    .. math:: G_{(i, a), (j, b)} = K_{ab}(x_i, x_j)

    with the row :math:`i k + a` for output :math:`a` at point :math:`i`, so that ``f.ravel()`` is
    the vector of a function.

    Parameters
    ----------
    K : ArrayLike, shape (m, n) or (m, n, k, k)
        The kernel.
    outputs : int, optional
        The number of outputs ``k``, for a scalar kernel times the identity; 1 if omitted.

    Returns
    -------
    Array, shape (m * k, n * k)
        The matrix.

    Raises
    ------
    ShapeError
        If ``K`` has another shape, or its outputs are not as many as ``outputs``.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import kernel_matrix
    >>> kernel_matrix(jnp.asarray([[2.0]]), outputs=2).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    blocks = multidimensional("K", K, None, None, outputs)
    if blocks.ndim == 2:
        count = 1 if outputs is None else checks.positive_integer("outputs", outputs)
        return jnp.kron(blocks, jnp.eye(count, dtype=blocks.dtype))
    m, n, k = blocks.shape[:3]
    return blocks.transpose(0, 2, 1, 3).reshape(m * k, n * k)


def multidimensional(name: str, K: Any, m: int | None, n: int | None, k: int | None) -> Array:
    """Check a kernel ``(m, n)`` or ``(m, n, k, k)``; ``None`` stands for any length."""
    kernel = checks.as_array(name, K)
    wanted: tuple[int | None, ...] = (m, n) if kernel.ndim != 4 else (m, n, k, k)
    fits = kernel.ndim in (2, 4) and all(
        want in (None, got) for got, want in zip(kernel.shape, wanted, strict=True)
    )
    if not fits or 0 in kernel.shape or (kernel.ndim == 4 and len(set(kernel.shape[2:])) > 1):
        sizes = ["any" if size is None else str(size) for size in (m, n, k, k)]
        raise ShapeError(
            f"{name} must have shape ({', '.join(sizes[:2])}), a scalar kernel, or "
            f"({', '.join(sizes)}), with the outputs last; got {kernel.shape}"
        )
    checks.require_finite(name, kernel)
    return kernel


def act(K: Array, masses: Float[Array, "*times n k"]) -> Float[Array, "*times m k"]:
    r"""Return :math:`\sum_j K(x, x_j)\, a_j` for the rows :math:`a_j`."""
    return K @ masses if K.ndim == 2 else jnp.einsum("ijab,...jb->...ia", K, masses)
