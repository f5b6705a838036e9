"""Kernel gradient descent for any cost, as a differential equation in function space."""

from functools import partial
from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.dynamics.function_flow import DirectionFlow
from ntk.function_space.dual import Cost, cost_gradient
from ntk.function_space.kernels import multidimensional


class KernelGradientDescent:
    r"""A function that follows the kernel gradient of a cost.

    .. math:: \partial_t f(t) = - \nabla_K C |_{f(t)}

    (Jacot et al. 2018, section 3). For a cost that is convex and bounded below, and a kernel that
    is positive definite on the data, the cost tends to its infimum; along a null direction of the
    kernel the function does not move. For the squared loss :class:`ntk.GradientFlow` has the
    solution in closed form. This is :class:`ntk.DirectionFlow` down a cost, which solves for

    .. math:: a_j(t) = \int_0^t \frac{\partial C}{\partial f(x_j)}\, ds, \qquad
              f_t(x) = f_0(x) - \sum_j K(x, x_j)\, a_j(t),

    so that points off the data need no equation of their own.

    Parameters
    ----------
    K : ArrayLike, shape (n, n) or (n, n, k, k)
        The kernel on the data.
    cost : callable
        From values ``(n, k)`` to a number, written with ``jax.numpy``.
    f0 : ArrayLike, shape (n, k)
        Values on the data at time 0.
    tolerance : float, optional
        Relative and absolute error of a step: 1e-9 in float64, 1e-5 in float32 if omitted.

    Raises
    ------
    InvalidTypeError, ShapeError, InvalidValueError
        If ``cost`` is no function to one number, shapes do not match, or something is not finite.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import KernelGradientDescent
    >>> descent = KernelGradientDescent(
    ...     jnp.eye(1), lambda f: 0.5 * jnp.sum(f**2), jnp.ones((1, 1))
    ... )
    >>> round(float(descent.train(1.0)[0, 0]), 3)  # exp(-1)
    0.368
    """

    def __init__(
        self,
        K: Num[ArrayLike, "n n"] | Num[ArrayLike, "n n k k"],
        cost: Cost,
        f0: Num[ArrayLike, "n k"],
        *,
        tolerance: float | None = None,
    ) -> None:
        start = checks.matrix("f0", f0, (None, None))
        n, k = start.shape
        kernel = multidimensional("K", K, n, n, k)
        dtype = jnp.promote_types(kernel.dtype, start.dtype)
        self.f0, self.cost = start.astype(dtype), cost
        cost_gradient(cost, self.f0)  # speaks now of what would fail inside the solver
        direction = partial(_downhill, cost)
        self._flow = DirectionFlow(kernel.astype(dtype), direction, tolerance=tolerance)

    def train(self, t: Num[ArrayLike, "*times"]) -> Float[Array, "*times n k"]:
        """Return the values on the data.

        Parameters
        ----------
        t : float or array of floats
            Finite times, at least 0.

        Returns
        -------
        Array, shape (n, k), or (len(t), n, k) for an array of times

        Raises
        ------
        InvalidValueError
            If a time is negative, infinite or NaN.
        MissingExtraError
            If diffrax is not installed.

        Examples
        --------
        >>> import jax.numpy as jnp
        >>> from ntk.function_space import KernelGradientDescent
        >>> descent = KernelGradientDescent(jnp.eye(1), lambda f: jnp.sum(f), jnp.ones((1, 1)))
        >>> descent.train(jnp.asarray([0.0, 2.0]))[:, 0, 0].round(4).tolist()
        [1.0, -1.0]
        """
        return self._flow.train(t, self.f0)

    def test(
        self,
        t: Num[ArrayLike, "*times"],
        K_test_train: Num[ArrayLike, "m n"] | Num[ArrayLike, "m n k k"],
        f0_test: Num[ArrayLike, "m k"],
    ) -> Float[Array, "*times m k"]:
        """Return the values at further points.

        Parameters
        ----------
        t : float or array of floats
            Finite times, at least 0.
        K_test_train : ArrayLike, shape (m, n) or (m, n, k, k)
            Kernel of the further points against the data.
        f0_test : ArrayLike, shape (m, k)
            Their values at time 0.

        Returns
        -------
        Array, shape (m, k), or (len(t), m, k) for an array of times

        Raises
        ------
        ShapeError, InvalidValueError
            If shapes do not match, or a time is negative, infinite or NaN.
        MissingExtraError
            If diffrax is not installed.

        Examples
        --------
        >>> import jax.numpy as jnp
        >>> from ntk.function_space import KernelGradientDescent
        >>> descent = KernelGradientDescent(jnp.eye(1), lambda f: jnp.sum(f), jnp.ones((1, 1)))
        >>> descent.test(2.0, jnp.asarray([[0.5]]), jnp.zeros((1, 1))).round(4).tolist()
        [[-1.0]]
        """
        return self._flow.test(t, K_test_train, f0_test, self.f0)


def _downhill(cost: Cost, _: Any, f: Array) -> Array:
    return -cost_gradient(cost, f)
