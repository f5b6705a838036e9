"""Stochastic gradient descent on least squares: the steps, and the law that they settle to."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, PRNGKeyArray
from numpy.typing import NDArray

from ntk.errors import InvalidValueError
from ntk.model import Model

Floats = NDArray[np.float64]


def sgd_path(
    key: PRNGKeyArray,
    f: Model,
    params: Any,
    x: Float[Array, "n ..."],
    y: Float[Array, "n k"],
    *,
    rate: ArrayLike,
    batch_size: int,
    steps: int,
    every: int = 1,
) -> Any:
    r"""Descend along gradients of batches that are drawn with replacement, anew at each step.

    .. math:: \theta_{s+1} = \theta_s - \frac\eta B \sum_{i \in \mathcal B_s}
              \bigl(f(\theta_s, x_i) - y_i\bigr) \nabla_\theta f(\theta_s, x_i)

    The entries of :math:`\mathcal B_s` are independent and uniform, so that the expected step is
    one of full-batch descent on the mean loss :math:`\frac{1}{2N} \| f - y \|^2`. This is not what
    ``ntk.train(batch_size=...)`` does, whose batches of an epoch have no example in common.

    Parameters
    ----------
    key : PRNGKeyArray
        Draws the batches.
    f : callable
        A model ``f(params, x) -> (n, k)``.
    params : pytree of Array
        Where it starts.
    x, y : Array, leading axis n
        Examples and targets.
    rate : float
        The learning rate :math:`\eta`.
    batch_size : int
        Entries :math:`B` of a batch.
    steps, every : int
        How many steps, and how many between two records; the number of steps is a multiple.

    Returns
    -------
    pytree of Array, leading axis steps // every
        The parameters after every so many steps; the start is not among them.

    Raises
    ------
    InvalidValueError
        If ``every`` does not divide ``steps``.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> x = y = jnp.ones((4, 1))
    >>> path = sgd_path(jax.random.key(0), lambda w, x: x @ w, jnp.zeros((1, 1)), x, y,
    ...                 rate=0.5, batch_size=2, steps=3)
    >>> path[:, 0, 0].tolist()
    [0.5, 0.75, 0.875]
    """
    if steps % every:
        raise InvalidValueError(f"every must divide steps={steps}, got {every}")

    def loss(current: Any, rows: Array, targets: Array) -> Array:
        return 0.5 * jnp.sum((f(current, rows) - targets) ** 2) / batch_size

    def step(current: Any, number: Array) -> tuple[Any, None]:
        chosen = jax.random.randint(jax.random.fold_in(key, number), (batch_size,), 0, len(y))
        gradient = jax.grad(loss)(current, x[chosen], y[chosen])
        return jax.tree.map(lambda p, g: p - rate * g, current, gradient), None

    def until_next(current: Any, numbers: Array) -> tuple[Any, Any]:
        moved, _ = jax.lax.scan(step, current, numbers)
        return moved, moved

    numbers = jnp.arange(steps).reshape(-1, every)
    return jax.lax.scan(until_next, params, numbers)[1]


def gradient_noise(features: Any, y: Any) -> tuple[Floats, Floats, Floats]:
    r"""Return minimiser, curvature and noise of least squares at its minimum.

    Parameters
    ----------
    features : array_like, shape (n, p)
        The matrix :math:`\Phi`, of rank p.
    y : array_like, shape (n,)
        Targets.

    Returns
    -------
    tuple of ndarray
        :math:`\theta^*`, :math:`H = \Phi^\top \Phi / N`, and the covariance of the gradient of a
        random example there, :math:`G = \frac1N \sum_i (y_i - \varphi_i^\top \theta^*)^2
        \varphi_i \varphi_i^\top`.

    Examples
    --------
    >>> import numpy as np
    >>> _, curvature, noise = gradient_noise(np.ones((2, 1)), np.array([1.0, -1.0]))
    >>> curvature.tolist(), noise.tolist()
    ([[1.0]], [[1.0]])
    """
    phi, targets = np.asarray(features, np.float64), np.asarray(y, np.float64)
    best: Floats = np.asarray(np.linalg.lstsq(phi, targets, rcond=None)[0], np.float64)
    by_residual = phi * (targets - phi @ best)[:, None]
    return best, phi.T @ phi / len(phi), by_residual.T @ by_residual / len(phi)


def stationary_covariance(
    features: Any, y: Any, *, rate: float, batch_size: int, exact: bool = True
) -> Floats:
    r"""Covariance of the parameters to which SGD with replacement settles on least squares.

    With :math:`H` and :math:`G` of :func:`gradient_noise` it solves

    .. math:: H S + S H &= \eta\, H S H \\
              &\quad + \tfrac\eta B \bigl( M(S) + G - H S H \bigr), \\
              M(S) &= \tfrac1N \textstyle\sum_i (\varphi_i^\top S \varphi_i)\,
              \varphi_i \varphi_i^\top

    and to first order in :math:`\eta` Lyapunov's equation :math:`H S + S H = \frac\eta B G`.

    Parameters
    ----------
    features : array_like, shape (n, p)
        The matrix :math:`\Phi`, of rank p.
    y : array_like, shape (n,)
        Targets.
    rate : float
        The learning rate :math:`\eta`.
    batch_size : int
        Entries :math:`B` of a batch.
    exact : bool, default True
        Whether to solve the first equation, or the second.

    Returns
    -------
    ndarray, shape (p, p)
        The covariance.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.ones((2, 1)), np.array([1.0, -1.0])
    >>> at = {"rate": 0.5, "batch_size": 1}
    >>> [float(stationary_covariance(x, y, exact=e, **at)[0, 0].round(4)) for e in (True, False)]
    [0.3333, 0.25]
    """
    phi = np.asarray(features, np.float64)
    _, H, G = gradient_noise(phi, y)
    if not exact:
        return np.asarray(scipy.linalg.solve_continuous_lyapunov(H, rate / batch_size * G))
    p = len(H)
    one = np.eye(p)
    rank_one = np.einsum("ni,nj->nij", phi, phi).reshape(len(phi), -1)
    fourth, both = rank_one.T @ rank_one / len(phi), np.kron(H, H)
    linear = np.kron(H, one) + np.kron(one, H)
    linear -= rate * both + rate / batch_size * (fourth - both)
    return np.asarray(np.linalg.solve(linear, rate / batch_size * G.ravel()).reshape(p, p))
