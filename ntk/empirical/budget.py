"""A method and tiles for a kernel: the fewest operations that fit into the memory."""

import re
from collections.abc import Callable
from typing import Any

import jax

from ntk.empirical.costs import Accounts, accounts
from ntk.empirical.divisions import best, divisions, result_bytes
from ntk.empirical.request import METHODS, Request
from ntk.empirical.tiles import Tiles, build
from ntk.errors import InvalidTypeError, InvalidValueError

SMALLER = 0.8
"""How much smaller a division is estimated to be before it is tried after one that did not fit."""

UNITS = {
    "": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip


def parse_memory(memory: Any) -> int | None:
    """Return a number of bytes for ``"2GiB"``, ``"500 MB"`` or a number.

    Examples
    --------
    >>> parse_memory("1.5 KiB")
    1536
    """
    if memory is None:
        return None
    expected = "expected a number of bytes or a text such as '2GiB' or '500MB'"
    if isinstance(memory, bool) or not isinstance(memory, str | int | float):
        raise InvalidTypeError(f"memory={memory!r} is of type {type(memory).__name__}; {expected}")
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]*)\s*", memory)
        if match is None or match[2].lower() not in UNITS:
            raise InvalidValueError(f"memory={memory!r} cannot be read; {expected}")
        memory = float(match[1]) * UNITS[match[2].lower()]
    if not 1 <= memory < float("inf"):
        raise InvalidValueError(f"memory={memory!r} must be at least one byte; {expected}")
    return int(memory)


def as_text(size: float | int) -> str:
    """Return a number of bytes in words."""
    size = float(size)
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} B"


def choose(
    request: Request, params: Any, x1: Any, x2: Any, method: str, limit: int | None
) -> tuple[str, Tiles | None]:
    """Return the method with the fewest operations within the memory, and its tiles."""
    counted = accounts(request, params, x1, x2)
    names = by_effort(counted, method, limit)
    if limit is None:
        return names[0], best(counted, names[0], None).tiles
    least = {}
    for name in names:
        tiles, least[name] = _fitting(request, params, x1, x2, name, counted, limit)
        if least[name] <= limit:
            return name, tiles
    cheapest = min(least, key=least.__getitem__)
    raise InvalidValueError(
        f"memory={limit} ({as_text(limit)}) is too small: with the smallest tiles method "
        f"{cheapest!r} takes {as_text(least[cheapest])}, of which "
        f"{as_text(result_bytes(counted))} are the result; at least "
        f"memory={int(least[cheapest])} would do"
    )


def at_one_go(
    request: Request, params: Any, x1: Any, x2: Any, method: str, limit: int
) -> tuple[str, float]:
    """Return the cheapest method and the bytes that it takes without tiles."""
    counted = accounts(request, params, x1, x2)
    name = by_effort(counted, method, limit)[0]
    guess = counted.method(name, counted.sizes).bytes
    if guess > 2 * limit:  # far from it: no need to compile
        return name, guess
    return name, _measured(request, params, x1, x2, name, None)


def by_effort(counted: Accounts, method: str, limit: int | None) -> list[str]:
    """Return the method that was asked for, or all, those with few operations first."""
    if method == "vector_products" and not counted.has_forward_rules:
        raise InvalidValueError(
            "method='vector_products' differentiates forwards, which a function with a rule by "
            "jax.custom_vjp does not allow; take method='structured' or 'jacobian'"
        )
    names = possible_methods(counted) if method == "auto" else (method,)
    return sorted(names, key=lambda name: best(counted, name, limit).effort)


def possible_methods(counted: Accounts) -> tuple[str, ...]:
    """Return the methods that can differentiate the model."""
    forwards = counted.has_forward_rules
    return tuple(name for name in METHODS if forwards or name != "vector_products")


def _fitting(
    request: Request, params: Any, x1: Any, x2: Any, name: str, counted: Accounts, limit: int
) -> tuple[Tiles | None, float]:
    """Return the division with the fewest operations that fits, and what it takes.

    If none does, it is the one that takes least.
    """
    found = sorted(divisions(counted, name, limit), key=lambda one: one.effort)
    smallest = min(found, key=lambda one: one.bytes)
    tiles, least, guess = smallest.tiles, float("inf"), float(limit)
    for one in [*found, smallest]:
        if one.bytes > guess and one is not smallest:
            continue
        taken = _measured(request, params, x1, x2, name, one.tiles)
        if taken < least:
            tiles, least = one.tiles, taken
        if taken <= limit or one is smallest:
            break
        guess = SMALLER * one.bytes  # each attempt is compiled
    return tiles, least


def _measured(
    request: Request, params: Any, x1: Any, x2: Any, name: str, tiles: Tiles | None
) -> float:
    """Return what the compiled computation says that it will take."""
    return float(compiled_bytes(build(request, name, tiles), params, x1, x2))


def compiled_bytes(f: Callable[..., Any], *arguments: Any) -> int:
    """Compile a function and return the bytes that it needs beside its arguments.

    These are the result and the intermediate values that are alive at once, as XLA lays them out.
    Nothing is computed.

    Parameters
    ----------
    f : callable
        A function of arrays.
    *arguments
        Arrays or pytrees of these; ``jax.ShapeDtypeStruct`` will do.

    Returns
    -------
    int
        The bytes.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.empirical.budget import compiled_bytes
    >>> compiled_bytes(lambda x: jnp.outer(x, x), jnp.ones(100, jnp.float32)) >= 4 * 100**2
    True
    """
    needed: Any = jax.jit(f).lower(*arguments).compile().memory_analysis()
    return int(needed.output_size_in_bytes + needed.temp_size_in_bytes)
