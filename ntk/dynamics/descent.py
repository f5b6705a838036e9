"""Gradient descent in function space with a constant kernel, step by step in closed form."""

import dataclasses
import sys
import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.dynamics import iteration
from ntk.dynamics.eigensystem import Eigensystem
from ntk.dynamics.progress import Progress
from ntk.dynamics.stability import check_momentum, step_limit
from ntk.dynamics.trajectory import Filter, LossScale
from ntk.errors import InvalidTypeError, InvalidValueError, UnstableLearningRateWarning
from ntk.pytrees import register


@register
@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class GradientDescent(Progress):
    r"""Full-batch gradient descent of a model with a constant tangent kernel, squared loss.

    The outputs after :math:`s` steps are those of :class:`ntk.GradientFlow` with another filter,

    .. math:: M_s = (K + \rho)^{-1} \bigl(1 - (1 - \eta (K + \rho))^s\bigr)

    for plain descent (Lee et al. 2019, section 2). With momentum :math:`\beta` a step is

    .. math:: q' = \beta q - \eta\, \nabla \mathcal L(\theta), \qquad
              \theta' = \theta + q'

    (the heavy ball, Polyak 1964), or :math:`\theta' = \theta + \beta q' - \eta \nabla\mathcal L`
    (Nesterov), from :math:`q = 0`. These are the steps of ``optax.sgd`` and of PyTorch. For
    Nesterov's method :math:`\theta` is the point at which the gradient is taken, ahead of the
    point that the textbooks call the iterate.

    Parameters
    ----------
    K : ArrayLike, shape (n, n), or Eigensystem
        Gram matrix of the training inputs, or its decomposition.
    y : ArrayLike, shape (n, k)
        Targets.
    learning_rate : float
        The step :math:`\eta`; a value beyond :func:`ntk.max_learning_rate` is warned of.
    loss_scale, ridge
        As for :class:`ntk.GradientFlow`.
    momentum : float, default 0.0
        The factor :math:`\beta`, at least 0 and below 1.
    nesterov : bool, default False
        Nesterov's method instead of the heavy ball.

    Raises
    ------
    ShapeError, InvalidValueError
        As for :class:`ntk.GradientFlow`, or if the momentum is out of range.

    Notes
    -----
    All methods of :class:`ntk.GradientFlow` are there, with a number of steps in place of the time:
    whole, or infinite. Where the learning rate is too large for an eigenvalue there is no limit of
    infinitely many steps, and its place is NaN.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> descent = ntk.GradientDescent(jnp.eye(1), jnp.ones((1, 1)), learning_rate=0.5)
    >>> descent.train(jnp.asarray([0.0, 1.0, 2.0, jnp.inf]), jnp.zeros((1, 1)))[:, 0, 0].tolist()
    [0.0, 0.5, 0.75, 1.0]
    """

    momentum: Any
    nesterov: bool = dataclasses.field(metadata={"static": True})

    def __init__(
        self,
        K: Num[ArrayLike, "n n"] | Eigensystem,
        y: Num[ArrayLike, "n k"],
        *,
        learning_rate: Num[ArrayLike, ""],
        loss_scale: LossScale = "sum",
        ridge: Num[ArrayLike, ""] = 0.0,
        momentum: Num[ArrayLike, ""] = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(K, y, learning_rate, loss_scale, ridge)
        object.__setattr__(self, "momentum", check_momentum(momentum))
        if not isinstance(nesterov, bool):
            raise InvalidTypeError(f"nesterov must be True or False, got {nesterov!r}")
        object.__setattr__(self, "nesterov", nesterov)
        self._warn_if_unstable()

    def flow_time(self, steps: Num[ArrayLike, "*steps"]) -> Array:
        r"""Return the time at which :class:`ntk.GradientFlow` has come about as far.

        .. math:: t = \frac{\eta s}{1 - \beta}

        for a flow with the same loss scale and the learning rate 1: exactly in the limit of small
        learning rates, at :math:`s \gg 1 / (1 - \beta)`.

        Parameters
        ----------
        steps : float, inf, or array of these
            Numbers of steps.

        Returns
        -------
        Array, shape (), or (len(steps),) for an array

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> one = jnp.ones((1, 1))
        >>> ntk.GradientDescent(one, one, learning_rate=0.1, momentum=0.5).flow_time(100).item()
        20.0
        """
        time: Array = self.learning_rate * self._times(steps) / (1.0 - self.momentum)
        return time

    @property
    def _unit(self) -> Any:
        return self.learning_rate * self._scale

    @property
    def _pace(self) -> Any:
        return self._unit / (1.0 - self.momentum)

    def _filter(self, times: Array) -> Filter:
        unit = jnp.asarray(self._unit, self.y.dtype)
        x = unit * self._stiffness
        if isinstance(self.momentum, float) and self.momentum == 0:
            plain: Filter = iteration.plain(x, times, unit)
            return plain
        beta = jnp.asarray(self.momentum, self.y.dtype)
        stable = x < step_limit(beta, self.nesterov)
        found: Filter = iteration.with_momentum(x, times, unit, beta, stable, self.nesterov)
        return found

    def _times(self, t: ArrayLike) -> Array:
        times = super()._times(t)
        if checks.is_concrete(times):
            finite = np.asarray(times)[np.isfinite(np.asarray(times))]
            if (finite % 1 != 0).any():
                raise InvalidValueError(f"t counts steps and must be whole (or inf), got {t}")
            if (finite >= 2.0**iteration.BITS).any():
                raise InvalidValueError(
                    f"t must be below 2**{iteration.BITS} steps, got {t}; take jnp.inf for the end"
                )
        return times

    def _warn_if_unstable(self) -> None:
        parts = (self.eigenvalues, self.learning_rate, self.ridge, self.momentum)
        if not all(map(checks.is_concrete, parts)):
            return
        largest = float(np.asarray(self.eigenvalues)[-1]) + float(self.ridge)
        limit = step_limit(float(self.momentum), self.nesterov) / self._scale
        if largest > 0 and float(self.learning_rate) * largest >= limit:
            warnings.warn(
                f"learning_rate={float(self.learning_rate):.6g} is not below "
                f"{limit / largest:.6g}, from which on gradient descent does not converge; "
                "see ntk.max_learning_rate",
                UnstableLearningRateWarning,
                stacklevel=checks.levels_outside(sys._getframe()),
            )
