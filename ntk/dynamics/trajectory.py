"""What flow and descent share: a constant kernel, and a filter on each of its eigenvalues."""

import abc
import dataclasses
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.dynamics.eigensystem import Eigensystem, eigensystem
from ntk.errors import InvalidValueError, ShapeError

LossScale = Literal["sum", "mean"]


class Filter(NamedTuple):
    r"""How far training has come along each eigenvector, shapes (\*times, n).

    Attributes
    ----------
    gain : Array
        Eigenvalues of :math:`M_t`, where :math:`f_t = f_0 + K M_t (y - f_0)`; 0 in the null space.
    decay : Array
        What is left of the distance to the end, :math:`1 - (\lambda + \rho) M_t`; 1 at the start.
    growth : Array
        The derivative of the gain in time, or its growth in the next step.
    """

    gain: Array
    decay: Array
    growth: Array


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Trajectory(abc.ABC):
    """Outputs during training with a constant kernel under squared loss; see the subclasses."""

    spectrum: Eigensystem
    y: Float[Array, "n k"]
    learning_rate: Any
    ridge: Any
    loss_scale: LossScale = dataclasses.field(metadata={"static": True})

    def __init__(self, K: Any, y: Any, learning_rate: Any, loss_scale: Any, ridge: Any) -> None:
        spectrum = eigensystem(K)
        targets = checks.matrix("y", y, (spectrum.eigenvectors.shape[-1], None))
        checks.choice("loss_scale", loss_scale, ("sum", "mean"))
        dtype = jnp.promote_types(spectrum.eigenvalues.dtype, targets.dtype)
        fields = {
            "spectrum": spectrum.astype(dtype),
            "y": targets.astype(dtype),
            "learning_rate": not_negative("learning_rate", learning_rate, strictly=True),
            "ridge": not_negative("ridge", ridge),
            "loss_scale": loss_scale,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        """Print the numbers; of the arrays the shapes."""
        n, k = self.y.shape
        numbers = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in {"spectrum", "y"}
        }
        words = ", ".join(f"{name}={value!r}" for name, value in numbers.items())
        return f"{type(self).__name__}(n={n}, k={k}, {words})"

    @abc.abstractmethod
    def _filter(self, times: Array) -> Filter:
        """Return the filter at these times, right where the eigenvalue does not count as zero."""

    @property
    def eigenvalues(self) -> Float[Array, " n"]:
        """Eigenvalues of the kernel in rising order, shape (n,)."""
        return self.spectrum.eigenvalues

    @property
    def eigenvectors(self) -> Float[Array, "n n"]:
        """Eigenvectors of the kernel in columns, shape (n, n)."""
        return self.spectrum.eigenvectors

    def train(
        self, t: Num[ArrayLike, "*times"], f0: Num[ArrayLike, "n k"]
    ) -> Float[Array, "*times n k"]:
        """Return the outputs on the training points.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0; for descent numbers of steps.
        f0 : ArrayLike, shape (n, k)
            Outputs at time 0.

        Returns
        -------
        Array, shape (n, k), or (len(t), n, k) for an array of times

        Raises
        ------
        InvalidValueError, ShapeError
            If a time is negative or NaN, or ``f0`` does not have the shape of the targets.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(jnp.eye(2), jnp.ones((2, 1)))
        >>> flow.train(jnp.inf, jnp.zeros((2, 1))).tolist()
        [[1.0], [1.0]]
        """
        times, start = self._times(t), self._start(f0)
        learnt = self.eigenvalues * self._gain(times)
        return start + self.eigenvectors @ (learnt[..., None] * self._residual(start, times))

    def test(
        self,
        t: Num[ArrayLike, "*times"],
        K_test_train: Num[ArrayLike, "m n"],
        f0_test: Num[ArrayLike, "m k"],
        f0: Num[ArrayLike, "n k"],
    ) -> Float[Array, "*times m k"]:
        """Return the outputs on further points.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0; for descent numbers of steps.
        K_test_train : ArrayLike, shape (m, n)
            Kernel of the further points against the training points.
        f0_test : ArrayLike, shape (m, k)
            Outputs on the further points at time 0.
        f0 : ArrayLike, shape (n, k)
            Outputs on the training points at time 0.

        Returns
        -------
        Array, shape (m, k), or (len(t), m, k) for an array of times

        Raises
        ------
        InvalidValueError, ShapeError
            If a time is negative or NaN, or shapes do not match.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(jnp.eye(2), jnp.ones((2, 1)))
        >>> zeros = jnp.zeros((2, 1))
        >>> flow.test(jnp.inf, jnp.asarray([[0.5, 0.0]]), zeros[:1], zeros).tolist()
        [[0.5]]
        """
        times, start = self._times(t), self._start(f0)
        n, k = self.y.shape
        cross = checks.matrix("K_test_train", K_test_train, (None, n))
        start_test = checks.matrix("f0_test", f0_test, (cross.shape[0], k))
        weighted = self._gain(times)[..., None] * self._residual(start, times)
        return start_test + (cross @ self.eigenvectors) @ weighted

    def weights(
        self, t: Num[ArrayLike, "*times"], K_test_train: Num[ArrayLike, "m n"]
    ) -> Float[Array, "*times m n"]:
        r"""Return :math:`A_t = K(x, X) M_t`: what each training residual adds to a prediction.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0; for descent numbers of steps.
        K_test_train : ArrayLike, shape (m, n)
            Kernel of the further points against the training points.

        Returns
        -------
        Array, shape (m, n), or (len(t), m, n) for an array of times

        Raises
        ------
        InvalidValueError, ShapeError
            If a time is negative or NaN, or shapes do not match.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(2.0 * jnp.eye(2), jnp.ones((2, 1)))
        >>> flow.weights(jnp.inf, jnp.asarray([[1.0, 0.0]])).tolist()
        [[0.5, 0.0]]
        """
        cross = checks.matrix("K_test_train", K_test_train, (None, self.y.shape[0]))
        along = cross.astype(self.y.dtype) @ self.eigenvectors
        return (along * self._gain(self._times(t))[..., None, :]) @ self.eigenvectors.T

    def unlearnable(self, f0: Num[ArrayLike, "n k"]) -> Float[Array, "n k"]:
        r"""Return the part of :math:`y - f_0` that no training removes: that in the null space.

        Parameters
        ----------
        f0 : ArrayLike, shape (n, k)
            Outputs at time 0.

        Returns
        -------
        Array, shape (n, k)
            Without a ridge what the end of training misses, :math:`y - f_\infty`.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> y = jnp.asarray([[3.0], [1.0]])  # one point twice, with different targets
        >>> flow = ntk.GradientFlow(jnp.ones((2, 2)), y)
        >>> flow.unlearnable(jnp.zeros((2, 1))).round(4).tolist()
        [[1.0], [-1.0]]
        """
        return self.spectrum.null_part(self.y - self._start(f0))

    @property
    def _scale(self) -> float:
        return 1.0 / self.y.size if self.loss_scale == "mean" else 1.0

    @property
    def _stiffness(self) -> Float[Array, " n"]:
        """Eigenvalue plus ridge; in the null space the largest, so that one may divide by it."""
        largest = self.eigenvalues[-1] + self.ridge
        largest = jnp.where(largest > 0, largest, 1.0)
        return jnp.where(self.spectrum.null, largest, self.eigenvalues + self.ridge)

    def _gain(self, times: Array) -> Array:
        return jnp.where(self.spectrum.null, 0.0, self._filter(times).gain)

    def _residual(self, start: Array, times: Array) -> Array:
        residual = self.y - start
        self.warn_of_null_part("y - f0", residual, times)
        return self.spectrum.along(residual)

    def warn_of_null_part(self, name: str, values: Array, times: Any) -> None:
        """Warn if the end is asked for, and a singular kernel without a ridge never reaches it."""
        if checks.is_concrete(times) and np.isinf(np.asarray(times)).any():
            self.spectrum.warn_of_null_part(name, values, self.ridge)

    def _start(self, f0: ArrayLike) -> Array:
        return checks.matrix("f0", f0, self.y.shape).astype(self.y.dtype)

    def _times(self, t: ArrayLike) -> Array:
        if checks.is_concrete(t):  # no warning for a float64 time beside float32 data
            t = np.asarray(t, self.y.dtype)
        times = checks.as_array("t", t).astype(self.y.dtype)
        if times.ndim > 1:
            raise ShapeError(f"t must be a number or a sequence of numbers, got {times.shape}")
        if checks.is_concrete(times) and not (np.asarray(times) >= 0).all():
            raise InvalidValueError(f"t must be at least 0 (inf is allowed), got {t}")
        return times


def not_negative(name: str, value: Any, *, strictly: bool = False) -> Any:
    """Check a number that is at least 0, or ``strictly`` above, or pass a traced value."""
    value = checks.as_float(value)
    if checks.is_concrete(value):
        number = float(value)
        if not (0 <= number < float("inf")) or (strictly and number == 0):
            bound = "positive" if strictly else "at least 0"
            raise InvalidValueError(f"{name} must be finite and {bound}, got {number}")
    return value
