"""What follows from products with a matrix alone: solutions, eigenvalues, trace, determinant."""

from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.checks import is_concrete
from ntk.empirical import spectrum
from ntk.empirical.nngp import Estimate
from ntk.errors import InvalidValueError, ShapeError


class MatrixFree(ABC):
    """A matrix over pairs of examples and outputs that is never formed.

    A subclass says how large it is and how it is applied; positive semi-definite if symmetric.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Rows, and columns, that belong to one example."""

    @property
    @abstractmethod
    def dtype(self) -> Any:
        """The dtype of its entries."""

    @property
    @abstractmethod
    def is_symmetric(self) -> bool:
        """Whether rows and columns are the same examples."""

    @abstractmethod
    def __matmul__(self, v: Any) -> Array:
        """Apply to a vector, to columns, or to outputs of examples."""

    def matvec(self, v: Array) -> Array:
        """Apply to a vector ``(n2 k,)``; the same as ``@``."""
        return self @ v

    def as_matrix(self) -> Array:
        """Form the matrix, column by column; for small ones."""
        return self @ jnp.eye(self.shape[1], dtype=self.dtype)

    def solve(
        self,
        b: Any,
        *,
        ridge: float = 0.0,
        solver: str = "cg",
        tolerance: float = 1e-6,
        max_steps: int | None = None,
    ) -> Array:
        r"""Solve :math:`(\Theta + \lambda) u = b`.

        Parameters
        ----------
        b : Array, shape (n k,) or (n, k)
            Right-hand side.
        ridge : float, default 0.0
            The number :math:`\lambda \ge 0` on the diagonal.
        solver : {"cg", "minres"}
            Conjugate gradients (lineax), or MINRES (Paige and Saunders 1975), whose residual never
            grows and which also stops where the system has no solution.
        tolerance : float, default 1e-6
            Of the residual, relative to ``b``.
        max_steps : int, optional
            Number of products at most; ten times the size if omitted.

        Returns
        -------
        Array, shape of ``b``
            The solution.

        Raises
        ------
        InvalidValueError
            If the operator is not symmetric, a number is out of range, or the solver does not
            reach the tolerance.
        MissingExtraError
            If lineax is not installed and ``solver="cg"``.
        """
        self._require_symmetric("solve")
        checks.choice("solver", solver, ("cg", "minres"))
        checks.scale("ridge", ridge)
        b = checks.as_array("b", b).astype(self.dtype)
        if b.shape not in {self.shape[:1], (self.shape[0] // self.outputs, self.outputs)}:
            raise ShapeError(
                f"b must have shape ({self.shape[0]},) or "
                f"({self.shape[0] // self.outputs}, {self.outputs}), got {b.shape}"
            )
        checks.require_finite("b", b)
        steps = 10 * self.shape[0] if max_steps is None else max_steps
        checks.positive_integer("max_steps", steps)
        method = spectrum.conjugate_gradients if solver == "cg" else spectrum.minres
        flat = b.reshape(-1)
        u = method(lambda v: self @ v + ridge * v, flat, tolerance, steps)
        if is_concrete(u):
            gap = float(jnp.linalg.norm(self @ u + ridge * u - flat))
            size = float(jnp.linalg.norm(flat))
            # The recursions' own residual is a little more hopeful than the true one.
            if not gap <= 10 * tolerance * size:
                raise InvalidValueError(
                    f"{solver} came to a residual of {gap / size:.2g} in max_steps={steps} steps, "
                    f"tolerance={tolerance:g} was asked for; raise ridge, max_steps or tolerance"
                )
        return u.reshape(b.shape)

    def eigenvalues(self, count: int, *, key: PRNGKeyArray, steps: int | None = None) -> Array:
        """Return the largest eigenvalues by Lanczos iteration, in descending order.

        Parameters
        ----------
        count : int
            How many.
        key : PRNGKeyArray
            Of the first vector.
        steps : int, optional
            Length of the iteration; ``2 * count + 20`` if omitted, at most the size.

        Returns
        -------
        Array, shape (count,)
            Eigenvalues; from below, the first ones converge first.

        Raises
        ------
        InvalidValueError
            If the operator is not symmetric or ``count`` is out of range.
        MissingExtraError
            If matfree is not installed.
        """
        self._require_symmetric("eigenvalues")
        size = self.shape[0]
        if checks.positive_integer("count", count) > size:
            raise InvalidValueError(f"count={count} is more than there are: the size is {size}")
        steps = 2 * count + 20 if steps is None else checks.positive_integer("steps", steps)
        steps = max(count, min(steps, size))
        start = jax.random.normal(key, (size,), self.dtype)
        return spectrum.largest_eigenvalues(self.matvec, start, count, steps)

    def trace(self, *, key: PRNGKeyArray, samples: int = 32) -> Estimate:
        r"""Estimate the trace by Hutchinson's mean of :math:`z^\top \Theta z` over random signs.

        Parameters
        ----------
        key : PRNGKeyArray
            Of the signs.
        samples : int, default 32
            Number of products.

        Returns
        -------
        Estimate
            Mean, standard error and number of samples.

        Raises
        ------
        InvalidValueError
            If the operator is not symmetric or there are fewer than two samples.
        MissingExtraError
            If matfree is not installed.
        """
        self._require_symmetric("trace")
        return spectrum.trace(self.matvec, self.shape[0], self.dtype, key, samples)

    def logdet(
        self, *, key: PRNGKeyArray, ridge: float = 0.0, samples: int = 32, steps: int = 50
    ) -> Estimate:
        r"""Estimate :math:`\log \det(\Theta + \lambda)` by stochastic Lanczos quadrature.

        Parameters
        ----------
        key : PRNGKeyArray
            Of the signs.
        ridge : float, default 0.0
            The number :math:`\lambda \ge 0` on the diagonal.
        samples : int, default 32
            Number of random vectors.
        steps : int, default 50
            Products for each of them, at most the size.

        Returns
        -------
        Estimate
            Mean, standard error over the random vectors and their number. The error of the
            quadrature comes on top; it falls with ``steps``, fast if ``ridge`` is not small.

        Raises
        ------
        InvalidValueError
            If the operator is not symmetric or a number is out of range.
        MissingExtraError
            If matfree is not installed.
        """
        self._require_symmetric("logdet")
        checks.scale("ridge", ridge)
        steps = min(checks.positive_integer("steps", steps), self.shape[0])
        return spectrum.logdet(
            lambda v: self @ v + ridge * v, self.shape[0], self.dtype, key, samples, steps
        )

    def _require_symmetric(self, what: str) -> None:
        if not self.is_symmetric:
            raise InvalidValueError(
                f"{what} needs a symmetric operator: leave x2 out, so that rows and columns are "
                "the same examples"
            )
