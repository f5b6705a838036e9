"""Between order and chaos: critical scales, and the criterion of the normalised networks."""

from typing import Any, NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError
from ntk.layers.activations import activation as named_activation
from ntk.layers.activations.elementwise import Elementwise
from ntk.phases import fixed_lengths
from ntk.phases.mean_field import MeanField
from ntk.phases.moments import duals
from ntk.phases.search import find_roots, in_double_precision

DOWN, UP, STEPS = 60, 40, 4
"""Octaves of the length, beyond the variance of the biases, that are searched."""

ROUNDING = 1e-12
r"""Below this, :math:`\chi_1` less 1 is rounding."""


class CriticalPoint(NamedTuple):
    r"""A layer at criticality, where :math:`\chi_1 = 1` at the fixed length.

    Attributes
    ----------
    sigma_w, sigma_b : float
        Scales of weights and biases.
    length : float
        The fixed length :math:`q^*`; 0.0 where small lengths decide.
    """

    sigma_w: float
    sigma_b: float
    length: float


@in_double_precision
def critical_point(activation: str | Elementwise, sigma_b: float = 0.0) -> CriticalPoint:
    r"""Return the scale of weights at which a network is critical.

    The length is the unknown: at a fixed length :math:`q` the scale is
    :math:`\sigma_w^2 = (q - \sigma_b^2) / \mathbb E\, \sigma(\sqrt q z)^2`, and what is solved is

    .. math:: \chi_1(q) = \sigma_w^2(q)\, \mathbb E\, \dot\sigma(\sqrt q z)^2 = 1

    (the order-to-chaos transition of Poole et al. 2016 and Schoenholz et al. 2017). Of several
    solutions the one of smallest length is taken at which the length map does not repel.

    Parameters
    ----------
    activation : str or Elementwise
        The nonlinearity.
    sigma_b : float, default 0.0
        Scale of the biases.

    Returns
    -------
    CriticalPoint
        Numbers in double precision.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the activation is unknown, a number out of range, or there is no critical point, as for
        ReLU with a bias.

    Examples
    --------
    >>> import ntk
    >>> round(ntk.phases.critical_point("tanh", sigma_b=0.05**0.5).sigma_w ** 2, 5)
    1.76095
    """
    sigma = named_activation(activation)
    bias = checks.scale("sigma_b", sigma_b)
    square, length = (part[0] for part in _solve(sigma, np.array([float(bias)]) ** 2))
    if np.isnan(square):
        raise InvalidValueError(
            f"{sigma!r} has no critical sigma_w at sigma_b={bias:g}: at no fixed length up to "
            f"{2.0**UP:.0e} that attracts does chi_1 cross 1"
        )
    return CriticalPoint(float(np.sqrt(square)), bias, float(length))


@in_double_precision
def critical_line(activation: str | Elementwise, sigma_b: Num[ArrayLike, " n"]) -> Any:
    r"""Return :math:`\sigma_w^2` at criticality for many :math:`\sigma_b`.

    Parameters
    ----------
    activation : str or Elementwise
        The nonlinearity.
    sigma_b : ArrayLike, shape (n,)
        Scales of the biases (not squared).

    Returns
    -------
    numpy array, shape (n,)
        The *squares* of ``sigma_w``, in double precision; NaN where there is no critical point.

    Raises
    ------
    ShapeError, InvalidTypeError, InvalidValueError
        If the scales are no vector, negative or not finite, or the activation is unknown.

    Examples
    --------
    >>> import numpy as np, ntk
    >>> ntk.phases.critical_line("tanh", np.sqrt([0.05, 0.1, 0.2])).round(5)
    array([1.76095, 1.98607, 2.28515])
    """
    scales = np.asarray(sigma_b, float)
    if scales.ndim != 1 or scales.size == 0:
        raise ShapeError(
            f"sigma_b must be a vector (n,), got shape {scales.shape}; for one number use "
            "critical_point"
        )
    for scale in scales:
        checks.scale("sigma_b", float(scale))
    return _solve(named_activation(activation), scales**2)[0]


@in_double_precision
def characteristic_value(
    activation: str | Elementwise, beta: float = 0.0, *, centre: bool = False
) -> float:
    r"""Return the number that tells freeze (less than 1) from chaos (greater than 1).

    .. math:: r = (1 - \beta^2)\, \mathbb E\, \dot{\tilde\sigma}(z)^2, \qquad
              z \sim \mathcal N(0, 1),

    for the standardised nonlinearity :math:`\tilde\sigma` and the variance-preserving scales
    :math:`\sigma_w^2 = 1 - \beta^2`, :math:`\sigma_b = \beta` (Jacot et al. 2019, "Freeze and
    chaos"). It is :math:`\chi_1` of :meth:`MeanField.normalized` at its fixed length 1.

    Parameters
    ----------
    activation : str or Elementwise
        The nonlinearity.
    beta : float, default 0.0
        Scale of the biases, at least 0 and less than 1.
    centre : bool, default False
        Whether the nonlinearity is centred too, as by a LayerNorm after it.

    Returns
    -------
    float
        In double precision.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the activation is unknown or cannot be standardised, or ``beta`` is out of range.

    Examples
    --------
    >>> import ntk
    >>> round(ntk.phases.characteristic_value("relu"), 6)  # bias-free: between the two
    1.0
    >>> round(ntk.phases.characteristic_value("relu", centre=True), 6)  # pi / (pi - 1)
    1.466942
    """
    field = MeanField.normalized(activation, beta, centre=centre)
    return float(field.chi(1.0))


@in_double_precision
def critical_beta(activation: str | Elementwise, *, centre: bool = False) -> float:
    r"""Return the scale of biases between freeze and chaos.

    .. math:: \beta^2 = 1 - \bigl(\mathbb E\, \dot{\tilde\sigma}(z)^2\bigr)^{-1},

    the solution of :math:`r = 1`, see :func:`characteristic_value`: smaller biases give chaos,
    larger ones freeze.

    Parameters
    ----------
    activation : str or Elementwise
        The nonlinearity.
    centre : bool, default False
        Whether it is centred.

    Returns
    -------
    float
        In double precision.

    Raises
    ------
    InvalidValueError
        If there is no such scale: r is at most 1 without a bias already, or infinite.

    Examples
    --------
    >>> import ntk
    >>> round(ntk.phases.critical_beta("relu", centre=True) ** 2, 6)  # 1 / pi
    0.31831
    """
    largest = characteristic_value(activation, 0.0, centre=centre)
    if largest < 1 - ROUNDING or not np.isfinite(largest):
        where = "frozen without a bias already" if largest < 1 else "chaotic for every bias"
        raise InvalidValueError(
            f"no beta is critical: with r = {largest:.6g} at beta = 0 the network is {where}"
        )
    return float(np.sqrt(max(0.0, 1.0 - 1.0 / largest)))


def _solve(sigma: Elementwise, variances: Any) -> tuple[Any, Any]:
    """Return the critical squares of ``sigma_w`` and the lengths, one for each bias variance."""
    squares, lengths = (np.full(len(variances), np.nan) for _ in range(2))
    if sigma.jumps:  # the correlation map has an infinite slope at 1
        return squares, lengths
    beyond = 2.0 ** (np.arange(-DOWN * STEPS, UP * STEPS + 1) / STEPS)
    excess = _excess(sigma, beyond, variances[:, None])
    certain = np.isfinite(excess) & (np.abs(excess) > ROUNDING)
    sign = np.where(certain, np.sign(excess), 0.0).astype(int)
    rows, low, high = _changes(sign)
    found = find_roots(
        lambda q, v: _excess(sigma, q, v), beyond[low], beyond[high], variances[rows]
    )
    candidates = list(zip(rows, found, strict=True))
    # Without a bias the least length may be critical as it is: tanh, or ReLU at any length.
    candidates += [(row, 0.0) for row in np.nonzero((variances == 0) & (sign[:, 0] == 0))[0]]
    for row, rest in sorted(candidates, reverse=True):
        square = float(_square(sigma, rest or beyond[0], variances[row])[0])
        if rest:
            away = fixed_lengths.repels(sigma, variances[row] + rest, square**0.5)
        else:  # the slope is 1 there, and the curvature decides
            away = fixed_lengths.relative_change(sigma, 2.0**-20, square**0.5, 0.0) > ROUNDING
        if not away:
            squares[row], lengths[row] = square, variances[row] + rest
    return squares, lengths


def _changes(sign: Any) -> tuple[Any, Any, Any]:
    """Return rows and columns between which signs change, zeros between them left out."""
    last = np.maximum.accumulate(np.where(sign != 0, np.arange(sign.shape[1]), -1), axis=1)
    rows, high = np.nonzero(sign[:, 1:])
    high = high + 1
    low = last[rows, high - 1]
    changes = (low >= 0) & (sign[rows, low] * sign[rows, high] < 0)
    return rows[changes], low[changes], high[changes]


def _square(sigma: Elementwise, beyond: Any, variance: Any) -> tuple[Any, Any]:
    r"""Return the ``sigma_w**2`` that fixes the length ``variance + beyond``, and a slope."""
    moment, slope = duals(sigma, variance + beyond)
    with np.errstate(all="ignore"):  # an exponential overflows
        return beyond / moment, slope


def _excess(sigma: Elementwise, beyond: Any, variance: Any) -> Any:
    r"""Return :math:`\chi_1 - 1` there."""
    square, slope = _square(sigma, beyond, variance)
    with np.errstate(all="ignore"):
        return square * slope - 1.0
