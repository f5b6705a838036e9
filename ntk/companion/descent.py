"""Training by the book: full-batch descent on squared loss, and its limit of small steps."""

from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.typing import ArrayLike
from jaxtyping import Float

from ntk.errors import MissingExtraError
from ntk.model import Model

LossScale = Literal["sum", "mean"]


class Descent(NamedTuple):
    """What :func:`gradient_descent` returns.

    Attributes
    ----------
    params : pytree of Array
        Parameters after the last step.
    losses : Array, shape (steps,)
        The loss before each step.
    """

    params: Any
    losses: Float[Array, " steps"]


def squared_loss(
    f: Model, params: Any, x: Any, y: Float[Array, "n k"], loss_scale: LossScale = "sum"
) -> Float[Array, ""]:
    r"""Squared loss, half the sum or half the mean of the squared residuals.

    .. math:: \mathcal L = \tfrac12 \sum_i \| f(\theta, x_i) - y_i \|^2

    and with ``"mean"`` this divided by ``y.size``.

    Parameters
    ----------
    f : callable
        A model ``f(params, x) -> (n, k)``.
    params : pytree of Array
        Its parameters.
    x : Array
        Inputs, ``n`` of them.
    y : Array, shape (n, k)
        Targets.
    loss_scale : {"sum", "mean"}
        What the sum is divided by: 1, or ``y.size``.

    Returns
    -------
    Array, shape ()
        The loss.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> float(squared_loss(lambda w, x: w * x, 3.0, jnp.ones((2, 1)), jnp.ones((2, 1))))
    4.0
    """
    residual = f(params, x) - y
    total = 0.5 * jnp.sum(residual**2)
    return total / y.size if loss_scale == "mean" else total


def gradient_descent(
    f: Model,
    params: Any,
    x: Any,
    y: Float[Array, "n k"],
    *,
    learning_rate: ArrayLike,
    steps: int,
    loss_scale: LossScale = "sum",
) -> Descent:
    r"""Full-batch gradient descent, :math:`\theta \mapsto \theta - \eta \nabla \mathcal L`.

    Traces under ``jit`` and ``vmap``, over parameters or learning rates as well. After ``steps``
    steps the flow time of :class:`ntk.GradientFlow` is ``steps * learning_rate``, up to an error
    of the order of the learning rate.

    Parameters
    ----------
    f, params, x, y, loss_scale
        As for :func:`squared_loss`.
    learning_rate : float
        The step :math:`\eta`.
    steps : int
        How many.

    Returns
    -------
    Descent
        The final parameters, and the loss before each step.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> one = jnp.ones((1, 1))
    >>> w, losses = gradient_descent(lambda w, x: w * x, 0.0, one, one, learning_rate=0.5, steps=3)
    >>> float(w), losses.tolist()
    (0.875, [0.5, 0.125, 0.03125])
    """
    loss = jax.value_and_grad(partial(squared_loss, f), argnums=0)

    def step(current: Any, _: None) -> tuple[Any, Array]:
        value, gradient = loss(current, x, y, loss_scale)
        moved = jax.tree.map(lambda p, g: p - learning_rate * g, current, gradient)
        return moved, value

    start = jax.tree.map(jnp.asarray, params)
    return Descent(*jax.lax.scan(step, start, None, steps))


def parameter_flow(
    f: Model,
    params: Any,
    x: Any,
    y: Float[Array, "n k"],
    *,
    time: float,
    loss_scale: LossScale = "sum",
    tolerance: float = 1e-10,
) -> Any:
    r"""Gradient flow of the parameters, :math:`\dot\theta = -\nabla \mathcal L`.

    Solved by an adaptive Runge-Kutta method of order 5 (Tsitouras 2011), as diffrax has it.

    Parameters
    ----------
    f, params, x, y, loss_scale
        As for :func:`squared_loss`.
    time : float
        How long to flow.
    tolerance : float, default 1e-10
        Relative and absolute error of a step.

    Returns
    -------
    pytree of Array
        The parameters at that time.

    Raises
    ------
    MissingExtraError
        If diffrax is not installed.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> one = jnp.ones((1, 1))
    >>> w = parameter_flow(lambda w, x: w * x, 0.0, one, one, time=1.0, tolerance=1e-6)
    >>> round(float(w), 4)  # 1 - exp(-1)
    0.6321
    """
    try:
        import diffrax
    except ImportError as error:
        raise MissingExtraError(
            "parameter_flow needs diffrax: pip install 'ntk-companion[book]'"
        ) from error
    # One flat vector: the solver's buffers do not take the empty leaves of layers without any.
    start, unravel = ravel_pytree(jax.tree.map(jnp.asarray, params))
    gradient = jax.grad(lambda flat: squared_loss(f, unravel(flat), x, y, loss_scale))

    def velocity(_: Any, current: Array, __: Any) -> Array:
        return -gradient(current)

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(velocity),
        diffrax.Tsit5(),
        t0=0.0,
        t1=time,
        dt0=None,
        y0=start,
        stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
        saveat=diffrax.SaveAt(t1=True),
        max_steps=100_000,
    )
    return unravel(solution.ys[-1])
