r"""How well predicted uncertainties match what happens: scores and calibration.

For regression a prediction is a mean and a variance at each point, of the *observation*: see
:func:`ntk.predictive_variance`. For classification it is a row of probabilities.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy import stats
from jax.scipy.special import ndtri
from jax.typing import ArrayLike
from jaxtyping import Float, Int, Num

from ntk import checks
from ntk.dynamics.uncertainty import check_probabilities
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError


def gaussian_nll(
    y: Num[ArrayLike, "n k"], mean: Num[ArrayLike, "n k"], variance: Num[ArrayLike, "..."]
) -> Float[Array, ""]:
    r"""Return the mean negative log density of observations under Gaussian predictions, in nats.

    .. math:: \tfrac12 \log 2 \pi \sigma^2 + \frac{(y - \mu)^2}{2 \sigma^2}

    Parameters
    ----------
    y, mean : ArrayLike, shape (n, k)
        Observations and means.
    variance : ArrayLike, shape (n,) or (n, k)
        Variances of the observations, above 0.

    Returns
    -------
    Array, shape ()
        Averaged over points and outputs.

    Raises
    ------
    ShapeError, InvalidValueError
        If shapes do not match or a variance is not positive.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> round(gaussian_nll(jnp.zeros((1, 1)), jnp.zeros((1, 1)), jnp.ones(1)).item(), 4)
    0.9189
    """
    y, mean, deviation = _gaussian(y, mean, variance)
    return jnp.negative(jnp.mean(stats.norm.logpdf(y, mean, deviation)))


def gaussian_crps(
    y: Num[ArrayLike, "n k"], mean: Num[ArrayLike, "n k"], variance: Num[ArrayLike, "..."]
) -> Float[Array, ""]:
    r"""Return the mean continuous ranked probability score of Gaussian predictions.

    .. math:: \int \bigl(F(u) - 1[u \ge y]\bigr)^2 du = \sigma \Bigl[ z (2 \Phi(z) - 1)
              + 2 \varphi(z) - \tfrac{1}{\sqrt\pi} \Bigr]

    with :math:`z = (y - \mu) / \sigma` (Gneiting and Raftery 2007, section 4.2). It has the unit
    of ``y``, is smaller for better predictions, and is less sensitive to outliers than the
    likelihood.

    Parameters
    ----------
    y, mean, variance
        As for :func:`gaussian_nll`.

    Returns
    -------
    Array, shape ()
        Averaged over points and outputs.

    Raises
    ------
    ShapeError, InvalidValueError
        As for :func:`gaussian_nll`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> round(gaussian_crps(jnp.zeros((1, 1)), jnp.zeros((1, 1)), jnp.ones(1)).item(), 4)
    0.2337
    """
    y, mean, deviation = _gaussian(y, mean, variance)
    z = (y - mean) / deviation
    inner = z * (2.0 * stats.norm.cdf(z) - 1.0) + 2.0 * stats.norm.pdf(z) - jnp.pi**-0.5
    return jnp.mean(deviation * inner)


def coverage(
    y: Num[ArrayLike, "n k"],
    mean: Num[ArrayLike, "n k"],
    variance: Num[ArrayLike, "..."],
    levels: Any = 0.95,
) -> Array:
    r"""Return how many observations lie in the central intervals of Gaussian predictions.

    Parameters
    ----------
    y, mean, variance
        As for :func:`gaussian_nll`.
    levels : float, or array of floats
        Probabilities of the intervals, between 0 and 1.

    Returns
    -------
    Array, shape (), or (len(levels),) for an array
        Shares, to be compared with ``levels``: smaller ones mean too much confidence.

    Raises
    ------
    ShapeError, InvalidValueError
        As for :func:`gaussian_nll`, or if a level is not between 0 and 1.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> y = jnp.asarray([[0.0], [1.0], [3.0], [-1.0]])
    >>> coverage(y, jnp.zeros((4, 1)), jnp.ones(4), jnp.asarray([0.5, 0.95])).tolist()
    [0.25, 0.75]
    """
    y, mean, deviation = _gaussian(y, mean, variance)
    share = checks.as_array("levels", levels)
    if checks.is_concrete(share) and not ((np.asarray(share) > 0) & (np.asarray(share) < 1)).all():
        raise InvalidValueError(f"levels must be between 0 and 1, got {levels}")
    reach = ndtri(0.5 * (1.0 + share))
    inside = jnp.abs(y - mean) / deviation <= reach[..., None, None]
    return jnp.mean(inside, axis=(-2, -1))


def coverage_error(
    y: Num[ArrayLike, "n k"],
    mean: Num[ArrayLike, "n k"],
    variance: Num[ArrayLike, "..."],
    *,
    levels: int = 19,
) -> Float[Array, ""]:
    r"""Return the mean distance of :func:`coverage` from the level, over evenly spaced levels.

    A measure of calibration as of Kuleshov, Fenner and Ermon 2018, with absolute distances. It
    does not reward sharp predictions: use it beside a score.

    Parameters
    ----------
    y, mean, variance
        As for :func:`gaussian_nll`.
    levels : int, default 19
        How many levels: 19 are 0.05, 0.1, ... 0.95.

    Returns
    -------
    Array, shape ()

    Raises
    ------
    ShapeError, InvalidValueError
        As for :func:`gaussian_nll`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> y = jnp.zeros((1, 1))  # always inside
    >>> round(coverage_error(y, y, jnp.ones(1)).item(), 3)
    0.5
    """
    count = checks.positive_integer("levels", levels)
    grid = jnp.arange(1, count + 1) / (count + 1.0)
    return jnp.mean(jnp.abs(coverage(y, mean, variance, grid) - grid))


def categorical_nll(
    labels: Int[ArrayLike, " n"], probabilities: Num[ArrayLike, "n k"]
) -> Float[Array, ""]:
    r"""Return the mean negative log probability of the true classes, in nats.

    Parameters
    ----------
    labels : ArrayLike of int, shape (n,)
        True classes, from 0.
    probabilities : ArrayLike, shape (n, k)
        Predicted; each row sums to 1.

    Returns
    -------
    Array, shape ()
        Infinite if a true class got probability 0.

    Raises
    ------
    InvalidTypeError, ShapeError, InvalidValueError
        If labels are not whole numbers below ``k``, shapes do not match, or rows are no
        probabilities.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> p = jnp.asarray([[0.5, 0.5], [0.25, 0.75]])
    >>> round(categorical_nll(jnp.asarray([0, 1]), p).item(), 4)
    0.4904
    """
    true, p = _classes(labels, probabilities)
    return jnp.negative(jnp.mean(jnp.log(jnp.take_along_axis(p, true[:, None], axis=1))))


def brier_score(
    labels: Int[ArrayLike, " n"], probabilities: Num[ArrayLike, "n k"]
) -> Float[Array, ""]:
    r"""Return the Brier score, :math:`\frac1n \sum_i \sum_c (p_{ic} - 1[y_i = c])^2`.

    Parameters
    ----------
    labels, probabilities
        As for :func:`categorical_nll`.

    Returns
    -------
    Array, shape ()
        Between 0 and 2.

    Raises
    ------
    InvalidTypeError, ShapeError, InvalidValueError
        As for :func:`categorical_nll`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> brier_score(jnp.asarray([0]), jnp.asarray([[0.5, 0.5]])).item()
    0.5
    """
    true, p = _classes(labels, probabilities)
    hit = true[:, None] == jnp.arange(p.shape[1])
    return jnp.mean(jnp.sum((p - hit) ** 2, axis=1))


def expected_calibration_error(
    labels: Int[ArrayLike, " n"], probabilities: Num[ArrayLike, "n k"], *, bins: int = 15
) -> Float[Array, ""]:
    r"""Return the mean gap between confidence and accuracy, in bins of equal width.

    .. math:: \sum_b \frac{n_b}{n}\, \bigl|\, \text{accuracy}_b - \text{confidence}_b \bigr|

    (Guo et al. 2017, section 2), where the confidence is the largest probability and each bin
    excludes its lower end. It depends on the bins, and with few points it is far from 0 for
    calibrated predictions as well.

    Parameters
    ----------
    labels, probabilities
        As for :func:`categorical_nll`.
    bins : int, default 15
        How many.

    Returns
    -------
    Array, shape ()
        Between 0 and 1.

    Raises
    ------
    InvalidTypeError, ShapeError, InvalidValueError
        As for :func:`categorical_nll`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> p = jnp.asarray([[0.8, 0.2], [0.8, 0.2]])
    >>> round(expected_calibration_error(jnp.asarray([0, 1]), p).item(), 3)
    0.3
    """
    true, p = _classes(labels, probabilities)
    count = checks.positive_integer("bins", bins)
    confidence = jnp.max(p, axis=1)
    right = (jnp.argmax(p, axis=1) == true).astype(p.dtype)
    place = jnp.clip(jnp.ceil(confidence * count).astype(int) - 1, 0, count - 1)
    gap = jnp.zeros(count, p.dtype).at[place].add(right - confidence)
    return jnp.sum(jnp.abs(gap)) / len(p)


def _gaussian(y: Any, mean: Any, variance: Any) -> tuple[Array, Array, Array]:
    observed = checks.matrix("y", y, (None, None))
    expected = checks.matrix("mean", mean, observed.shape)
    spread = checks.as_array("variance", variance)
    if spread.shape not in {observed.shape, observed.shape[:1]}:
        raise ShapeError(
            f"variance must have shape {observed.shape[:1]} or {observed.shape}, got {spread.shape}"
        )
    checks.require_finite("variance", spread)
    if checks.is_concrete(spread) and not (np.asarray(spread) > 0).all():
        raise InvalidValueError(
            f"variance must be positive, got {float(np.asarray(spread).min()):.3g}: the variance "
            "of an observation includes the noise; see ntk.predictive_variance"
        )
    deviation = jnp.sqrt(spread if spread.ndim == 2 else spread[:, None])
    return observed, expected, deviation


def _classes(labels: Any, probabilities: Any) -> tuple[Array, Array]:
    p = checks.matrix("probabilities", probabilities, (None, None))
    check_probabilities("probabilities", p)
    true = jnp.asarray(labels)
    if not jnp.issubdtype(true.dtype, jnp.integer):
        raise InvalidTypeError(f"labels must be whole numbers from 0, got dtype {true.dtype}")
    if true.shape != p.shape[:1]:
        raise ShapeError(f"labels must have shape {p.shape[:1]}, got {true.shape}")
    if checks.is_concrete(true):
        values = np.asarray(true)
        if values.min() < 0 or values.max() >= p.shape[1]:
            raise InvalidValueError(
                f"labels must be from 0 to {p.shape[1] - 1}, got {values.min()} to {values.max()}"
            )
    return true, p
