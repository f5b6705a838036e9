"""Numbers on their way into a record (plain, finite) and out of it (as text)."""

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ntk.errors import InvalidTypeError, InvalidValueError

Floats = npt.NDArray[np.float64]
Real = float | int
Value = float | tuple[float, ...]
"""What a record holds: one number, or a few."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")


def finite_array(value: Any, name: str) -> Floats:
    """Return `value` as a float64 array, or say what keeps it from being one.

    Parameters
    ----------
    value : array_like
        Numbers from NumPy, JAX or plain Python.
    name : str
        The argument's name, for the message.

    Returns
    -------
    ndarray of float64
        The same numbers, at least one and all finite.

    Raises
    ------
    InvalidTypeError
        If these are not real numbers.
    InvalidValueError
        If there are none, or one is NaN or infinite.

    Examples
    --------
    >>> finite_array([1, 2], "measured")
    array([1., 2.])
    """
    try:
        array = np.asarray(value)
        if np.iscomplexobj(array) or array.dtype.kind in "OSUmM":
            raise TypeError(f"dtype {array.dtype}")
        floats: Floats = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidTypeError(
            f"{name} must be real numbers, got {type(value).__name__} ({error}). "
            "Pass an array, a list of equal-length lists, or a number."
        ) from None
    if floats.size == 0:
        raise InvalidValueError(f"{name} is empty (shape {floats.shape}); pass at least one number")
    wrong = int(np.count_nonzero(~np.isfinite(floats)))
    if wrong:
        raise InvalidValueError(
            f"{name} has {wrong} NaN or infinite values among {floats.size}; "
            "a claim is judged on finite numbers only. Look for an overflow or a division by zero."
        )
    return floats


def is_low_precision(value: Any) -> bool:
    """Whether numbers carry less than double precision (integers count as exact).

    Examples
    --------
    >>> is_low_precision(np.float32(1)), is_low_precision(1.0), is_low_precision([1, 2])
    (True, False, False)
    """
    dtype = np.asarray(value).dtype
    return dtype.kind not in "biu" and dtype.itemsize < 8


def plain(array: npt.ArrayLike) -> Value:
    """Return a Python float, or a tuple of them, for the record.

    Examples
    --------
    >>> plain(np.float64(0.5)), plain(np.array([1.0, 2.0]))
    (0.5, (1.0, 2.0))
    """
    floats = np.asarray(array, dtype=np.float64)
    if floats.ndim == 0:
        return float(floats)
    return tuple(float(v) for v in floats.ravel())


def each(value: Value) -> tuple[float, ...]:
    """Return the numbers of a value one by one."""
    return value if isinstance(value, tuple) else (value,)


def show(value: Value | None, spec: str = ".6g") -> str:
    """Write numbers in plain characters, as outputs and messages do.

    Examples
    --------
    >>> show(-0.5), show((1.0, 2.5e-13)), show(None)
    ('-0.5', '1, 2.5e-13', 'none')
    """
    if value is None:
        return "none"
    return ", ".join(format(v, spec) for v in each(value))


def typeset(value: Value | None, spec: str = ".4g") -> str:
    """Write numbers for a page: a true minus sign and powers of ten.

    Examples
    --------
    >>> typeset(-0.5), typeset(2.5e-13), typeset((1.0, 2.0), ".1f")
    ('−0.5', '2.5\u2009×\u200910⁻¹³', '1.0, 2.0')
    """
    if value is None:
        return "none"
    return ", ".join(_typeset_one(format(v, spec)) for v in each(value))


def typeset_within(text: str) -> str:
    """Rewrite the numbers and comparisons that stand in a text, such as a rule's, for a page.

    Hyphens that join words stay as they are.

    Examples
    --------
    >>> typeset_within("log-log slope in [-0.55, -0.45]"), typeset_within("relative 1e-12, m >= p")
    ('log-log slope in [−0.55, −0.45]', 'relative 10⁻¹², m ≥ p')
    """
    for typed, sign in (("<=", "≤"), (">=", "≥")):
        text = text.replace(typed, sign)
    return _NUMBER.sub(lambda match: _typeset_one(match[0]), text)


def _typeset_one(text: str) -> str:
    mantissa, e, exponent = text.partition("e")
    mantissa = mantissa.replace("-", "−")
    if not e:
        return mantissa
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    if mantissa in ("1", "−1"):
        return mantissa[:-1] + power
    return f"{mantissa}\u2009×\u2009{power}"


def all_finite(values: Iterable[float]) -> bool:
    """Whether every number is finite."""
    return all(math.isfinite(v) for v in values)
