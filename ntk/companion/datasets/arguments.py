"""Checks of arguments that every loader shares."""

import difflib
import operator
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from ntk.errors import InvalidTypeError, InvalidValueError, UnknownNameError

Seed = int | np.random.Generator
Real = float | int


def positive_int(argument: str, value: Any) -> int:
    """Return `value` as an `int`, or say that a whole number of at least 1 was expected."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise InvalidTypeError(
            f"{argument}: got {value!r} of type {type(value).__name__}, expected a whole number; "
            f"pass an int, for example {argument}=100."
        ) from None
    if number < 1:
        raise InvalidValueError(f"{argument}: got {number}, expected at least 1.")
    return number


def at_most(argument: str, value: Any, available: int, what: str) -> int:
    """Return `value` (None: all there is), or say how many rows there are."""
    if value is None:
        return available
    number = positive_int(argument, value)
    if number > available:
        raise InvalidValueError(
            f"{argument}: got {number}, but there are only {available} {what}; "
            f"ask for at most {available}, or pass None for all of them."
        )
    return number


def float_dtype(dtype: Any) -> np.dtype[np.floating[Any]]:
    """Return `dtype` as a floating numpy dtype, or say that a floating type was expected."""
    try:
        result = np.dtype(dtype)
    except TypeError:
        raise InvalidTypeError(
            f"dtype: got {dtype!r}, which numpy does not know; pass np.float32 or np.float64."
        ) from None
    if not np.issubdtype(result, np.floating):
        raise InvalidTypeError(
            f"dtype: got {result.name}, expected a floating type; pass np.float32 or np.float64."
        )
    return cast("np.dtype[np.floating[Any]]", result)


def generator(seed: Any) -> np.random.Generator:
    """Return the random generator for `seed`: an int of 0 or more, or a generator itself."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise InvalidTypeError(
            f"seed: got {seed!r} of type {type(seed).__name__}, expected an int or a "
            "numpy.random.Generator; results must be repeatable, so there is no default seed."
        )
    if seed < 0:
        raise InvalidValueError(f"seed: got {seed}, expected 0 or more.")
    return np.random.default_rng(seed)


def known_name(argument: str, name: Any, names: Iterable[str]) -> str:
    """Return `name` if it is one of `names`, or list the close matches."""
    known: Sequence[str] = tuple(names)
    if name in known:
        return str(name)
    close = difflib.get_close_matches(str(name).lower(), known, n=4, cutoff=0.5)
    hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise UnknownNameError(f"{argument}: got {name!r}. {hint}Known: {', '.join(known)}.")
