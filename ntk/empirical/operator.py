"""The tangent kernel as a linear operator: applied, solved, decomposed, never formed."""

from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.checks import is_concrete
from ntk.empirical import spectrum
from ntk.empirical.nngp import Estimate
from ntk.empirical.request import check_request, make_request
from ntk.errors import InvalidValueError, ShapeError
from ntk.model import Model


class NTKOperator:
    r"""Empirical tangent kernel of a model as a matrix of shape ``(n1 k, n2 k)``.

    .. math:: \Theta v = J(x_1) \bigl( J(x_2)^\top v \bigr)

    by one vector-Jacobian product and one Jacobian-vector product (Novak et al. 2022, section
    3.2), in the memory of a training step on the whole batch and about three times its operations.
    Rows count examples first, then outputs: entry ``i * k + a`` is output ``a`` of example ``i``.

    Parameters
    ----------
    f, params, x1, x2
        As for :func:`ntk.empirical_ntk`.
    output : {"full", "pseudo"} or int
        ``"full"``: all outputs. ``"pseudo"`` or the number of an output: a matrix ``(n1, n2)``.
    coupled : bool, default False
        Allow a model that mixes the examples of a batch.

    Raises
    ------
    NTKError
        As :func:`ntk.empirical_ntk` does.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> net = ntk.mlp(depth=1, width=32, sigma_b=0.1, outputs=2)
    >>> x = jax.random.normal(jax.random.key(0), (4, 3))
    >>> op = NTKOperator(net.apply, net.init(jax.random.key(1), (3,)), x)
    >>> op.shape, (op @ jnp.ones(8)).shape
    ((8, 8), (8,))
    >>> y = op @ jnp.ones((4, 2))  # a number for each example and output
    >>> y.shape
    (4, 2)
    """

    def __init__(
        self,
        f: Model,
        params: Any,
        x1: Any,
        x2: Any = None,
        *,
        output: Any = "full",
        coupled: bool = False,
    ) -> None:
        if isinstance(output, str):
            checks.choice("output", output, ("full", "pseudo"))
        check_request(f, params, x1, x2, output, coupled)
        request = make_request(f, params, x1, output, coupled)
        self._f, self._k = request.f, request.k
        self._params, self._x1, self._x2 = params, x1, x2

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        n1 = jax.tree.leaves(self._x1)[0].shape[0]
        n2 = n1 if self._x2 is None else jax.tree.leaves(self._x2)[0].shape[0]
        return n1 * self._k, n2 * self._k

    @property
    def dtype(self) -> Any:
        """The dtype of the model's results."""
        return jax.eval_shape(self._f, self._params, self._x1).dtype

    @property
    def is_symmetric(self) -> bool:
        """Whether rows and columns are the same examples, so that it is positive semi-definite."""
        return self._x2 is None

    @property
    def T(self) -> "NTKOperator":  # noqa: N802 -- as everywhere
        """The transpose, rows and columns exchanged."""
        if self._x2 is None:
            return self
        other: NTKOperator = object.__new__(NTKOperator)
        other._f, other._k, other._params = self._f, self._k, self._params
        other._x1, other._x2 = self._x2, self._x1
        return other

    def __repr__(self) -> str:
        """Say how large it is."""
        return f"NTKOperator(shape={self.shape}, dtype={self.dtype})"

    def __matmul__(self, v: Any) -> Array:
        """Apply to a vector ``(n2 k,)``, columns ``(n2 k, m)`` or outputs ``(n2, k)``."""
        v = checks.as_array("v", v).astype(self.dtype)
        rows, columns = self.shape
        if v.shape == (columns,):
            return self._product(v)
        if v.ndim == 2 and v.shape[0] == columns:
            # One column after another: each is a pass over the model of full size.
            by_column: Array = jax.lax.map(self._product, v.T)
            return by_column.T
        if v.shape == (columns // self._k, self._k):
            return self._product(v.reshape(-1)).reshape(rows // self._k, self._k)
        raise ShapeError(
            f"v must have shape ({columns},), ({columns}, m) or "
            f"({columns // self._k}, {self._k}), got {v.shape}"
        )

    def _product(self, v: Array) -> Array:
        result: Array = self._apply(self._params, self._x1, self._x2, v)
        return result

    @cached_property
    def _apply(self) -> Any:
        f = self._f

        @jax.jit
        def apply(params: Any, x1: Any, x2: Any, v: Array) -> Array:
            columns = x1 if x2 is None else x2
            y, pullback = jax.vjp(lambda p: f(p, columns), params)
            (gradient,) = pullback(v.reshape(y.shape))
            change: Array = jax.jvp(lambda p: f(p, x1), (params,), (gradient,))[1]
            return change.reshape(-1)

        return apply

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
        if b.shape not in {self.shape[:1], (self.shape[0] // self._k, self._k)}:
            raise ShapeError(
                f"b must have shape ({self.shape[0]},) or "
                f"({self.shape[0] // self._k}, {self._k}), got {b.shape}"
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
