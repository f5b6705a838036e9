"""Training in function space down any loss, or along any direction, as an equation in time."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.dynamics.kernel_flow import KernelFlow
from ntk.dynamics.losses import Loss, downhill, find_loss
from ntk.dynamics.ode import bind
from ntk.dynamics.trajectory import LossScale
from ntk.errors import InvalidTypeError
from ntk.pytrees import register

Direction = Callable[[Array, Array], Array]
"""A function ``direction(t, f)`` of the time and the training outputs ``(n, k)``: ``(n, k)``."""


@register
@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class FunctionFlow(KernelFlow):
    r"""Training of a model with a constant tangent kernel under any loss.

    Gradient flow of the loss :math:`\mathcal L(f, y)` moves the outputs by (Jacot et al. 2018,
    section 3, where the cost is any functional; Lee et al. 2019, section 2)

    .. math:: \dot f_t(x) = -\eta\, K(x, X)\, \nabla_f \mathcal L(f_t(X), y),

    and with momentum :math:`\beta`, from rest,

    .. math:: \ddot f_t(x) = -(1 - \beta)\, \dot f_t(x)
              - \eta\, K(x, X)\, \nabla_f \mathcal L(f_t(X), y).

    One unit of time is one step: this is what the heavy ball
    ``f[s+1] = f[s] + β (f[s] - f[s-1]) - η K ∇L`` tends to for small :math:`\eta` and
    :math:`1 - \beta`, and what neural-tangents' ``predict.gradient_descent`` solves with its
    ``momentum``. An adaptive Runge-Kutta method of diffrax (Tsitouras 2011) solves it for the dual
    coefficients, from which train and test outputs follow by a product.

    Parameters
    ----------
    K : ArrayLike, shape (n, n) or (n, n, k, k)
        Gram matrix of the training inputs: one for each output, or coupling them as
        ``ntk.empirical_ntk(..., output="full")`` gives it.
    y : ArrayLike, shape (n, k)
        Targets.
    loss : {"squared", "cross_entropy", "huber", "logistic"} or callable
        Of the sum of :math:`\tfrac12 (f - y)^2`; of softmax cross-entropy against rows of
        probabilities; of the Huber loss with threshold 1; of :math:`\log(1 + e^{-yf})` for
        targets -1 and 1. Or a function ``loss(f, y)`` with one number for all examples.
    learning_rate : float, default 1.0
        The rate :math:`\eta`.
    loss_scale : {"sum", "mean"}
        ``"mean"`` divides the loss, a user's own as well, by ``y.size``.
    momentum : float, optional
        The factor :math:`\beta`; none means the first equation, and 0 does not.
    tolerance : float, optional
        Absolute and relative error of one step of the solver, of the outputs: 1e-9 in float64 and
        1e-5 in float32 if omitted. The error at the end is of the same order as long as the flow
        contracts.
    solver : diffrax.AbstractSolver, optional
        Another solver: ``diffrax.Kvaerno5()`` where the eigenvalues times the time span many
        orders of magnitude, since an explicit method takes at least about
        :math:`\eta \lambda_{\max} t / 3` steps.
    max_steps : int, default 100000
        Steps of the solver after which it gives up.

    Raises
    ------
    MissingExtraError
        If diffrax or optax is not installed.
    ShapeError, InvalidTypeError, InvalidValueError
        If ``K`` is not square, finite, symmetric and, with two axes, positive semi-definite; the
        targets do not fit the loss; or a number is out of range.

    Notes
    -----
    Everything traces under ``jit``, ``vmap`` and reverse-mode ``grad``; forward mode is not
    supported by the solver's adjoint. Where the solver gives up under tracing, outputs are
    infinite.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> y = jax.nn.one_hot(jnp.asarray([0, 1]), 2)
    >>> flow = ntk.FunctionFlow(jnp.eye(2), y, loss="cross_entropy")
    >>> f_t = flow.train(jnp.asarray([0.0, 1.0, 100.0]), jnp.zeros((2, 2)))
    >>> [round(float(p), 2) for p in jax.nn.softmax(f_t)[:, 0, 0]]
    [0.5, 0.69, 0.99]
    """

    y: Array
    loss: Loss = dataclasses.field(metadata={"static": True})
    loss_scale: LossScale = dataclasses.field(metadata={"static": True})

    def __init__(
        self,
        K: Num[ArrayLike, "..."],
        y: Num[ArrayLike, "n k"],
        loss: str | Callable[..., Any],
        *,
        learning_rate: Num[ArrayLike, ""] = 1.0,
        loss_scale: LossScale = "sum",
        momentum: Num[ArrayLike, ""] | None = None,
        tolerance: float | None = None,
        solver: Any = None,
        max_steps: int = 100_000,
    ) -> None:
        super().__init__(
            K,
            learning_rate=learning_rate,
            momentum=momentum,
            tolerance=tolerance,
            solver=solver,
            max_steps=max_steps,
        )
        k = self.K.shape[2] if self.K.ndim == 4 else None
        targets = checks.matrix("y", y, (self.K.shape[0], k))
        checks.choice("loss_scale", loss_scale, ("sum", "mean"))
        dtype = jnp.promote_types(self.K.dtype, targets.dtype)
        object.__setattr__(self, "K", self.K.astype(dtype))
        object.__setattr__(self, "y", targets.astype(dtype))
        object.__setattr__(self, "loss", find_loss(loss, self.y))
        object.__setattr__(self, "loss_scale", loss_scale)

    def _start(self, f0: ArrayLike) -> Array:
        return checks.matrix("f0", f0, self.y.shape).astype(self.K.dtype)

    def _direction(self) -> Any:
        scale = 1.0 / self.y.size if self.loss_scale == "mean" else 1.0
        return bind(downhill, self.loss, scale, self.y)


@register
@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class DirectionFlow(KernelFlow):
    r"""Training of a model with a constant tangent kernel along a direction from outside.

    .. math:: \dot f_t(x) = \eta \sum_i K(x, x_i)\, d_t(x_i)

    (Jacot et al. 2018, Theorem 2, with the sum over the data instead of their mean): the kernel
    of a wide network stays constant for any direction whose norm has a bounded integral, not only
    for minus the gradient of a loss, which :class:`ntk.FunctionFlow` takes.

    Parameters
    ----------
    K : ArrayLike, shape (n, n) or (n, n, k, k)
        Gram matrix of the training inputs.
    direction : callable
        ``direction(t, f)`` of the time, an array of shape (), and the training outputs ``(n, k)``;
        returns an array ``(n, k)``. It is traced by JAX.
    learning_rate, momentum, tolerance, solver, max_steps
        As for :class:`ntk.FunctionFlow`.

    Raises
    ------
    MissingExtraError, ShapeError, InvalidTypeError, InvalidValueError
        As for :class:`ntk.FunctionFlow`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> flow = ntk.DirectionFlow(2.0 * jnp.eye(1), lambda t, f: jnp.cos(t) * jnp.ones_like(f))
    >>> round(flow.train(jnp.pi / 2, jnp.zeros((1, 1))).item(), 3)  # 2 sin(pi / 2)
    2.0
    """

    direction: Direction = dataclasses.field(metadata={"static": True})

    def __init__(
        self,
        K: Num[ArrayLike, "..."],
        direction: Callable[..., Any],
        *,
        learning_rate: Num[ArrayLike, ""] = 1.0,
        momentum: Num[ArrayLike, ""] | None = None,
        tolerance: float | None = None,
        solver: Any = None,
        max_steps: int = 100_000,
    ) -> None:
        if not callable(direction):
            raise InvalidTypeError(
                f"direction must be a function direction(t, f), got {type(direction).__name__}"
            )
        object.__setattr__(self, "direction", direction)
        super().__init__(
            K,
            learning_rate=learning_rate,
            momentum=momentum,
            tolerance=tolerance,
            solver=solver,
            max_steps=max_steps,
        )

    def _direction(self) -> Any:
        return self.direction
