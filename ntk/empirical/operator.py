"""The tangent kernel as a linear operator: applied, never formed."""

from functools import cached_property
from typing import Any

import jax
from jax import Array

from ntk import checks
from ntk.empirical.matrix_free import MatrixFree
from ntk.empirical.request import check_request, make_request
from ntk.errors import ShapeError
from ntk.model import Model


class NTKOperator(MatrixFree):
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
    def outputs(self) -> int:
        """Number of outputs of the model: rows, and columns, that belong to one example."""
        return self._k

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
