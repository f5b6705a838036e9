"""How far training has come: along each eigenvector, in the loss, and in terms of a ridge."""

import abc
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk.dynamics.trajectory import Trajectory, not_negative


class Modes(NamedTuple):
    r"""Training seen along the eigenvectors of the kernel, least eigenvalue first.

    Attributes
    ----------
    residual : Array, shape (n, k), or (len(t), n, k) for an array of times
        Coefficients :math:`v_i^{\mathsf T} (f_t - y)`.
    speed : Array of the same shape
        How fast they change: per unit of time, or in the next step.
    loss : Array of the same shape
        Half their squares, scaled as the loss is: the sum over all is the loss.
    """

    residual: Array
    speed: Array
    loss: Array


class Progress(Trajectory):
    """What can be asked of flow and descent beside their outputs; see the subclasses."""

    @property
    @abc.abstractmethod
    def _pace(self) -> Any:
        """What the eigenvalues are multiplied by per unit of time, in the long run."""

    def modes(self, t: Num[ArrayLike, "*times"], f0: Num[ArrayLike, "n k"]) -> Modes:
        r"""Return residual, speed and loss along each eigenvector of the kernel.

        .. math:: v_i^{\mathsf T} (f_t - y) = \frac{\rho + \lambda_i \phi_i(t)}
                  {\lambda_i + \rho}\; v_i^{\mathsf T} (f_0 - y)

        where :math:`\phi_i` falls from 1 to 0: without a ridge each residual falls by itself, at
        the rate :math:`\eta \lambda_i` of its eigenvalue (Jacot et al. 2018, section 5). In the
        null space it stays what it was.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0; for descent numbers of steps.
        f0 : ArrayLike, shape (n, k)
            Outputs at time 0.

        Returns
        -------
        Modes
            ``.residual``, ``.speed``, ``.loss``, each ``(n, k)`` with a leading axis for an array
            of times; in the order of ``eigenvalues``.

        Raises
        ------
        InvalidValueError, ShapeError
            As for :meth:`train`.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(jnp.diag(jnp.asarray([1.0, 2.0])), jnp.zeros((2, 1)))
        >>> modes = flow.modes(1.0, jnp.ones((2, 1)))
        >>> jnp.abs(modes.residual[:, 0]).round(3).tolist()  # exp(-1), exp(-2)
        [0.3680000305175781, 0.13500000536441803]
        """
        times, start = self._times(t), self._start(f0)
        begin = self.spectrum.along(start - self.y)
        _, decay, growth = self._filter(times)
        stiffness = self._stiffness
        left = (self.ridge + self.eigenvalues * decay) / stiffness
        residual = jnp.where(self.spectrum.null, 1.0, left)[..., None] * begin
        moving = jnp.where(self.spectrum.null, 0.0, -self.eigenvalues * growth)
        return Modes(residual, moving[..., None] * begin, 0.5 * self._scale * residual**2)

    def loss(self, t: Num[ArrayLike, "*times"], f0: Num[ArrayLike, "n k"]) -> Array:
        r"""Return the loss on the training points, without the ridge's term.

        .. math:: \mathcal L_t = \tfrac12 \sum_i \| f_t(x_i) - y_i \|^2

        and with ``loss_scale="mean"`` this divided by ``y.size``.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0; for descent numbers of steps.
        f0 : ArrayLike, shape (n, k)
            Outputs at time 0.

        Returns
        -------
        Array, shape (), or (len(t),) for an array of times

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(jnp.eye(2), jnp.ones((2, 1)))
        >>> flow.loss(jnp.asarray([0.0, jnp.inf]), jnp.zeros((2, 1))).tolist()
        [1.0, 0.0]
        """
        return jnp.sum(self.modes(t, f0).loss, axis=(-2, -1))

    def degrees_of_freedom(self, t: Num[ArrayLike, "*times"]) -> Array:
        r"""Return the effective number of parameters that the training has fitted.

        .. math:: \operatorname{tr} K M_t = \sum_i \lambda_i M_{t, i}

        (Hastie, Tibshirani and Friedman 2009, section 7.6), the trace of the map from targets to
        outputs: 0 at the start, the rank of the kernel at the end if there is no ridge.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0; for descent numbers of steps.

        Returns
        -------
        Array, shape (), or (len(t),) for an array of times

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(jnp.diag(jnp.asarray([1.0, 2.0, 0.0])), jnp.zeros((3, 1)))
        >>> flow.degrees_of_freedom(jnp.inf).item()
        2.0
        """
        return jnp.sum(self.eigenvalues * self._gain(self._times(t)), axis=-1)

    def equivalent_ridge(self, t: Num[ArrayLike, "*times"]) -> Array:
        r"""Return the ridge whose regression is most like stopping at a time.

        .. math:: \rho = \frac{1}{\eta t}

        with :math:`\eta` divided by ``y.size`` if the loss is a mean, and by :math:`1 - \beta` if
        there is momentum. Both shrink the same directions: the filters :math:`1 - e^{-x}` of
        stopping and :math:`x / (1 + x)` of the ridge, at :math:`x = \lambda / \rho`, differ by at
        most 0.2036, at :math:`x = 2.51` (compare Ali, Kolter and Tibshirani 2019).

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0; for descent numbers of steps.

        Returns
        -------
        Array, shape (), or (len(t),) for an array of times
            In units of the kernel; infinite at time 0.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(jnp.eye(2), jnp.zeros((2, 1)), learning_rate=0.5)
        >>> flow.equivalent_ridge(20.0).item()
        0.10000000149011612
        """
        ridge: Array = 1.0 / (self._pace * self._times(t))
        return ridge

    def equivalent_time(self, ridge: Any) -> Any:
        r"""Return the time at which stopping is most like regression with this ridge.

        Parameters
        ----------
        ridge : float
            A ridge above 0, in units of the kernel.

        Returns
        -------
        float or Array, shape ()
            The time; for descent a number of steps, not rounded. The inverse of
            :meth:`equivalent_ridge`.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> ntk.GradientFlow(jnp.eye(2), jnp.zeros((2, 1))).equivalent_time(0.25)
        4.0
        """
        return 1.0 / (self._pace * not_negative("ridge", ridge, strictly=True))
