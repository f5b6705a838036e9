"""Gradient flow in function space with a constant kernel, in closed form."""

import dataclasses
from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk.dynamics.eigensystem import Eigensystem
from ntk.dynamics.progress import Progress
from ntk.dynamics.trajectory import Filter, LossScale
from ntk.pytrees import register


@register
@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class GradientFlow(Progress):
    r"""Training of a model with a constant tangent kernel under squared loss.

    For the loss :math:`\tfrac12 \sum_i \| f(x_i) - y_i \|^2` gradient flow at the rate
    :math:`\eta` gives (Jacot et al. 2018, section 5; Lee et al. 2019, section 2)

    .. math:: f_t(X) &= f_0(X) + K M_t (y - f_0(X)), \\
              f_t(x) &= f_0(x) + K(x, X) M_t (y - f_0(X)), \\
              M_t &= (K + \rho)^{-1} \bigl(1 - e^{-\eta (K + \rho) t}\bigr),

    where :math:`\rho` is the ridge: the weight of :math:`\tfrac\rho2\|\theta - \theta_0\|^2`
    beside the sum. At :math:`t = \infty` this is kernel (ridge) regression on the residual. One
    eigendecomposition serves all times. Directions in the null space of ``K`` are never learnt:
    the inverse is the pseudo-inverse there, and :meth:`unlearnable` returns what stays. If the end
    is asked for, there is no ridge, and :math:`y - f_0` has a part in the null space,
    :class:`ntk.errors.SingularGramWarning` says so.

    Parameters
    ----------
    K : ArrayLike, shape (n, n), or Eigensystem
        Gram matrix of the training inputs: symmetric, positive semi-definite; or its
        decomposition, to share it.
    y : ArrayLike, shape (n, k)
        Targets.
    learning_rate : float, default 1.0
        The rate :math:`\eta`, in units of 1 / (kernel * time).
    loss_scale : {"sum", "mean"}
        ``"mean"`` divides the loss, and with it the kernel and the ridge, by ``y.size``: time
        runs slower by that factor, and nothing else changes.
    ridge : float, default 0.0
        The ridge :math:`\rho`, in units of the kernel.

    Raises
    ------
    ShapeError
        If ``K`` is not square, or ``y`` has another length.
    InvalidValueError
        If something is not finite, ``K`` is asymmetric or indefinite beyond rounding (1e-10 in
        float64, 1e-5 in float32, relative), or a number is out of range.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> flow = ntk.GradientFlow(2.0 * jnp.eye(3), jnp.ones((3, 1)))
    >>> f_t = flow.train(jnp.asarray([0.0, 0.5, jnp.inf]), jnp.zeros((3, 1)))
    >>> f_t[:, 0, 0].round(3).tolist()
    [0.0, 0.6320000290870667, 1.0]
    """

    def __init__(
        self,
        K: Num[ArrayLike, "n n"] | Eigensystem,
        y: Num[ArrayLike, "n k"],
        *,
        learning_rate: Num[ArrayLike, ""] = 1.0,
        loss_scale: LossScale = "sum",
        ridge: Num[ArrayLike, ""] = 0.0,
    ) -> None:
        super().__init__(K, y, learning_rate, loss_scale, ridge)

    @property
    def _pace(self) -> Any:
        return self.learning_rate * self._scale

    def _filter(self, times: Array) -> Filter:
        stiffness = self._stiffness
        # 0 * inf is NaN, but no such product arises: every rate is positive.
        exponent = -self._pace * stiffness * times[..., None]
        decay = jnp.exp(exponent)
        return Filter(-jnp.expm1(exponent) / stiffness, decay, self._pace * decay)
