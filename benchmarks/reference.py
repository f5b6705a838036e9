"""Kernels of a few pairs by other means: the textbook formulas in 50 digits, or quadrature."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from scipy.special import ndtr

from benchmarks.case import Parameters

DIGITS = 50
# Gauss and Hermite's rule for GELU, which is smooth: 120 nodes reach rounding at these norms.
NODES = 120


def ntk_of_pair(p: Parameters, x: np.ndarray, y: np.ndarray) -> float:
    """Return the limiting NTK of two inputs, straight from the recursion.

    Nothing here is shared with the package: the duals are the textbook ones, in which close points
    lose half of the digits, and 50 of them leave enough.
    """
    with mpmath.workdps(DIGITS):
        w, b = mpmath.mpf(p["sigma_w"]) ** 2, mpmath.mpf(p["sigma_b"]) ** 2
        xx, xy, yy = (_product(u, v) * w / len(x) + b for u, v in ((x, x), (x, y), (y, y)))
        tangent = xy
        dual = DUALS[p["activation"]]
        for _ in range(p["depth"]):
            (value, slope), (xx, _), (yy, _) = dual(xx, xy, yy), dual(xx, xx, xx), dual(yy, yy, yy)
            xx, xy, yy = w * xx + b, w * value + b, w * yy + b
            tangent = w * tangent * slope + xy
        return float(tangent)


def _product(x: np.ndarray, y: np.ndarray) -> Any:
    return mpmath.fsum(
        mpmath.mpf(float(a)) * mpmath.mpf(float(b)) for a, b in zip(x, y, strict=True)
    )


def _relu(xx: Any, xy: Any, yy: Any) -> tuple[Any, Any]:
    """Return the dual and that of the derivative (Cho and Saul 2009)."""
    scale = mpmath.sqrt(xx * yy)
    cosine = min(max(xy / scale, mpmath.mpf(-1)), mpmath.mpf(1))
    angle = mpmath.acos(cosine)
    value = scale * (mpmath.sin(angle) + (mpmath.pi - angle) * cosine) / (2 * mpmath.pi)
    return value, (mpmath.pi - angle) / (2 * mpmath.pi)


def _erf(xx: Any, xy: Any, yy: Any) -> tuple[Any, Any]:
    """Return the dual and that of the derivative (Williams 1997)."""
    a, b = 1 + 2 * xx, 1 + 2 * yy
    value = 2 / mpmath.pi * mpmath.asin(2 * xy / mpmath.sqrt(a * b))
    return value, 4 / mpmath.pi / mpmath.sqrt(a * b - 4 * xy**2)


def _gelu(xx: Any, xy: Any, yy: Any) -> tuple[Any, Any]:
    """Return the dual and that of the derivative by quadrature, in double precision."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    xx, xy, yy = float(xx), float(xy), float(yy)
    across = xy / np.sqrt(xx)
    u = np.sqrt(xx) * nodes[:, None]
    v = across * nodes[:, None] + np.sqrt(max(yy - across**2, 0.0)) * nodes
    value, slope = (
        float(np.sum(weights[:, None] * weights * f(u) * f(v))) for f in (_gelu_at, _gelu_slope)
    )
    return mpmath.mpf(value), mpmath.mpf(slope)


def _gelu_at(z: np.ndarray) -> Any:
    return z * ndtr(z)


def _gelu_slope(z: np.ndarray) -> Any:
    return ndtr(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


Dual = Callable[[Any, Any, Any], tuple[Any, Any]]
DUALS: dict[str, Dual] = {"relu": _relu, "erf": _erf, "gelu": _gelu}
