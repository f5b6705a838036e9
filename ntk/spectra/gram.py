"""Eigenvalues of a kernel on given points, from its matrix or from its products alone."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.checks import is_concrete
from ntk.dynamics.eigensystem import TOLERANCE
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError


class Decomposition(NamedTuple):
    r"""A Gram matrix and targets in the eigenbasis.

    Attributes
    ----------
    eigenvalues : Array, shape (n,)
        Of :math:`K / n`, in falling order.
    power : Array, shape (n,)
        The squared coefficients :math:`\| v_i^\top y \|^2 / n` of the targets, summed over
        outputs.
    """

    eigenvalues: Array
    power: Array


def eigenvalues(K: Any, count: int | None = None) -> Float[Array, " k"]:
    r"""Return eigenvalues of a symmetric Gram matrix or operator, in falling order.

    Of a matrix they are all found (LAPACK). Of an operator, such as :class:`ntk.NTKOperator`, the
    largest ones are, from products alone (implicitly restarted Lanczos: ARPACK, through SciPy's
    ``eigsh``, to rounding).

    Parameters
    ----------
    K : ArrayLike, shape (n, n), or an operator
        A symmetric matrix, or anything with ``shape``, ``dtype`` and ``matvec``.
    count : int, optional
        How many of the largest; all if omitted, for which an operator is formed.

    Returns
    -------
    Array, shape (n,) or (count,)

    Raises
    ------
    ShapeError
        If ``K`` is not square.
    InvalidTypeError, InvalidValueError
        If it is no matrix of finite real numbers, not symmetric, or ``count`` is out of range.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.spectra.eigenvalues(jnp.asarray([[2.0, 1.0], [1.0, 2.0]])).tolist()
    [3.0, 1.0]
    """
    if _is_operator(K):
        return _of_operator(K, count)
    gram = square("K", K)
    if count is not None:
        _check_count(count, gram.shape[0])
    values: Array = jnp.linalg.eigvalsh(gram)
    return values[::-1][:count]


def condition_number(K: Any) -> Float[Array, ""]:
    r"""Return :math:`\kappa = \lambda_{\max} / \lambda_{\min}` of a positive semi-definite matrix.

    Parameters
    ----------
    K : ArrayLike, shape (n, n) or (n,), or an operator
        A Gram matrix, its eigenvalues, or an operator as in :func:`eigenvalues`, of which only the
        two ends of the spectrum are found.

    Returns
    -------
    Array, shape ()
        Infinite if :math:`\lambda_{\min} \le n \epsilon \lambda_{\max}`, with :math:`\epsilon` the
        precision: such an eigenvalue is rounding.

    Raises
    ------
    ShapeError, InvalidTypeError, InvalidValueError
        As in :func:`eigenvalues`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.spectra.condition_number(jnp.diag(jnp.asarray([1.0, 8.0]))).item()
    8.0
    >>> ntk.spectra.condition_number(jnp.ones((2, 2))).item()
    inf
    """
    if _is_operator(K):
        n = K.shape[0]
        largest, smallest = _of_operator(K, 1)[0], _of_operator(K, 1, end="SA")[0]
    else:
        values = spectrum("K", K)
        n, largest, smallest = len(values), values.max(), values.min()
    positive = smallest > n * checks.rounding(smallest.dtype) * largest
    return jnp.where(positive, largest / jnp.where(positive, smallest, 1.0), jnp.inf)


def effective_dimension(
    K: Num[ArrayLike, "..."], ridge: Num[ArrayLike, "*m"]
) -> Float[Array, "*m"]:
    r"""Return how many directions of a kernel stand out from a ridge.

    .. math:: d(\rho) = \operatorname{tr} K (K + \rho)^{-1}
              = \sum_i \frac{\lambda_i}{\lambda_i + \rho}

    (Zhang 2005, "Learning bounds for kernel regression using effective data dimensionality";
    Caponnetto and De Vito 2007). It is also the number of degrees of freedom of kernel ridge
    regression.

    Parameters
    ----------
    K : ArrayLike, shape (n, n) or (n,)
        A Gram matrix or its eigenvalues.
    ridge : ArrayLike, a number or shape (m,)
        The ridge :math:`\rho > 0`, in units of ``K``.

    Returns
    -------
    Array of the shape of ``ridge``

    Raises
    ------
    ShapeError, InvalidTypeError, InvalidValueError
        If ``K`` is not square or not symmetric, or a ridge not positive.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.spectra.effective_dimension(jnp.eye(3), 1.0).item()
    1.5
    """
    values = spectrum("K", K)
    rho = checks.as_array("ridge", ridge)
    checks.require_finite("ridge", rho)
    if is_concrete(rho) and not (np.asarray(rho) > 0).all():
        raise InvalidValueError(
            f"ridge must be positive, got {np.asarray(rho).min():g}; without one the dimension is "
            "the rank"
        )
    if rho.ndim > 1:
        raise ShapeError(f"ridge must be a number or a vector, got shape {rho.shape}")
    # Rounding leaves negative eigenvalues, which could cancel the ridge.
    values = jnp.maximum(values, 0.0)
    return (values / (values + rho[..., None])).sum(axis=-1)


def decompose(K: Num[ArrayLike, "n n"], y: Num[ArrayLike, "n k"]) -> Decomposition:
    r"""Return the spectrum of a kernel on points, and the targets in its eigenbasis.

    With the uniform measure on the points the eigenfunctions take the values :math:`\sqrt n\,
    v_i`, and a target has the coefficients :math:`v_i^\top y / \sqrt n`. This is what
    :func:`ntk.spectra.learning_curve` takes: the points are then the pool that training sets are
    drawn from.

    Parameters
    ----------
    K : ArrayLike, shape (n, n)
        A symmetric positive semi-definite Gram matrix.
    y : ArrayLike, shape (n, k)
        Targets.

    Returns
    -------
    Decomposition
        Eigenvalues of ``K / n``, negative ones of rounding size set to 0, and the power of the
        targets in each direction.

    Raises
    ------
    ShapeError, InvalidTypeError, InvalidValueError
        If shapes do not match, or ``K`` is asymmetric or indefinite beyond rounding.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> K, y = jnp.diag(jnp.asarray([4.0, 2.0])), jnp.asarray([[0.0], [1.0]])
    >>> found = ntk.spectra.decompose(K, y)
    >>> found.eigenvalues.tolist(), found.power.tolist()
    ([2.0, 1.0], [0.0, 0.5])
    """
    gram = square("K", K)
    n = gram.shape[0]
    targets = checks.matrix("y", y, (n, None))
    values, vectors = jnp.linalg.eigh(gram)
    if is_concrete(values):
        least, most = float(values[0]), float(jnp.abs(values).max())
        if least < -TOLERANCE.get(str(gram.dtype), 1e-2) * most:
            raise InvalidValueError(
                f"K must be positive semi-definite: its least eigenvalue is {least:.3g}, the "
                f"largest {most:.3g}"
            )
    power = ((vectors.T @ targets) ** 2).sum(axis=1) / n
    return Decomposition(jnp.maximum(values[::-1], 0.0) / n, power[::-1])


def square(name: str, value: Any) -> Array:
    """Check a symmetric matrix."""
    gram = checks.matrix(name, value, (None, None))
    if gram.shape[0] != gram.shape[1]:
        raise ShapeError(f"{name} must be square, got shape {gram.shape}")
    if is_concrete(gram):
        values = np.asarray(gram, float)
        apart, size = np.abs(values - values.T).max(), np.abs(values).max()
        if apart > TOLERANCE.get(str(gram.dtype), 1e-2) * size:
            raise InvalidValueError(
                f"{name} is not symmetric: entries differ from their mirror images by up to "
                f"{apart:.3g}; symmetrise it, ({name} + {name}.T) / 2"
            )
    return gram


def spectrum(name: str, value: Any) -> Array:
    """Return eigenvalues, given as they are or by their matrix."""
    array = checks.as_array(name, value)
    if array.ndim != 1:
        found: Array = jnp.linalg.eigvalsh(square(name, value))
        return found
    if array.size == 0:
        raise ShapeError(f"{name} is empty: there are no eigenvalues")
    checks.require_finite(name, array)
    return array


def _is_operator(K: Any) -> bool:
    return hasattr(K, "matvec") and hasattr(K, "shape")


def _check_count(count: Any, size: int) -> int:
    if checks.positive_integer("count", count) > size:
        raise InvalidValueError(f"count={count} is more than there are: the size is {size}")
    return int(count)


def _of_operator(K: Any, count: int | None, end: str = "LA") -> Array:
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    if len(K.shape) != 2 or K.shape[0] != K.shape[1]:
        raise ShapeError(f"K must be square, got an operator of shape {K.shape}")
    size, dtype = K.shape[0], np.dtype(K.dtype)
    if dtype.kind != "f":
        raise InvalidTypeError(f"K must hold real numbers, got an operator of dtype {dtype}")
    number = size if count is None else _check_count(count, size)
    if getattr(K, "is_symmetric", True) is False:
        raise InvalidValueError("K is not symmetric: rows and columns are different examples")
    if 2 * number >= size:  # the iteration would take as many products as forming it does
        columns = [np.asarray(K.matvec(jnp.asarray(row))) for row in np.eye(size, dtype=dtype)]
        values: Array = jnp.linalg.eigvalsh(square("K", np.stack(columns, axis=1)))
        return values[::-1][:number] if end == "LA" else values[:number]
    operator = LinearOperator(
        K.shape, dtype=dtype, matvec=lambda v: np.asarray(K.matvec(jnp.asarray(v.ravel(), dtype)))
    )
    start = np.random.default_rng(0).standard_normal(size).astype(dtype)
    try:
        found = eigsh(operator, number, which=end, v0=start, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        raise InvalidValueError(
            f"the iteration for {number} eigenvalues did not converge ({error}); ask for more of "
            "them, or for all"
        ) from None
    found = np.sort(found)
    return jnp.asarray(found[::-1] if end == "LA" else found)
