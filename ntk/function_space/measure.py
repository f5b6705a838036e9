"""The bilinear form of the distribution of inputs, for finitely many points."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError


def inner_product(
    f: Num[ArrayLike, "n k"],
    g: Num[ArrayLike, "n k"],
    weights: Num[ArrayLike, " n"] | None = None,
) -> Float[Array, ""]:
    r"""Bilinear form of two functions with respect to the distribution of inputs.

    .. math:: \langle f, g \rangle_{p^{in}} = \mathbb E_{x \sim p^{in}}
              \bigl[ f(x)^{\mathsf T} g(x) \bigr] = \sum_i w_i\, f(x_i)^{\mathsf T} g(x_i)

    (Jacot et al. 2018, section 2, where :math:`p^{in}` is the empirical distribution).

    Parameters
    ----------
    f, g : ArrayLike, shape (n, k)
        Values of the functions on the points of the measure.
    weights : ArrayLike, shape (n,), optional
        Weights :math:`w_i \ge 0` of the points, used as they are; 1 / n each if omitted.

    Returns
    -------
    Array, shape ()
        The number.

    Raises
    ------
    ShapeError, InvalidValueError
        If shapes differ, something is not finite, or a weight is negative or all are zero.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import inner_product
    >>> f, g = jnp.asarray([[1.0], [3.0]]), jnp.asarray([[2.0], [4.0]])
    >>> float(inner_product(f, g)), float(inner_product(f, g, jnp.asarray([1.0, 0.0])))
    (7.0, 2.0)
    """
    first, w = function("f", f, weights)
    second = checks.matrix("g", g, first.shape)
    return jnp.sum(w[:, None] * first * second)


def seminorm(
    f: Num[ArrayLike, "n k"], weights: Num[ArrayLike, " n"] | None = None
) -> Float[Array, ""]:
    r"""Seminorm of a function with respect to the distribution of inputs.

    .. math:: \| f \|_{p^{in}} = \sqrt{ \langle f, f \rangle_{p^{in}} }

    It vanishes for functions that are zero on the data, whatever they are elsewhere.

    Parameters
    ----------
    f : ArrayLike, shape (n, k)
        Values of the function.
    weights : ArrayLike, shape (n,), optional
        As for :func:`inner_product`.

    Returns
    -------
    Array, shape ()
        The seminorm.

    Raises
    ------
    ShapeError, InvalidValueError
        As for :func:`inner_product`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import seminorm
    >>> float(seminorm(jnp.asarray([[3.0, 4.0], [3.0, -4.0]])))
    5.0
    """
    return jnp.sqrt(inner_product(f, f, weights))


def function(name: str, f: Any, weights: Any) -> tuple[Array, Array]:
    """Check a function's values and the weights of its points."""
    values = checks.matrix(name, f, (None, None))
    return values, point_weights(weights, len(values), values.dtype)


def point_weights(weights: Any, n: int, dtype: Any) -> Float[Array, " n"]:
    """Check weights, or make those of the empirical measure."""
    if weights is None:
        return jnp.full((n,), 1.0 / n, dtype)
    w = checks.as_array("weights", weights)
    if w.shape != (n,):
        raise ShapeError(f"weights must be one number for each of the {n} points, got {w.shape}")
    checks.require_finite("weights", w)
    if checks.is_concrete(w):
        values = np.asarray(w)
        if (values < 0).any() or not (values > 0).any():
            raise InvalidValueError(
                "weights must be at least 0 and not all 0, since they are those of a measure; "
                f"the least is {values.min():.3g}, the greatest {values.max():.3g}"
            )
    return w
