"""The limits of descent on squared loss: small steps, and steps that are too large."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.typing import ArrayLike
from jaxtyping import Float

from ntk.dynamics.losses import squared
from ntk.dynamics.trajectory import LossScale
from ntk.extras import load
from ntk.model import Model
from ntk.training import train
from ntk.training.objective import scaled

ROUNDING = 1e-6
"""By how much the same loss may differ between two compiled programs, relatively."""


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
    return scaled(squared, loss_scale, len(y), y.size)(f(params, x), y)


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
    diffrax = load("diffrax", "training")
    # One flat vector: the solver's buffers do not take the empty leaves of layers without any.
    start, unravel = ravel_pytree(jax.tree.map(jnp.asarray, params))
    gradient = jax.grad(lambda flat: squared_loss(f, unravel(flat), x, y, loss_scale))

    def velocity(_: Any, current: Array, __: Any) -> Array:
        slope: Array = gradient(current)
        return -slope

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


def largest_stable_rate(
    f: Model,
    params: Any,
    x: Any,
    y: Float[Array, "n k"],
    *,
    low: ArrayLike,
    high: ArrayLike,
    steps: int = 500,
    loss_scale: LossScale = "sum",
    bisections: int = 14,
) -> Float[Array, ""]:
    r"""Find the learning rate at which gradient descent begins to raise the loss, by bisection.

    A rate counts as stable if the loss never exceeds its start, but for rounding, within ``steps``
    steps of :func:`ntk.train`. For a model that is linear in its parameters the threshold is
    :math:`2 / \lambda_{\max}` of the kernel of the scaled loss, up to the finite number of steps.

    Parameters
    ----------
    f, params, x, y, loss_scale
        As for :func:`squared_loss`.
    low, high : float
        A stable and an unstable rate, which bracket the threshold.
    steps : int, default 500
        Steps of each trial.
    bisections : int, default 14
        Halvings of the bracket, on a logarithmic scale.

    Returns
    -------
    Array, shape ()
        The threshold; the end of the bracket nearest to it if it lies outside.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> one = jnp.ones((1, 1))
    >>> rate = largest_stable_rate(lambda w, x: w * x, 0.0, one, one, low=0.1, high=9.0)
    >>> round(float(rate), 2)
    2.0
    """

    def halve(_: Any, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        stable, unstable = bracket
        middle = jnp.sqrt(stable * unstable)
        trained = train(
            f, params, x, y, learning_rate=middle, steps=steps, loss_scale=loss_scale, record=()
        )
        rises = ~(trained.highest_loss <= highest)  # a NaN has risen too
        return jnp.where(rises, stable, middle), jnp.where(rises, middle, unstable)

    highest = (1 + ROUNDING) * squared_loss(f, params, x, y, loss_scale)
    bracket = (jnp.asarray(low, y.dtype), jnp.asarray(high, y.dtype))
    stable, unstable = jax.lax.fori_loop(0, bisections, halve, bracket)
    return jnp.sqrt(stable * unstable)
