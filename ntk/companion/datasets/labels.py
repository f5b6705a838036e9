"""Class numbers as regression targets."""

from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ntk.companion.datasets.arguments import float_dtype, positive_int
from ntk.companion.datasets.records import Floats
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError


def one_hot(
    y: ArrayLike,
    classes: SupportsIndex | None = None,
    *,
    centred: bool = True,
    dtype: DTypeLike = np.float32,
) -> Floats:
    r"""Turn class numbers into targets for least squares.

    Row `i` is :math:`e_{y_i} - \tfrac1k \mathbf 1`: the right class has the target
    :math:`1 - 1/k`, every other one :math:`-1/k`. Centred targets sum to zero over the classes,
    as the outputs of a network do on average at initialisation.

    Parameters
    ----------
    y : array_like
        Class numbers `(n,)`, integers from 0 to `classes - 1`.
    classes : int, optional
        The number of classes `k`; by default `max(y) + 1`. Give it whenever a part of the data
        may lack the last class.
    centred : bool
        Subtract `1/k`. With False the targets are 0 and 1.
    dtype : dtype
        A floating type.

    Returns
    -------
    numpy.ndarray
        Targets `(n, k)`.

    Raises
    ------
    ShapeError
        If `y` is not `(n,)` with at least one row.
    InvalidTypeError
        If `y` does not hold integers, or `dtype` is not floating.
    InvalidValueError
        If a class number lies outside `0 ... classes - 1`.

    Examples
    --------
    >>> from ntk.companion import datasets
    >>> datasets.one_hot([0, 1, 1], centred=False)
    array([[1., 0.],
           [0., 1.],
           [0., 1.]], dtype=float32)
    >>> datasets.one_hot([0, 3], 4)
    array([[ 0.75, -0.25, -0.25, -0.25],
           [-0.25, -0.25, -0.25,  0.75]], dtype=float32)
    """
    result = float_dtype(dtype)
    numbers = np.asarray(y)
    if numbers.ndim != 1 or numbers.size == 0:
        raise ShapeError(
            f"y: got shape {numbers.shape}, expected (n,) with n >= 1: one class number a row."
        )
    if not np.issubdtype(numbers.dtype, np.integer):
        raise InvalidTypeError(
            f"y: got dtype {numbers.dtype.name}, expected integers; convert with y.astype(int)."
        )
    k = positive_int("classes", int(numbers.max()) + 1 if classes is None else classes)
    if numbers.min() < 0 or numbers.max() >= k:
        raise InvalidValueError(
            f"y: got class numbers from {numbers.min()} to {numbers.max()}, "
            f"expected 0 to {k - 1} for classes={k}."
        )
    targets: Floats = np.eye(k)[numbers]
    if centred:
        targets = targets - 1.0 / k
    return targets.astype(result)
