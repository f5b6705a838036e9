"""Roots of functions of one variable in double precision, many at once, by SciPy's finder."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np

from ntk.errors import NTKError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_double_precision(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let JAX keep float64 while the function runs, in this thread only."""

    @wraps(function)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with jax.enable_x64(True):
            return function(*args, **kwargs)

    return wrapped


def find_roots(function: Callable[..., Any], low: Any, high: Any, *args: Any) -> Any:
    """Return a root in each bracket, by Chandrupatla's method (SciPy's ``find_root``).

    Parameters
    ----------
    function : callable
        Of ``(x, *args)``, elementwise on flat arrays; of opposite signs at ``low`` and ``high``.
    low, high : array, shape (n,)
        The brackets.
    *args : array, shape (n,)
        One number a bracket.

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    NTKError
        If a bracket has no change of sign, which is a fault of the caller.
    """
    from scipy.optimize import elementwise

    low, high = np.asarray(low, float), np.asarray(high, float)
    if low.size == 0:
        return low
    size = 1 << (low.size - 1).bit_length()

    def padded(x: Any, *rest: Any) -> Any:
        # The finder drops what has converged. One length for all calls, or each compiles anew.
        columns = [np.resize(np.ravel(part), size) for part in (x, *rest)]
        return np.reshape(np.asarray(function(*columns), float)[: np.size(x)], np.shape(x))

    found = elementwise.find_root(padded, (low, high), args=tuple(np.asarray(a) for a in args))
    if not np.all(found.success):
        bad = int(np.argmin(found.success))
        raise NTKError(
            f"the root finder stopped with status {found.status[bad]} in "
            f"[{low[bad]:g}, {high[bad]:g}]"
        )
    return found.x
