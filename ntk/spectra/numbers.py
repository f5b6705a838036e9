"""Arrays of plain numbers, in double precision whatever JAX is set to."""

from typing import Any

import numpy as np

from ntk.errors import InvalidTypeError, InvalidValueError


def reals(name: str, value: Any) -> Any:
    """Return a finite float64 array of NumPy.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it holds something else than real numbers, or a NaN or an infinity.
    """
    try:
        array = np.asarray(value)
        numeric = array.dtype.kind in "iuf" or str(array.dtype) == "bfloat16"
    except Exception as error:  # a tracer, or rows of different lengths
        raise InvalidTypeError(
            f"{name} must be an array of concrete real numbers, got {type(value).__name__} "
            f"({str(error).splitlines()[0]})"
        ) from None
    if not numeric:
        raise InvalidTypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    array = array.astype(float)
    if not np.isfinite(array).all():
        bad = array.size - int(np.isfinite(array).sum())
        raise InvalidValueError(f"{name} has {bad} value(s) that are NaN or infinite")
    return array
