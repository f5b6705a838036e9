"""Random functions, the linear model they span, and its tangent kernel."""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num, PRNGKeyArray

from ntk import checks
from ntk.errors import ShapeError
from ntk.function_space.kernels import kernel_matrix, multidimensional


def random_functions(
    key: PRNGKeyArray, K: Num[ArrayLike, "n n"] | Num[ArrayLike, "n n k k"], count: int
) -> Float[Array, "p n k"]:
    r"""Draw centred Gaussian functions whose covariance is a kernel.

    .. math:: \mathbb E \bigl[ f^{(p)}_a(x)\, f^{(p)}_b(x') \bigr] = K_{ab}(x, x')

    (Jacot et al. 2018, section 3.1, where any distribution with this covariance will do).

    Parameters
    ----------
    key : PRNGKeyArray
        A JAX random key.
    K : ArrayLike, shape (n, n) or (n, n, k, k)
        The kernel on the points, symmetric and positive semi-definite; it may be singular.
        ``(n, n)`` is a kernel of one output.
    count : int
        The number :math:`P` of functions.

    Returns
    -------
    Array, shape (count, n, k)
        Values of the functions; ``k`` is 1 for a kernel ``(n, n)``.

    Raises
    ------
    ShapeError, InvalidValueError
        If ``K`` is not square or not finite, or ``count`` is below 1.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from ntk.function_space import random_functions
    >>> functions = random_functions(jax.random.key(0), jnp.ones((2, 2)), 3)
    >>> functions.shape, bool(jnp.allclose(functions[:, 0], functions[:, 1], atol=1e-2))
    ((3, 2, 1), True)
    """
    gram = _square(K)
    n = jnp.shape(K)[0]
    # The square root by singular values exists for a singular kernel too.
    draws = jax.random.multivariate_normal(
        key,
        jnp.zeros(len(gram), gram.dtype),
        gram,
        (checks.positive_integer("count", count),),
        dtype=gram.dtype,
        method="svd",
    )
    return draws.reshape(count, n, -1)


def random_linear_model(
    theta: Num[ArrayLike, " p"], functions: Num[ArrayLike, "p n k"]
) -> Float[Array, "n k"]:
    r"""Evaluate the linear model that random functions span.

    .. math:: f^{lin}_\theta = \frac{1}{\sqrt P} \sum_{p=1}^P \theta_p\, f^{(p)}

    (Jacot et al. 2018, section 3.1). Gradient descent on :math:`\theta` is kernel gradient
    descent with respect to :func:`tangent_kernel`.

    Parameters
    ----------
    theta : ArrayLike, shape (p,)
        The parameters.
    functions : ArrayLike, shape (p, n, k)
        Values of the random functions.

    Returns
    -------
    Array, shape (n, k)
        Values of the model.

    Raises
    ------
    ShapeError
        If shapes do not match.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import random_linear_model
    >>> functions = jnp.asarray([1.0, 2.0, 3.0, 4.0]).reshape(4, 1, 1)
    >>> random_linear_model(jnp.ones(4), functions).tolist()
    [[5.0]]
    """
    values, parameters = _functions(functions), checks.as_array("theta", theta)
    if parameters.shape != values.shape[:1]:
        raise ShapeError(
            f"theta must be one number for each of the {len(values)} functions, got shape "
            f"{parameters.shape}"
        )
    return jnp.tensordot(parameters, values, axes=1) / math.sqrt(len(values))


def tangent_kernel(functions: Num[ArrayLike, "p n k"]) -> Float[Array, "n n k k"]:
    r"""Tangent kernel of the linear model that random functions span.

    .. math:: \tilde K_{ab}(x, x') = \frac1P \sum_{p=1}^P f^{(p)}_a(x)\, f^{(p)}_b(x')

    (Jacot et al. 2018, section 3.1). By the law of large numbers it tends to the covariance of
    the functions; see :func:`expected_squared_error`.

    Parameters
    ----------
    functions : ArrayLike, shape (p, n, k)
        Values of the random functions.

    Returns
    -------
    Array, shape (n, n, k, k)
        The kernel; ``[..., 0, 0]`` is the matrix of a single output.

    Raises
    ------
    ShapeError
        If the functions have another rank.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import tangent_kernel
    >>> functions = jnp.asarray([[1.0, 0.0], [1.0, 2.0]])[..., None]
    >>> tangent_kernel(functions)[..., 0, 0].tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """
    values = _functions(functions)
    return jnp.einsum("pia,pjb->ijab", values, values) / len(values)


def expected_squared_error(
    K: Num[ArrayLike, "n n"] | Num[ArrayLike, "n n k k"], count: int
) -> Float[Array, ""]:
    r"""Mean squared distance of the tangent kernel of Gaussian functions from its limit.

    .. math:: \mathbb E \| \tilde K - K \|_F^2
              = \frac{ (\operatorname{tr} K)^2 + \| K \|_F^2 }{P},

    since :math:`\operatorname{Var}(f_a f_b) = K_{aa} K_{bb} + K_{ab}^2` for a centred Gaussian
    pair (Isserlis' theorem). It holds for :func:`random_functions`; other distributions with the
    same covariance have another fourth moment.

    Parameters
    ----------
    K : ArrayLike, shape (n, n) or (n, n, k, k)
        The covariance of the functions; ``(n, n)`` is a kernel of one output.
    count : int
        The number :math:`P` of functions.

    Returns
    -------
    Array, shape ()
        The expectation.

    Raises
    ------
    ShapeError, InvalidValueError
        If ``K`` is not square or not finite, or ``count`` is below 1.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import expected_squared_error
    >>> float(expected_squared_error(jnp.eye(2), 3))
    2.0
    """
    gram = _square(K)
    total = jnp.trace(gram) ** 2 + jnp.sum(gram**2)
    return total / checks.positive_integer("count", count)


def _square(K: ArrayLike) -> Float[Array, "nk nk"]:
    n = jnp.shape(K)[0] if jnp.ndim(K) else None
    return kernel_matrix(multidimensional("K", K, n, n, None))


def _functions(functions: ArrayLike) -> Float[Array, "p n k"]:
    values = checks.as_array("functions", functions)
    if values.ndim != 3 or 0 in values.shape:
        raise ShapeError(
            f"functions must have shape (count, n, k), got {values.shape}: values of each "
            "function at n points"
        )
    checks.require_finite("functions", values)
    return values
