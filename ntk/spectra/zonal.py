r"""Exact spectra of zonal kernels on the sphere, in any dimension.

A kernel :math:`\kappa(\langle x, x' \rangle)` on the unit sphere of :math:`\mathbb R^p` has the
spherical harmonics for eigenfunctions. The eigenvalue is the same for all harmonics of a degree,
and a one-dimensional integral (the Funk-Hecke formula).
"""

import math
import sys
import warnings
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

from ntk import checks
from ntk.analytic import kernel as limiting_kernel
from ntk.errors import InvalidTypeError, InvalidValueError, NTKWarning
from ntk.layers.base import Layer
from ntk.spectra.numbers import reals

Zonal = Callable[[Any], Any]


class ZonalSpectrum(NamedTuple):
    r"""Eigenvalues of a zonal kernel by degree; NumPy arrays in double precision.

    Attributes
    ----------
    eigenvalues : array, shape (max_degree + 1,)
        The eigenvalue :math:`\lambda_k` of each harmonic of degree :math:`k`, for the uniform
        probability measure on the sphere.
    multiplicities : array, shape (max_degree + 1,)
        How many harmonics there are, :math:`N(p, k)`; exact up to :math:`2^{53}`.
    errors : array, shape (max_degree + 1,)
        An estimate of the absolute error: rounding of the kernel's values, and what a coarser
        rule finds otherwise. An eigenvalue that is not well above it is not known.
    """

    eigenvalues: Any
    multiplicities: Any
    errors: Any


def multiplicity(dimension: int, degree: int) -> int:
    r"""Return the number of spherical harmonics of a degree.

    .. math:: N(p, k) = \binom{k + p - 1}{p - 1} - \binom{k + p - 3}{p - 1}

    (polynomials of degree :math:`k` less those divisible by :math:`|x|^2`).

    Parameters
    ----------
    dimension : int
        The dimension :math:`p` of the space around the sphere, at least 2.
    degree : int
        The degree :math:`k`, at least 0.

    Returns
    -------
    int

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a number is out of range.

    Examples
    --------
    >>> import ntk
    >>> [ntk.spectra.multiplicity(3, k) for k in range(5)]
    [1, 3, 5, 7, 9]
    """
    p, k = _dimension(dimension), _degree("degree", degree)
    lower = math.comb(k + p - 3, p - 1) if k > 1 else 0
    return math.comb(k + p - 1, p - 1) - lower


def zonal_spectrum(
    kernel: Layer | Zonal,
    dimension: int,
    max_degree: int = 32,
    *,
    get: Literal["nngp", "ntk"] = "ntk",
    radius: float | None = None,
) -> ZonalSpectrum:
    r"""Return the eigenvalues of a zonal kernel on the sphere :math:`S^{p-1} \subset \mathbb R^p`.

    .. math:: \lambda_k = \frac{\Gamma(p/2)}{\sqrt\pi\, \Gamma(\frac{p-1}2)} \int_0^\pi
              \kappa(\cos\theta)\, P_k(\cos\theta) \sin^{p-2}\theta\, d\theta

    (Funk-Hecke formula; Müller 1966, "Spherical Harmonics", where :math:`P_k` is the Legendre
    polynomial in dimension :math:`p`: a Gegenbauer polynomial with :math:`P_k(1) = 1`, a cosine if
    :math:`p = 2`), so that :math:`\kappa(\cos\theta) = \sum_k N(p, k) \lambda_k P_k(\cos\theta)`.

    Gauss-Legendre quadrature in the angle, in which the kernels of networks are analytic, kinked
    activations included. What is left is rounding of the kernel's values, about 1e-16 of them over
    :math:`\sqrt{N(p, k)}`, in any dimension. The eigenvalue of degree 128 of the NTK of a ReLU
    network has a relative error below 1e-9 for :math:`p \le 5`, but 1e-2 for :math:`p = 20`, where
    degree 32 has 1e-7. The estimates that are returned say so.

    Parameters
    ----------
    kernel : Layer or callable
        A description, whose limiting kernel is taken on the sphere; or a function of an array of
        cosines, elementwise, in NumPy or JAX, which gets and gives float64.
    dimension : int
        The dimension :math:`p \ge 2` of the space around the sphere.
    max_degree : int, default 32
        The largest degree.
    get : "ntk" or "nngp"
        Which kernel of a description.
    radius : float, optional
        Of the sphere of a description's inputs; :math:`\sqrt p` if omitted, which makes the
        entries of an input 1 on average.

    Returns
    -------
    ZonalSpectrum

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the dimension is less than 2, a number is out of range, or the function is not
        elementwise or not finite.

    Warns
    -----
    NTKWarning
        If the quadrature has not settled to 1e-8 of the largest eigenvalue, as for a kernel that
        jumps.

    Examples
    --------
    >>> import ntk
    >>> found = ntk.spectra.zonal_spectrum(lambda t: t**2, dimension=3, max_degree=3)
    >>> abs(found.eigenvalues.round(6)).tolist()  # t^2 = 1/3 + (2/3) P_2(t), and N = 1, 3, 5
    [0.333333, 0.0, 0.133333, 0.0]
    """
    p, degree = _dimension(dimension), _degree("max_degree", max_degree)
    kappa = _on_the_sphere(kernel, p, get, radius)
    rules = [_rule(p, degree, density) for density in (1.0, 1.5)]
    # All at once, since each number of points compiles a kernel anew.
    values = np.split(kappa(np.concatenate([cosine for cosine, _ in rules])), [len(rules[0][0])])
    coarse, found = (
        _project(p, degree, *rule, part) for rule, part in zip(rules, values, strict=True)
    )
    counts = np.array([float(multiplicity(p, k)) for k in range(degree + 1)])
    unsettled = np.abs(found - coarse)
    if unsettled.max() > 1e-8 * np.abs(found).max():
        _warn_unsettled(unsettled.max(), np.abs(found).max())
    # In the mean square P_k is 1 / N, and so falls what rounding of the kernel leaves.
    size = math.sqrt(rules[1][1] @ values[1] ** 2)
    errors = unsettled + 16 * np.finfo(float).eps * size / np.sqrt(counts)
    return ZonalSpectrum(found, counts, errors)


def _rule(p: int, degree: int, density: float) -> tuple[Any, Any]:
    """Return cosines and the measure of the sphere at them, which adds to 1."""
    # Beyond this angle from the equator harmonics of these degrees and the measure are nothing.
    reach = math.pi / 2
    if p > 2:
        reach = min(reach, (2.0 * math.sqrt(degree) + 10.0) / math.sqrt(p - 2))
    waves = reach * math.sqrt(degree * (degree + p - 2.0))
    # In panels of a small rule, since the weights of a large one are not right to the last digit.
    panels = math.ceil(density * (waves / 8 + 3))
    node, weight = np.polynomial.legendre.leggauss(24)
    half = (np.arange(panels)[:, None] + 0.5 * (node + 1.0)).ravel() * (reach / panels)
    measure = np.tile(weight, panels) * np.cos(half) ** (p - 2)
    # Both sides of the equator alike, so that parity is kept.
    angle, measure = np.append(-half, half), np.append(measure, measure)
    return np.sin(angle), measure / measure.sum()


def _project(p: int, degree: int, cosine: Any, measure: Any, values: Any) -> Any:
    """Return the means of the values times each polynomial, by their recurrence."""
    weighted = measure * values
    before, now = np.ones_like(cosine), cosine
    found = [weighted.sum()]
    for k in range(1, degree + 1):
        found.append(weighted @ now)
        before, now = now, ((2 * k + p - 2) * cosine * now - k * before) / (k + p - 2)
    return np.array(found)


def _on_the_sphere(kernel: Any, p: int, get: str, radius: float | None) -> Zonal:
    if isinstance(kernel, Layer):
        checks.choice("get", get, ("nngp", "ntk"))
        length = math.sqrt(p) if radius is None else checks.scale("radius", radius)

        def of_cosine(cosine: Any) -> Any:
            rest = np.sqrt((1.0 - cosine) * (1.0 + cosine))
            points = np.zeros((len(cosine), p))
            points[:, 0], points[:, 1] = cosine, rest
            pole = np.zeros((1, p))
            pole[0, 0] = 1.0
            part: Any = get
            return limiting_kernel(kernel, length * pole, length * points, get=part)[0]

    elif callable(kernel):
        of_cosine = kernel
    else:
        raise InvalidTypeError(
            "kernel must be a description such as ntk.mlp(2) or a function of the cosine, got "
            f"{type(kernel).__name__}"
        )

    def checked(cosine: Any) -> Any:
        with jax.enable_x64(True):
            values = reals("kernel(cosine)", of_cosine(cosine))
        if values.shape != cosine.shape:
            raise InvalidValueError(
                f"kernel must be elementwise: {cosine.shape} cosines gave shape {values.shape}"
            )
        return values

    return checked


def _dimension(value: Any) -> int:
    p = checks.positive_integer("dimension", value)
    if p < 2:
        raise InvalidValueError(
            f"dimension counts the space around the sphere and must be at least 2, got {p}; the "
            "circle has 2"
        )
    return p


def _degree(name: str, value: Any) -> int:
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value == 0:
        return 0
    return checks.positive_integer(name, value)


def _warn_unsettled(error: float, largest: float) -> None:
    warnings.warn(
        f"the eigenvalues are known to {error:.1g} only, the largest being {largest:.3g}: the "
        "kernel is not smooth in the angle",
        NTKWarning,
        stacklevel=checks.levels_outside(sys._getframe()),
    )
