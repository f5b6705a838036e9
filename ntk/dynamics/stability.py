"""The largest learning rate with which gradient descent converges."""

from typing import Any

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.dynamics.eigensystem import Eigensystem, eigensystem
from ntk.dynamics.trajectory import LossScale, not_negative
from ntk.errors import InvalidValueError


def max_learning_rate(
    K: Num[ArrayLike, "n n"] | Eigensystem,
    *,
    loss_scale: LossScale = "sum",
    outputs: int = 1,
    ridge: Num[ArrayLike, ""] = 0.0,
    momentum: Num[ArrayLike, ""] = 0.0,
    nesterov: bool = False,
) -> Any:
    r"""Return the learning rate below which, and only below which, gradient descent converges.

    For the squared loss and a constant kernel, with :math:`\Lambda` the largest eigenvalue plus the
    ridge and momentum :math:`0 \le \beta < 1`,

    .. math:: \eta < \frac{2}{\Lambda}, \qquad
              \eta < \frac{2 (1 + \beta)}{\Lambda}, \qquad
              \eta < \frac{2 (1 + \beta)}{(1 + 2 \beta)\, \Lambda}

    for plain descent, the heavy ball (Polyak 1964) and Nesterov's method: so that both roots of
    :math:`z^2 - (1 + \beta - x) z + \beta`, or for Nesterov of
    :math:`z^2 - (1 + \beta)(1 - x) z + \beta (1 - x)`, with :math:`x = \eta \Lambda`, are smaller
    than 1. Momentum lets the heavy ball go almost twice as far, and Nesterov less far than plain
    descent. At the limit itself the top direction oscillates for ever.

    Parameters
    ----------
    K : ArrayLike, shape (n, n), or Eigensystem
        Gram matrix of the training inputs.
    loss_scale : {"sum", "mean"}
        As for :class:`ntk.GradientFlow`; ``"mean"`` multiplies the limit by ``n * outputs``.
    outputs : int, default 1
        Number of outputs, columns of ``y``; matters for the mean only.
    ridge : float, default 0.0
        In units of the kernel.
    momentum : float, default 0.0
        The factor :math:`\beta`.
    nesterov : bool, default False
        Nesterov's method instead of the heavy ball.

    Returns
    -------
    float or Array, shape ()
        The limit; infinite for a kernel that is zero.

    Raises
    ------
    ShapeError, InvalidValueError
        If ``K`` is no Gram matrix, or a number is out of range.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.max_learning_rate(4.0 * jnp.eye(2)).item()
    0.5
    >>> ntk.max_learning_rate(4.0 * jnp.eye(2), momentum=0.5).item()
    0.75
    """
    system = eigensystem(K)
    checks.choice("loss_scale", loss_scale, ("sum", "mean"))
    size = system.eigenvalues.shape[-1] * checks.positive_integer("outputs", outputs)
    largest = system.eigenvalues[-1] + not_negative("ridge", ridge)
    scale = size if loss_scale == "mean" else 1.0
    limit = scale * step_limit(check_momentum(momentum), nesterov)
    return jnp.where(largest > 0, limit / jnp.where(largest > 0, largest, 1.0), jnp.inf)


def step_limit(momentum: Any, nesterov: bool) -> Any:
    """Return the limit of learning rate times eigenvalue."""
    limit = 2.0 * (1.0 + momentum)
    return limit / (1.0 + 2.0 * momentum) if nesterov else limit


def check_momentum(momentum: Any) -> Any:
    """Check a factor at least 0 and below 1, or pass a traced one."""
    momentum = not_negative("momentum", momentum)
    if checks.is_concrete(momentum) and float(momentum) >= 1:
        raise InvalidValueError(f"momentum must be below 1, got {float(momentum)}")
    return momentum
