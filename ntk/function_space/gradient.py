"""The kernel gradient of a cost, and how fast descent along it lowers the cost."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.function_space.dual import Cost, cost_gradient
from ntk.function_space.kernels import act, multidimensional


def kernel_gradient(
    K: Num[ArrayLike, "m n"] | Num[ArrayLike, "m n k k"], cost: Cost, f: Num[ArrayLike, "n k"]
) -> Float[Array, "m k"]:
    r"""Gradient of a cost with respect to a kernel.

    .. math:: \nabla_K C |_f (x) = \Phi_K \bigl( \partial^{in}_f C |_f \bigr)(x)
              = \frac1N \sum_{j=1}^N K(x, x_j)\, d|_f(x_j)

    for the empirical measure (Jacot et al. 2018, section 3), and
    :math:`\sum_j K(x, x_j)\, \partial C / \partial f(x_j)` for every measure: the weights cancel,
    since :math:`w_j d(x_j)` is the partial derivative. Along the tangent kernel it is minus the
    velocity of a model that follows gradient flow.

    Parameters
    ----------
    K : ArrayLike, shape (m, n) or (m, n, k, k)
        Kernel of any points against the data: the data themselves, or points off them.
    cost : callable
        From values ``(n, k)`` to a number, written with ``jax.numpy``.
    f : ArrayLike, shape (n, k)
        Values on the data.

    Returns
    -------
    Array, shape (m, k)
        Values of the gradient at the points of the rows.

    Raises
    ------
    InvalidTypeError, ShapeError, InvalidValueError
        If ``cost`` is no function to one number, shapes do not match, or something is not finite.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import kernel_gradient
    >>> K = jnp.asarray([[2.0, 1.0]])  # one new point against two of the data
    >>> kernel_gradient(K, lambda f: 0.5 * jnp.mean(f**2), jnp.asarray([[1.0], [4.0]])).tolist()
    [[3.0]]
    """
    values = checks.matrix("f", f, (None, None))
    n, k = values.shape
    return act(multidimensional("K", K, None, n, k), cost_gradient(cost, values))


def cost_rate(
    K: Num[ArrayLike, "n n"] | Num[ArrayLike, "n n k k"], cost: Cost, f: Num[ArrayLike, "n k"]
) -> Float[Array, ""]:
    r"""Rate at which kernel gradient descent changes the cost.

    .. math:: \partial_t C |_{f(t)} = - \langle d|_{f(t)}, \nabla_K C |_{f(t)} \rangle_{p^{in}}
              = - \bigl\| d|_{f(t)} \bigr\|_K^2

    (Jacot et al. 2018, section 3). It is never positive, and zero at critical points only if the
    kernel is positive definite.

    Parameters
    ----------
    K : ArrayLike, shape (n, n) or (n, n, k, k)
        The kernel on the data.
    cost, f
        As for :func:`kernel_gradient`.

    Returns
    -------
    Array, shape ()
        The rate, in units of the cost over time.

    Raises
    ------
    InvalidTypeError, ShapeError, InvalidValueError
        As for :func:`kernel_gradient`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import cost_rate
    >>> float(cost_rate(jnp.eye(2), lambda f: 0.5 * jnp.sum(f**2), jnp.asarray([[1.0], [2.0]])))
    -5.0
    """
    values = checks.matrix("f", f, (None, None))
    n, k = values.shape
    slope = cost_gradient(cost, values)
    return -jnp.sum(slope * act(multidimensional("K", K, n, n, k), slope))
