"""How alike two Gram matrices are, or a Gram matrix and targets."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.checks import is_concrete
from ntk.errors import InvalidValueError, ShapeError
from ntk.spectra.gram import square


def target_alignment(
    K: Num[ArrayLike, "n n"], y: Num[ArrayLike, "n k"], *, centre: bool = False
) -> Float[Array, ""]:
    r"""Return the alignment of a kernel with targets.

    .. math:: A(K, y) = \frac{\langle K, y y^\top \rangle_F}{\|K\|_F\, \|y y^\top\|_F}

    (Cristianini et al. 2001, "On kernel-target alignment"): 1 if the kernel is that of the
    targets themselves, and small if they lie in directions of small eigenvalues.

    Parameters
    ----------
    K : ArrayLike, shape (n, n)
        A symmetric Gram matrix.
    y : ArrayLike, shape (n, k)
        Targets, all outputs together.
    centre : bool, default False
        Whether both are centred first, so that the constant function counts for nothing
        (:func:`cka` of the two).

    Returns
    -------
    Array, shape ()
        From 0 to 1 if ``K`` is positive semi-definite.

    Raises
    ------
    ShapeError, InvalidTypeError, InvalidValueError
        If shapes do not match, something is not finite, ``K`` is asymmetric, or one of the two is
        zero.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> y = jnp.asarray([[1.0], [-1.0]])
    >>> round(ntk.spectra.target_alignment(jnp.eye(2), y).item(), 6)  # 1 / sqrt(2)
    0.707107
    """
    gram = square("K", K)
    targets = checks.matrix("y", y, (gram.shape[0], None))
    if centre:
        gram, targets = _centred(gram), targets - targets.mean(axis=0)
    # The trace of y' K y, and the norm of the smaller of y y' and y' y.
    together = jnp.sum(targets * (gram @ targets))
    return _quotient(together, gram, targets.T @ targets, ("K", "y"))


def cka(K1: Num[ArrayLike, "n n"], K2: Num[ArrayLike, "n n"]) -> Float[Array, ""]:
    r"""Return the centred kernel alignment of two Gram matrices on the same points.

    .. math:: \operatorname{CKA}(K_1, K_2) = \frac{\langle H K_1 H, H K_2 H \rangle_F}
              {\|H K_1 H\|_F\, \|H K_2 H\|_F}, \qquad H = 1 - \tfrac1n \mathbf 1 \mathbf 1^\top

    (Cortes et al. 2012, "Algorithms for learning kernels based on centered alignment"; Kornblith
    et al. 2019, "Similarity of neural network representations revisited"). It does not see scale,
    nor the addition of a constant.

    Parameters
    ----------
    K1, K2 : ArrayLike, shape (n, n)
        Symmetric Gram matrices.

    Returns
    -------
    Array, shape ()
        From 0 to 1 for positive semi-definite matrices.

    Raises
    ------
    ShapeError, InvalidTypeError, InvalidValueError
        If shapes do not match, something is not finite, a matrix is asymmetric, or constant.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> x = jnp.asarray([[0.0], [1.0], [3.0]])
    >>> round(ntk.spectra.cka(x @ x.T, 5.0 * x @ x.T + 7.0).item(), 6)
    1.0
    """
    first, second = square("K1", K1), square("K2", K2)
    if first.shape != second.shape:
        raise ShapeError(
            f"K1 and K2 must be on the same points, got shapes {first.shape} and {second.shape}"
        )
    first, second = _centred(first), _centred(second)
    return _quotient(jnp.sum(first * second), first, second, ("K1", "K2"))


def _centred(gram: Array) -> Array:
    rows = gram - gram.mean(axis=0, keepdims=True)
    return rows - rows.mean(axis=1, keepdims=True)


def _quotient(together: Array, first: Array, second: Array, names: tuple[str, str]) -> Array:
    sizes = [jnp.linalg.norm(part) for part in (first, second)]
    for name, size in zip(names, sizes, strict=True):
        if is_concrete(size) and float(size) == 0:
            raise InvalidValueError(
                f"{name} is zero, or constant where it is centred: its alignment is not defined"
            )
    quotient: Array = together / (sizes[0] * sizes[1])
    return quotient
