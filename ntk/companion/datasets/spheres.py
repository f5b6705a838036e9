"""Inputs on circles and spheres."""

from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ntk.companion.datasets.arguments import Real, Seed, float_dtype, generator, positive_int
from ntk.companion.datasets.records import Floats
from ntk.errors import InvalidValueError, ShapeError

Radius = float | int | Literal["sqrt_d"]


def on_sphere(
    x: ArrayLike,
    *,
    radius: Radius = "sqrt_d",
    centred: bool = False,
    dtype: DTypeLike = np.float32,
) -> Floats:
    r"""Scale every input to the same norm.

    Each row becomes :math:`r\, a / \lVert a \rVert` with :math:`a = x`, or
    :math:`a = x - \bar x` with the row's own mean :math:`\bar x` if `centred`.

    Parameters
    ----------
    x : array_like
        Inputs `(n, *input_shape)`; `d` is the number of entries of one input.
    radius : float or "sqrt_d"
        The norm :math:`r`. With :math:`\sqrt d` the entries have mean square one, so that a dense
        layer with `sigma_w = 1` starts from a variance of exactly one.
    centred : bool
        Subtract from each input the mean of its own entries first.
    dtype : dtype
        A floating type; the arithmetic is done in float64.

    Returns
    -------
    numpy.ndarray
        Inputs of the same shape.

    Raises
    ------
    ShapeError
        If `x` has no axis of examples and one of features, or no rows.
    InvalidValueError
        If an input has norm zero or is not finite, or the radius is not positive.

    Examples
    --------
    >>> from ntk.companion import datasets
    >>> datasets.on_sphere([[3.0, 4.0]], radius=1.0)
    array([[0.6, 0.8]], dtype=float32)
    """
    result = float_dtype(dtype)
    points = np.asarray(x, dtype=np.float64)
    if points.ndim < 2 or points.size == 0:
        raise ShapeError(f"x: got shape {points.shape}, expected (n, *input_shape) with n >= 1.")
    flat = points.reshape(len(points), -1)
    if centred:
        flat = flat - flat.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(norms[:, 0]) & (norms[:, 0] > 0)))
    if bad.size:
        kind = "constant or not finite" if centred else "zero or not finite"
        raise InvalidValueError(
            f"x: {bad.size} rows are {kind} and have no direction (the first is row {bad[0]}); "
            "drop them."
        )
    scaled: Floats = flat / norms * _length(radius, flat.shape[1])
    return scaled.reshape(points.shape).astype(result)


def circle(
    n: SupportsIndex,
    *,
    phase: Real = 0.0,
    radius: Radius = 1.0,
    dtype: DTypeLike = np.float32,
) -> Floats:
    r"""Return points at equal distances on a circle.

    Point `j` is :math:`r\,(\cos\gamma_j, \sin\gamma_j)` with
    :math:`\gamma_j = \varphi + 2\pi j / n`.

    Parameters
    ----------
    n : int
        How many points.
    phase : float
        The angle :math:`\varphi` of the first point, in radians.
    radius : float or "sqrt_d"
        The radius :math:`r`; `"sqrt_d"` is :math:`\sqrt 2`. The default is the unit circle of
        Jacot et al. (2018), section 6.
    dtype : dtype
        A floating type.

    Returns
    -------
    numpy.ndarray
        Points `(n, 2)`.

    Raises
    ------
    InvalidValueError
        If `n` is below 1, or the radius is not positive, or the phase is not finite.

    Examples
    --------
    >>> from ntk.companion import datasets
    >>> datasets.circle(4).round(3) + 0.0
    array([[ 1.,  0.],
           [ 0.,  1.],
           [-1.,  0.],
           [ 0., -1.]], dtype=float32)
    """
    result = float_dtype(dtype)
    count = positive_int("n", n)
    if not np.isfinite(phase):
        raise InvalidValueError(f"phase: got {phase!r}, expected a finite angle in radians.")
    angles = phase + 2 * np.pi * np.arange(count) / count
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (_length(radius, 2) * points).astype(result)


def sphere(
    n: SupportsIndex,
    d: SupportsIndex,
    *,
    seed: Seed,
    radius: Radius = "sqrt_d",
    dtype: DTypeLike = np.float32,
) -> Floats:
    r"""Draw points uniformly on a sphere.

    The points are :math:`r\, g / \lVert g \rVert` with standard normal :math:`g`. The first rows
    do not depend on `n`: a larger sample with the same seed begins with the smaller one.

    Parameters
    ----------
    n : int
        How many points.
    d : int
        The dimension of the space around the sphere.
    seed : int or numpy.random.Generator
        The source of randomness.
    radius : float or "sqrt_d"
        The radius :math:`r`.
    dtype : dtype
        A floating type; the draw is made in float64, so that both precisions see the same points.

    Returns
    -------
    numpy.ndarray
        Points `(n, d)`.

    Raises
    ------
    InvalidValueError
        If `n` or `d` is below 1, or the radius is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ntk.companion import datasets
    >>> x = datasets.sphere(3, 4, seed=0)
    >>> bool(np.allclose(np.linalg.norm(x, axis=1), 2.0))
    True
    """
    shape = (positive_int("n", n), positive_int("d", d))
    return on_sphere(generator(seed).standard_normal(shape), radius=radius, dtype=dtype)


def _length(radius: Any, d: int) -> float:
    """Return the radius as a number."""
    if radius == "sqrt_d":
        return float(np.sqrt(d))
    if isinstance(radius, str) or not (np.isfinite(radius) and radius > 0):
        raise InvalidValueError(
            f"radius: got {radius!r}, expected a positive number or 'sqrt_d', which is sqrt({d})."
        )
    return float(radius)
