"""Outputs that follow a constant kernel and a training direction: what all such flows share."""

import abc
import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.dynamics import ode
from ntk.dynamics.eigensystem import check_semidefinite, check_symmetric
from ntk.dynamics.stability import check_momentum
from ntk.dynamics.trajectory import not_negative
from ntk.errors import InvalidValueError, ShapeError


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class KernelFlow(abc.ABC):
    """Outputs that follow a constant kernel and a training direction; see the subclasses."""

    K: Array
    learning_rate: Any
    momentum: Any
    tolerance: float | None = dataclasses.field(metadata={"static": True})
    solver: Any = dataclasses.field(metadata={"static": True})
    max_steps: int = dataclasses.field(metadata={"static": True})

    def __init__(self, K: Any, **options: Any) -> None:
        momentum, tolerance = options["momentum"], options["tolerance"]
        fields = {
            "K": check_kernel(K),
            "learning_rate": not_negative("learning_rate", options["learning_rate"], strictly=True),
            "momentum": None if momentum is None else check_momentum(momentum),
            "tolerance": tolerance
            if tolerance is None
            else not_negative("tolerance", tolerance, strictly=True),
            "solver": options["solver"],
            "max_steps": checks.positive_integer("max_steps", options["max_steps"]),
        }
        ode.load()
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        """Print the shape and the options."""
        momentum = "" if self.momentum is None else f", momentum={self.momentum!r}"
        return (
            f"{type(self).__name__}(K of shape {self.K.shape}, "
            f"learning_rate={self.learning_rate!r}{momentum})"
        )

    @abc.abstractmethod
    def _direction(self) -> Any:
        """Return the direction as a function of time and training outputs."""

    def train(
        self, t: Num[ArrayLike, "*times"], f0: Num[ArrayLike, "n k"]
    ) -> Float[Array, "*times n k"]:
        """Return the outputs on the training points.

        Parameters
        ----------
        t : float, or array of floats
            Times, at least 0 and finite, in any order.
        f0 : ArrayLike, shape (n, k)
            Outputs at time 0.

        Returns
        -------
        Array, shape (n, k), or (len(t), n, k) for an array of times

        Raises
        ------
        InvalidValueError, ShapeError
            If a time is negative, infinite or NaN, shapes do not match, or the solver takes more
            than ``max_steps`` steps.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.FunctionFlow(jnp.eye(1), jnp.ones((1, 1)), loss="squared")
        >>> round(flow.train(1.0, jnp.zeros((1, 1))).item(), 3)  # 1 - exp(-1)
        0.632
        """
        start = self._start(f0)
        return start + self._moved(self.K, self._coefficients(t, start))

    def test(
        self,
        t: Num[ArrayLike, "*times"],
        K_test_train: Num[ArrayLike, "..."],
        f0_test: Num[ArrayLike, "m k"],
        f0: Num[ArrayLike, "n k"],
    ) -> Float[Array, "*times m k"]:
        """Return the outputs on further points, which follow the training points.

        Parameters
        ----------
        t : float, or array of floats
            Times, at least 0 and finite.
        K_test_train : ArrayLike, shape (m, n) or (m, n, k, k)
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
            As for :meth:`train`.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> one = jnp.ones((1, 1))
        >>> flow = ntk.FunctionFlow(one, one, loss="squared")
        >>> round(flow.test(1.0, 0.5 * one, 0 * one, 0 * one).item(), 3)
        0.316
        """
        start = self._start(f0)
        cross = checks.as_array("K_test_train", K_test_train).astype(self.K.dtype)
        rest = (start.shape[0], *self.K.shape[2:])
        if cross.ndim != self.K.ndim or cross.shape[1:] != rest:
            raise ShapeError(
                f"K_test_train must have shape (m, {', '.join(map(str, rest))}), as K has; got "
                f"{cross.shape}"
            )
        checks.require_finite("K_test_train", cross)
        start_test = checks.matrix("f0_test", f0_test, (cross.shape[0], start.shape[1]))
        moved = self._moved(cross, self._coefficients(t, start))
        return start_test.astype(self.K.dtype) + moved

    def _coefficients(self, t: ArrayLike, start: Array) -> Array:
        """Solve for the dual coefficients: both kinds of outputs are a kernel times these."""
        times = self._times(t)
        direction = self._direction()
        shape = jax.eval_shape(direction, jnp.zeros((), times.dtype), start).shape
        if shape != start.shape:
            raise ShapeError(
                f"direction(t, f) must return the shape of the outputs, {start.shape}; got {shape}"
            )
        # Measured in units of the outputs, so that the tolerance is one of outputs.
        axes = (1,) if self.K.ndim == 2 else (1, 3)
        norm = jnp.max(jnp.sum(jnp.abs(self.K), axis=axes))
        norm = jnp.where(norm > 0, norm, 1.0)
        problem = ode.Problem(self.K / norm, start, norm * self.learning_rate, self.momentum)
        path = ode.solve(
            direction, problem, times.reshape(-1), self.tolerance, self.solver, self.max_steps
        )
        return path.reshape(*times.shape, *start.shape) / norm

    @staticmethod
    def _moved(K: Array, coefficients: Array) -> Array:
        return ode.apply_kernel(K, coefficients)

    def _start(self, f0: ArrayLike) -> Array:
        n = self.K.shape[0]
        k = self.K.shape[2] if self.K.ndim == 4 else None
        return checks.matrix("f0", f0, (n, k)).astype(self.K.dtype)

    def _times(self, t: ArrayLike) -> Array:
        if checks.is_concrete(t):
            t = np.asarray(t, self.K.dtype)
        times = checks.as_array("t", t).astype(self.K.dtype)
        if times.ndim > 1 or times.size == 0:
            raise ShapeError(f"t must be a number or a sequence of numbers, got {times.shape}")
        if checks.is_concrete(times):
            values = np.asarray(times)
            if not ((values >= 0) & np.isfinite(values)).all():
                raise InvalidValueError(
                    f"t must be at least 0 and finite, got {t}; the end of training under squared "
                    "loss is ntk.GradientFlow's, other losses need not have any"
                )
        return times


def check_kernel(K: Any) -> Array:
    """Check a Gram matrix ``(n, n)`` or ``(n, n, k, k)`` and return it as an array."""
    gram = checks.as_array("K", K)
    square = gram.ndim in (2, 4) and gram.shape[0] == gram.shape[1]
    if not square or (gram.ndim == 4 and gram.shape[2] != gram.shape[3]) or 0 in gram.shape:
        raise ShapeError(f"K must have shape (n, n) or (n, n, k, k), got {gram.shape}")
    checks.require_finite("K", gram)
    rows = gram.shape[0] * (gram.shape[2] if gram.ndim == 4 else 1)
    if checks.is_concrete(gram):
        check_symmetric(np.asarray(gram).swapaxes(1, -2).reshape(rows, rows))
        if gram.ndim == 2:
            check_semidefinite(np.linalg.eigvalsh(np.asarray(gram)), gram.dtype)
    return gram
