"""One eigendecomposition of a Gram matrix, which everything downstream shares."""

import dataclasses
import sys
import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int, Num

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError, SingularGramWarning
from ntk.pytrees import register

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
"""Relative asymmetry, and relative negative eigenvalue, that is taken for rounding."""


@register
@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Eigensystem:
    r"""Eigenvalues and eigenvectors of a Gram matrix, and where its null space begins.

    .. math:: K = V \operatorname{diag}(\lambda_1, \dots, \lambda_n) V^{\mathsf T}

    An eigenvalue up to ``tolerance`` times the largest cannot be told from zero in the arithmetic
    that made the matrix, and counts as zero: its eigenvector spans a part of the *null space*,
    which no training moves. The inverse is the pseudo-inverse there. The same holds for what
    rounding has made slightly negative.

    Wherever the package takes a train x train Gram matrix to train with, it takes an
    ``Eigensystem`` as well, so that several computations share one decomposition.

    Parameters
    ----------
    K : ArrayLike, shape (n, n)
        Gram matrix: symmetric, positive semi-definite.
    tolerance : float, optional
        Relative size up to which an eigenvalue counts as zero. If omitted
        :math:`\max(10, \sqrt n)` times the rounding of the dtype of ``K``; raise it if the entries
        of ``K`` are less accurate than their dtype.

    Attributes
    ----------
    eigenvalues : Array, shape (n,)
        In rising order, as they came out; see :attr:`null`.
    eigenvectors : Array, shape (n, n)
        In columns.
    tolerance : float
        As above.

    Raises
    ------
    ShapeError
        If ``K`` is not a square matrix.
    InvalidValueError
        If something is not finite, or ``K`` is asymmetric or indefinite beyond rounding (1e-10 in
        float64, 1e-5 in float32, relative).

    Notes
    -----
    Everything traces under ``jit`` and ``vmap``. Derivatives with respect to ``K`` contain
    :math:`1 / (\lambda_i - \lambda_j)`: they are infinite or NaN where eigenvalues coincide, in the
    null space of dimension 2 or more in particular, even where what is computed from ``V`` is
    smooth. Derivatives with respect to everything else (times, rates, targets) are exact.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> system = ntk.Eigensystem(jnp.asarray([[2.0, 2.0], [2.0, 2.0]]))
    >>> int(system.rank), system.null.tolist()
    (1, [True, False])
    >>> flow = ntk.GradientFlow(system, jnp.ones((2, 1)))
    >>> descent = ntk.GradientDescent(system, jnp.ones((2, 1)), learning_rate=0.1)
    """

    eigenvalues: Float[Array, " n"]
    eigenvectors: Float[Array, "n n"]
    tolerance: Any

    def __init__(self, K: Num[ArrayLike, "n n"], *, tolerance: float | None = None) -> None:
        gram = checks.matrix("K", K, (None, None))
        n = gram.shape[0]
        if gram.shape[1] != n:
            raise ShapeError(
                f"K must be square, train x train; got shape {gram.shape}. "
                "The kernel of test against training points belongs to flow.test(...)"
            )
        check_symmetric(gram)
        if tolerance is None:
            tolerance = max(10.0, n**0.5) * checks.rounding(gram.dtype)
        elif not 0 <= checks.number("tolerance", tolerance) < 1:
            raise InvalidValueError(f"tolerance must be at least 0 and below 1, got {tolerance}")
        values, vectors = jnp.linalg.eigh(gram)
        check_semidefinite(values, gram.dtype)
        object.__setattr__(self, "eigenvalues", values)
        object.__setattr__(self, "eigenvectors", vectors)
        object.__setattr__(self, "tolerance", tolerance)

    def __repr__(self) -> str:
        """Say how large it is."""
        return f"Eigensystem(n={self.eigenvalues.shape[-1]}, dtype={self.eigenvalues.dtype})"

    @property
    def null(self) -> Bool[Array, " n"]:
        """Which eigenvalues count as zero, shape (n,)."""
        cutoff: Array = self.tolerance * jnp.max(jnp.abs(self.eigenvalues))
        return self.eigenvalues <= cutoff

    @property
    def rank(self) -> Int[Array, ""]:
        """How many eigenvalues do not count as zero."""
        return jnp.sum(~self.null)

    @property
    def condition(self) -> Float[Array, ""]:
        """The largest eigenvalue over the least that does not count as zero; infinite if none."""
        least = jnp.min(jnp.where(self.null, jnp.inf, self.eigenvalues))
        ratio: Array = jnp.where(self.rank == 0, jnp.inf, self.eigenvalues[-1] / least)
        return ratio

    def along(self, values: Float[Array, "n k"]) -> Float[Array, "n k"]:
        """Return the coefficients of columns along the eigenvectors."""
        return self.eigenvectors.T @ values

    def null_part(self, values: Float[Array, "n k"]) -> Float[Array, "n k"]:
        """Project columns onto the null space.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> system = ntk.Eigensystem(jnp.ones((2, 2)))
        >>> system.null_part(jnp.asarray([[3.0], [1.0]])).round(4).tolist()
        [[1.0], [-1.0]]
        """
        return self.eigenvectors @ jnp.where(self.null[:, None], self.along(values), 0.0)

    def astype(self, dtype: Any) -> "Eigensystem":
        """Return the same with arrays of another dtype; the null space stays what it was."""
        other: Eigensystem = object.__new__(Eigensystem)
        object.__setattr__(other, "eigenvalues", self.eigenvalues.astype(dtype))
        object.__setattr__(other, "eigenvectors", self.eigenvectors.astype(dtype))
        object.__setattr__(other, "tolerance", self.tolerance)
        return other

    def warn_of_null_part(self, name: str, values: Array, ridge: Any) -> None:
        """Warn if columns have a part in the null space and no ridge says what is meant.

        It looks at concrete arrays only.

        Parameters
        ----------
        name : str
            What the columns are.
        values : Array, shape (n, k)
            The columns.
        ridge : float
            With a ridge above 0 the problem has one solution and nothing is said.
        """
        parts = (self.eigenvalues, self.eigenvectors, values, ridge, self.tolerance)
        if not all(map(checks.is_concrete, parts)) or float(ridge) > 0:
            return
        # NumPy, since inside a trace JAX would stage even what is concrete.
        eigenvalues, columns = np.asarray(self.eigenvalues), np.asarray(values)
        null = eigenvalues <= float(self.tolerance) * np.abs(eigenvalues).max()
        if not null.any():
            return
        stuck = float(np.linalg.norm(np.asarray(self.eigenvectors)[:, null].T @ columns))
        size = float(np.linalg.norm(columns))
        # Targets that are consistent with the kernel leave rounding there, no more.
        if stuck > checks.rounding(columns.dtype) ** 0.5 * size:
            warnings.warn(
                f"K is singular (rank {int((~null).sum())} of {null.size}), and {name} has a part "
                f"in its null space, of norm {stuck:.3g} out of {size:.3g}. That part is never "
                "learnt: the inverse of K means the pseudo-inverse. Pass ridge > 0, remove "
                "duplicate points, or silence ntk.errors.SingularGramWarning if this is meant",
                SingularGramWarning,
                stacklevel=checks.levels_outside(sys._getframe()),
            )


def eigensystem(K: Any) -> Eigensystem:
    """Decompose a Gram matrix, unless that has been done."""
    return K if isinstance(K, Eigensystem) else Eigensystem(K)


def check_symmetric(gram: Any) -> None:
    """Raise if a concrete matrix is asymmetric beyond rounding."""
    if not checks.is_concrete(gram):
        return
    values = np.asarray(gram)
    gap, size = np.abs(values - values.T).max(), np.abs(values).max()
    if gap > TOLERANCE.get(str(gram.dtype), 1e-2) * size:
        raise InvalidValueError(
            f"K is not symmetric: K and K.T differ by {gap:.3g} where the largest entry is "
            f"{size:.3g}. Pass a train x train Gram matrix; symmetrise (K + K.T) / 2 if the "
            "difference is rounding"
        )


def check_semidefinite(eigenvalues: Any, dtype: Any) -> None:
    """Raise if concrete eigenvalues, in rising order, are negative beyond rounding."""
    if not checks.is_concrete(eigenvalues):
        return
    values = np.asarray(eigenvalues)
    low, high = float(values[0]), float(np.abs(values).max())
    if low < -TOLERANCE.get(str(dtype), 1e-2) * high:
        raise InvalidValueError(
            f"K is not positive semi-definite: its least eigenvalue is {low:.3g} where the "
            f"largest is {high:.3g}. A Gram matrix has no negative ones; check how K was made"
        )
