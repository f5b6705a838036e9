"""The error of kernel ridge regression from the spectrum: theory of learning curves."""

from typing import Any, NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError
from ntk.spectra.numbers import reals


class LearningCurve(NamedTuple):
    r"""What theory says of kernel ridge regression on ``n`` random samples, on average.

    NumPy arrays in double precision, with a leading axis for an array of sample sizes.

    Attributes
    ----------
    kappa : array
        The effective ridge :math:`\kappa`: eigenvalues above it are learnt.
    learnability : array, shape (..., modes)
        The share :math:`L_i` of each eigenfunction that is learnt: the mean predictor has the
        coefficients :math:`L_i v_i`.
    overfitting : array
        The coefficient :math:`E_0` by which fitting the samples multiplies the error.
    test_error : array
        The mean squared error on new samples, noise of their labels included.
    train_error : array
        The mean squared error on the samples.
    """

    kappa: Any
    learnability: Any
    overfitting: Any
    test_error: Any
    train_error: Any


def learning_curve(
    eigenvalues: Num[ArrayLike, " modes"],
    power: Num[ArrayLike, " modes"],
    n: Num[ArrayLike, "*sizes"],
    *,
    ridge: float = 0.0,
    noise: float = 0.0,
    multiplicities: Num[ArrayLike, " modes"] | None = None,
) -> LearningCurve:
    r"""Predict the errors of kernel ridge regression from a spectrum and a target.

    Let the kernel have the eigenvalues :math:`\lambda_i` under the distribution of the inputs, the
    target the coefficients :math:`v_i` in the eigenfunctions, and labels noise of variance
    :math:`\varsigma^2`. For :math:`f = K(x, X)(K + \rho)^{-1} y` on :math:`n` samples (Simon et
    al. 2023; Canatar et al. 2021; Bordelon et al. 2020)

    .. math:: \sum_i \frac{\lambda_i}{\lambda_i + \kappa} + \frac\rho\kappa &= n, \qquad
              L_i = \frac{\lambda_i}{\lambda_i + \kappa}, \\
              E_0 &= \frac{n}{n - \sum_i L_i^2}, \\
              E_{\text{test}} &= E_0 \Bigl( \sum_i (1 - L_i)^2 v_i^2 + \varsigma^2 \Bigr), \\
              E_{\text{train}} &= \frac{\rho^2}{n^2 \kappa^2} E_{\text{test}}.

    Learnabilities add up to :math:`n` at most: a conservation law. The theory takes the
    eigenfunctions at random inputs for independent normal variables, and is exact for these as
    :math:`n` and the number of modes grow together.

    Parameters
    ----------
    eigenvalues : ArrayLike, shape (modes,)
        Not negative, in any order.
    power : ArrayLike, shape (modes,)
        The squared coefficients :math:`v_i^2` of the target; where an eigenvalue counts several
        times, their sum. Power at an eigenvalue 0 is never learnt and acts as noise.
    n : ArrayLike, a number or shape (sizes,)
        Sample sizes, positive.
    ridge : float, default 0.0
        The ridge :math:`\rho`, in units of the kernel, not divided by ``n``.
    noise : float, default 0.0
        The variance of the noise on labels.
    multiplicities : ArrayLike, shape (modes,), optional
        How often each eigenvalue counts, such as the number of spherical harmonics of a degree;
        once if omitted.

    Returns
    -------
    LearningCurve
        Without ridge, and with as many samples as modes or more, everything is learnt
        (:math:`\kappa = 0`). At exactly as many the error is infinite if there is noise.

    Raises
    ------
    ShapeError
        If shapes do not match.
    InvalidTypeError, InvalidValueError
        If a number is negative, not finite, or no eigenvalue positive.

    Examples
    --------
    >>> import numpy as np, ntk
    >>> flat = np.ones(100)  # without structure a quarter of the samples learns a quarter
    >>> curve = ntk.spectra.learning_curve(flat, flat / 100, 25)
    >>> float(curve.test_error.round(6)), float(curve.learnability[0].round(6))
    (0.75, 0.25)
    """
    values, target = _modes("eigenvalues", eigenvalues), _modes("power", power)
    counts = np.ones_like(values)
    if multiplicities is not None:
        counts = _modes("multiplicities", multiplicities)
    for name, part in (("power", target), ("multiplicities", counts)):
        if part.shape != values.shape:
            raise ShapeError(
                f"{name} must have shape {values.shape}, one entry an eigenvalue, got {part.shape}"
            )
    rho, variance = _not_negative("ridge", ridge), _not_negative("noise", noise)
    sizes = reals("n", n)
    if sizes.ndim > 1 or sizes.size == 0:
        raise ShapeError(f"n must be a number or a vector, got shape {sizes.shape}")
    if not (sizes > 0).all():
        raise InvalidValueError(f"n counts samples and must be positive, got {sizes.min():g}")
    kappas = [_effective_ridge(values, counts, size, rho) for size in sizes.ravel()]
    kappa = np.reshape(kappas, sizes.shape)
    share = values / np.maximum(values + kappa[..., None], np.finfo(float).tiny)
    rest = np.where(values > 0, kappa[..., None] / (values + kappa[..., None] + (values == 0)), 1.0)
    left = sizes - (counts * share**2).sum(axis=-1)
    with np.errstate(divide="ignore"):
        overfitting = np.where(left > 0, sizes / np.where(left > 0, left, 1.0), np.inf)
    wrong = (rest**2 * target).sum(axis=-1) + variance
    test = np.where(wrong > 0, overfitting * np.where(wrong > 0, wrong, 1.0), 0.0)
    shrink = np.where(kappa > 0, rho / (sizes * np.where(kappa > 0, kappa, 1.0)), 0.0)
    # Without ridge samples are fitted, unless there are more of them than modes.
    over = (kappa == 0) & np.isfinite(overfitting)
    left_over = np.where(over, (left / sizes) ** 2, shrink**2)
    train = np.where(left_over > 0, left_over * np.where(left_over > 0, test, 0.0), 0.0)
    return LearningCurve(kappa, share, overfitting, test, train)


def _effective_ridge(values: Any, counts: Any, n: float, ridge: float) -> float:
    r"""Solve :math:`\sum_i \lambda_i / (\lambda_i + \kappa) + \rho / \kappa = n`."""
    from scipy.optimize import brentq

    positive = values > 0
    values, counts = values[positive], counts[positive]
    modes, trace = counts.sum(), counts @ values
    if ridge == 0 and n >= modes:
        return 0.0

    def excess(log_kappa: float) -> float:
        kappa = np.exp(log_kappa)
        return float(counts @ (values / (values + kappa)) + ridge / kappa - n)

    # Each sum is at most its numerator over kappa, and the ridge's share alone is at most n.
    high = (trace + ridge) / n
    low = ridge / n if ridge > 0 else values.min() * (modes - n) / n
    low, high = np.log(low) - 1e-9, np.log(high) + 1e-9
    return float(np.exp(brentq(excess, low, high, xtol=1e-15, rtol=1e-15)))


def _modes(name: str, value: Any) -> Any:
    array = reals(name, value)
    if array.ndim != 1 or array.size == 0:
        raise ShapeError(f"{name} must have shape (modes,), got {array.shape}")
    if (array < 0).any():
        raise InvalidValueError(
            f"{name} must not be negative, got {array.min():g}; eigenvalues of a matrix that are "
            "rounding can be set to 0"
        )
    if name == "eigenvalues" and not (array > 0).any():
        raise InvalidValueError("eigenvalues are all 0: there is nothing to learn with")
    return array


def _not_negative(name: str, value: Any) -> float:
    number = checks.number(name, value)
    if isinstance(number, float) and number < 0:
        raise InvalidValueError(f"{name} must be at least 0, got {number:g}")
    return float(number)
