"""Exponents of spectra: a fit with an interval, and local slopes that are extrapolated."""

from typing import Any, NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError
from ntk.spectra.numbers import reals

FEWEST, NARROWEST = 5, 2.0
"""How many values a fit needs, and over what factor of ranks."""


class PowerLaw(NamedTuple):
    r"""A fit of :math:`v_k \approx C k^{-a}`.

    Attributes
    ----------
    exponent : float
        The exponent :math:`a`, positive if values fall.
    low, high : float
        The confidence interval of the exponent.
    prefactor : float
        The constant :math:`C`.
    start, stop : int
        The first rank of the fit, and the one after its last.
    """

    exponent: float
    low: float
    high: float
    prefactor: float
    start: int
    stop: int


def power_law(
    values: Num[ArrayLike, "*seeds n"],
    *,
    start: int = 1,
    stop: int | None = None,
    ranks: Num[ArrayLike, " n"] | None = None,
    confidence: float = 0.99,
) -> PowerLaw:
    r"""Fit a power law by least squares of :math:`\log v_k` on :math:`\log k`, with an interval.

    With several seeds the exponent is the mean of the seeds' own fits, and the interval is
    Student's over the seeds: that is what to quote. With a single spectrum it is Student's of the
    residuals of the regression. Neighbouring eigenvalues are not independent, so it says how
    straight the line is and not how another draw of the data would come out.

    Parameters
    ----------
    values : ArrayLike, shape (n,) or (seeds, n)
        Positive values, such as eigenvalues in falling order; one row for each seed.
    start, stop : int
        The range of ranks that is fitted, ``start <= k < stop``; to the end if ``stop`` is
        omitted. Keep away from the first few and from where rounding or the number of points
        bends the spectrum.
    ranks : ArrayLike, shape (n,), optional
        What stands for :math:`k`; 1, 2, ... if omitted.
    confidence : float, default 0.99
        Of the interval.

    Returns
    -------
    PowerLaw

    Raises
    ------
    ShapeError
        If the shape is another one.
    InvalidValueError
        If the range holds fewer than 5 values or spans less than a factor of 2, a value or rank
        in it is not positive, or there are two to four seeds.

    Examples
    --------
    >>> import numpy as np, ntk
    >>> fit = ntk.spectra.power_law(3.0 * np.arange(1.0, 41.0) ** -1.5, start=5)
    >>> round(fit.exponent, 6), round(fit.prefactor, 6), fit.stop
    (1.5, 3.0, 41)
    """
    table = reals("values", values)
    if table.ndim not in (1, 2) or 0 in table.shape:
        raise ShapeError(f"values must have shape (n,) or (seeds, n), got {table.shape}")
    rows = np.atleast_2d(table)
    places = _ranks(ranks, rows.shape[1])
    stop = int(places.max()) + 1 if stop is None else checks.positive_integer("stop", stop)
    start = checks.positive_integer("start", start)
    if not 0 < confidence < 1:
        raise InvalidValueError(f"confidence must be between 0 and 1, got {confidence}")
    inside = (places >= start) & (places < stop)
    _check_range(places[inside], rows[:, inside], start, stop)
    x, y = np.log(places[inside]), np.log(rows[:, inside])
    apart = x - x.mean()
    slopes = y @ apart / (apart @ apart)
    slope = slopes.mean()
    level = y.mean() - slope * x.mean()
    if len(rows) > 1:
        error, freedom = slopes.std(ddof=1) / len(rows) ** 0.5, len(rows) - 1
    else:
        residual, freedom = y[0] - level - slope * x, len(x) - 2
        error = np.sqrt(residual @ residual / freedom / (apart @ apart))
    half = error * _student(0.5 + 0.5 * confidence, freedom)
    return PowerLaw(
        float(-slope), float(-slope - half), float(-slope + half), float(np.exp(level)), start, stop
    )


def local_exponents(
    k: Num[ArrayLike, " n"], values: Num[ArrayLike, " n"], *, orders: int = 1
) -> Any:
    r"""Return exponents between neighbours of a geometric sequence, extrapolated to infinity.

    Between :math:`k` and :math:`q k` the exponent is :math:`a_0(k) = -\log_q v_{qk} / v_k`. If
    :math:`v_k = C k^{-a} (1 + c_1 / k + c_2 / k^2 + \dots)`, Richardson's extrapolation

    .. math:: a_j(k) = \frac{q^j a_{j-1}(qk) - a_{j-1}(k)}{q^j - 1}

    takes the orders :math:`1/k, \dots, 1/k^j` away.

    Parameters
    ----------
    k : ArrayLike, shape (n,)
        A geometric sequence with a ratio greater than 1, such as 16, 32, 64, 128.
    values : ArrayLike, shape (n,)
        Positive values there.
    orders : int, default 1
        How many orders are taken away; 0 for the exponents themselves.

    Returns
    -------
    numpy array, shape (n - 1 - orders,)

    Raises
    ------
    ShapeError
        If lengths differ, or there are not more than ``orders + 1`` values.
    InvalidValueError
        If the sequence is not geometric, or something is not positive.

    Examples
    --------
    >>> import numpy as np, ntk
    >>> k = np.array([16.0, 32.0, 64.0, 128.0])
    >>> ntk.spectra.local_exponents(k, k**-2 * (1 + 3 / k), orders=0).round(2)
    array([2.12, 2.06, 2.03])
    >>> ntk.spectra.local_exponents(k, k**-2 * (1 + 3 / k)).round(2)
    array([2.01, 2.  ])
    """
    points, found = reals("k", k), reals("values", values)
    if points.ndim != 1 or points.shape != found.shape:
        raise ShapeError(f"k and values must be vectors, got shapes {points.shape}, {found.shape}")
    if type(orders) is not int or orders < 0:
        raise InvalidValueError(f"orders must be a whole number, at least 0, got {orders!r}")
    if len(points) < orders + 2:
        raise ShapeError(
            f"to take {orders} order(s) away needs {orders + 2} values or more, got {len(points)}"
        )
    if not ((points > 0) & (found > 0)).all():
        raise InvalidValueError("k and values must be positive")
    steps = np.diff(np.log(points))
    if not (steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6)):
        raise InvalidValueError(
            f"k must be a geometric sequence with a ratio greater than 1, got {points}"
        )
    exponents = -np.diff(np.log(found)) / steps
    for order in range(1, orders + 1):
        factor = np.exp(order * steps[0])
        exponents = (factor * exponents[1:] - exponents[:-1]) / (factor - 1.0)
    return exponents


def _ranks(ranks: Any, count: int) -> Any:
    if ranks is None:
        return np.arange(1.0, count + 1.0)
    places = reals("ranks", ranks)
    if places.shape != (count,):
        raise ShapeError(f"ranks must have shape ({count},), got {places.shape}")
    return places


def _check_range(places: Any, values: Any, start: int, stop: int) -> None:
    wide = len(places) > 0 and places.max() >= NARROWEST * places.min() > 0
    if len(places) < FEWEST or not wide:
        raise InvalidValueError(
            f"an exponent needs {FEWEST} values or more over a factor of {NARROWEST:g} in rank; "
            f"between start={start} and stop={stop} there are {len(places)}"
        )
    if not (values > 0).all():
        worst = places[np.argmin((values > 0).all(axis=0))]
        raise InvalidValueError(
            f"values must be positive: the one at rank {worst:g} is not; end the range before it"
        )
    if 1 < len(values) < FEWEST:
        raise InvalidValueError(
            f"an interval over seeds needs {FEWEST} of them or more, got {len(values)}"
        )


def _student(probability: float, freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))
