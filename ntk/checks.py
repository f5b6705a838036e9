"""Checks on arguments: shapes always, values on concrete arrays only, so that everything traces."""

import difflib
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
from jax import Array

from ntk.errors import InvalidTypeError, InvalidValueError, PrecisionWarning, ShapeError


def is_concrete(value: Any) -> bool:
    """Whether ``value`` can be looked at now; a tracer stands for many values and cannot."""
    return not isinstance(value, jax.core.Tracer)


def rounding(dtype: Any) -> float:
    """Return the distance from 1 to the next number of this floating type."""
    return float(jnp.finfo(dtype).eps)  # type: ignore[no-untyped-call]


def as_float(value: Any) -> Any:
    """Turn a plain number into ``float``; leave tracers, arrays and pytree sentinels alone."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return value
    return float(value)


def as_array(name: str, value: Any) -> Array:
    """Convert to a floating JAX array; warn if float64 cannot be kept.

    Raises
    ------
    InvalidTypeError
        If ``value`` is not an array of real numbers.
    """
    try:
        dtype = jnp.result_type(value)
    except (TypeError, ValueError):
        try:
            value = np.asarray(value)
            dtype = np.dtype(value.dtype)
        except (TypeError, ValueError) as error:
            raise InvalidTypeError(
                f"{name} must be an array of real numbers, got {type(value).__name__} ({error})"
            ) from None
    if not (jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)):
        raise InvalidTypeError(
            f"{name} must hold real numbers, got dtype {dtype}; convert it, "
            f"for example {name}.astype('float32')"
        )
    asked_for_float64 = getattr(value, "dtype", None) == np.float64
    if asked_for_float64 and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        warnings.warn(
            f"{name} is float64 but JAX keeps float32 only: the result will be float32. "
            "Turn on float64 with jax.config.update('jax_enable_x64', True) at the start of the "
            f"program, or pass {name}.astype('float32') to silence this",
            PrecisionWarning,
            stacklevel=levels_outside(sys._getframe()),
        )
        value = np.asarray(value, dtype=np.float32)
    array = jnp.asarray(value)
    if not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(jnp.result_type(float))
    return array


def levels_outside(frame: FrameType | None) -> int:
    """Count the frames up to the first that is neither ours nor the shape checker's."""
    ours = (str(Path(__file__).parent), str(Path(jaxtyping.__file__).parent), "<")
    level = 1
    while frame is not None and frame.f_code.co_filename.startswith(ours):
        level += 1
        frame = frame.f_back
    return level


def require_finite(name: str, array: Array | np.ndarray) -> None:
    """Raise if a concrete array has a NaN or an infinity; a traced one passes."""
    if not is_concrete(array):
        return
    # NumPy, since inside a trace JAX would stage the operation even for a concrete array.
    finite = np.isfinite(np.asarray(array))
    if not finite.all():
        bad = int(finite.size - finite.sum())
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise InvalidValueError(
            f"{name} has {bad} value(s) that are NaN or infinite, the first at index {where}; "
            "remove or impute them first"
        )


def inputs(name: str, value: Any) -> Array:
    """Check a batch ``(n, d)`` or ``(n, *positions, channels)``; return a floating array."""
    array = as_array(name, value)
    if array.ndim < 2:
        hint = (
            "a single number is not a batch"
            if array.ndim == 0
            else f"for one point use {name}[None, :], for n points with one feature {name}[:, None]"
        )
        raise ShapeError(
            f"{name} must have shape (n, d), one row a point, or (n, *positions, channels); got "
            f"shape {array.shape}: {hint}"
        )
    if 0 in array.shape:
        raise ShapeError(f"{name} is empty: got shape {array.shape}, expected n >= 1 and d >= 1")
    require_finite(name, array)
    return array


def matrix(name: str, value: Any, shape: tuple[int | None, ...]) -> Array:
    """Check a matrix against a shape in which ``None`` stands for any length."""
    array = as_array(name, value)
    expected = "(" + ", ".join("any" if s is None else str(s) for s in shape) + ")"
    if array.ndim == 1 and shape[0] in (None, array.shape[0]):
        raise ShapeError(
            f"{name} must be a matrix of shape {expected}, got shape {array.shape}: "
            f"for one output use {name}[:, None]"
        )
    if array.ndim != 2 or any(
        want is not None and got != want for got, want in zip(array.shape, shape, strict=True)
    ):
        raise ShapeError(f"{name} must have shape {expected}, got shape {array.shape}")
    if 0 in array.shape:
        raise ShapeError(f"{name} is empty: got shape {array.shape}")
    require_finite(name, array)
    return array


def positive_integer(name: str, value: Any) -> int:
    """Check a count such as a width or a depth."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InvalidTypeError(
            f"{name} must be a whole number, got {value!r} of type {type(value).__name__}"
        )
    if value < 1:
        raise InvalidValueError(f"{name} must be at least 1, got {value}")
    return int(value)


def scale(name: str, value: Any, *, none_is: str | None = None) -> Any:
    """Check a standard deviation: a finite number that is not negative, or a traced value."""
    if value is None and none_is is not None:
        return None
    value = as_float(value)
    if isinstance(value, str | bool) or (value is None):
        meaning = f" or None ({none_is})" if none_is else ""
        raise InvalidTypeError(f"{name} must be a number{meaning}, got {value!r}")
    if isinstance(value, float) and not (np.isfinite(value) and value >= 0):
        raise InvalidValueError(
            f"{name} is a standard deviation and must be finite and at least 0, got {value}"
        )
    return value


def number(name: str, value: Any) -> Any:
    """Check a finite real number, or pass a traced value."""
    value = as_float(value)
    if value is None or isinstance(value, str | bool | complex):
        raise InvalidTypeError(f"{name} must be a real number, got {value!r}")
    if isinstance(value, float) and not np.isfinite(value):
        raise InvalidValueError(f"{name} must be finite, got {value}")
    return value


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Check a word against the allowed ones and suggest the closest."""
    known = sorted(allowed)
    if isinstance(value, str) and value in known:
        return value
    close = difflib.get_close_matches(str(value), known, n=3)
    meant = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    listed = ", ".join(map(repr, known))
    raise InvalidValueError(f"{name} must be one of {listed}; got {value!r}{meant}")


def same_features(
    name1: str, array1: Array | np.ndarray, name2: str, array2: Array | np.ndarray
) -> None:
    """Raise unless two batches agree in everything but the number of examples."""
    if array1.shape[1:] != array2.shape[1:]:
        raise ShapeError(
            f"{name1} and {name2} must have the same features: got shapes {array1.shape} and "
            f"{array2.shape}"
        )
