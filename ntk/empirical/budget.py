"""A method and tiles for a kernel: the fewest operations that fit into the memory."""

import re
from collections.abc import Callable
from typing import Any

import jax

from ntk.empirical.costs import Accounts, Cost, accounts
from ntk.empirical.plan import Sizes
from ntk.empirical.request import METHODS, Request
from ntk.empirical.tiles import Tiles, build
from ntk.errors import InvalidTypeError, InvalidValueError

WORKING_BYTES = 2**30
"""Beyond this, and the result, a computation is divided even if no budget is given."""

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
        room = WORKING_BYTES + result_bytes(counted)
        steps = ladder(counted, names[0], request.coupled)
        fits = (tiles for tiles in steps if estimate(counted, names[0], tiles) <= room)
        return names[0], next(fits, steps[-1])
    least = {}
    for name in names:
        tiles, least[name] = _fitting(request, params, x1, x2, name, counted, limit)
        if least[name] <= limit:
            return name, tiles
    best = min(least, key=least.__getitem__)
    raise InvalidValueError(
        f"memory={limit} ({as_text(limit)}) is too small: with the smallest tiles method "
        f"{best!r} takes {as_text(least[best])}, of which {as_text(result_bytes(counted))} are "
        f"the result; at least memory={int(least[best])} would do"
    )


def at_one_go(
    request: Request, params: Any, x1: Any, x2: Any, method: str, limit: int
) -> tuple[str, float]:
    """Return the cheapest method and the bytes that it takes without tiles."""
    counted = accounts(request, params, x1, x2)
    best = by_effort(counted, method, limit)[0]
    guess = estimate(counted, best, None)
    if guess > 2 * limit:  # far from it: no need to compile
        return best, guess
    return best, _measured(request, params, x1, x2, best, None)


def by_effort(counted: Accounts, method: str, limit: int | None) -> list[str]:
    """Return the method that was asked for, or all, those with few operations first."""
    if method == "vector_products" and not counted.has_forward_rules:
        raise InvalidValueError(
            "method='vector_products' differentiates forwards, which a function with a rule by "
            "jax.custom_vjp does not allow; take method='structured' or 'jacobian'"
        )
    names = possible_methods(counted) if method == "auto" else (method,)
    return sorted(names, key=lambda name: effort(counted, name, limit))


def possible_methods(counted: Accounts) -> tuple[str, ...]:
    """Return the methods that can differentiate the model."""
    forwards = counted.has_forward_rules
    return tuple(name for name in METHODS if forwards or name != "vector_products")


def result_bytes(counted: Accounts) -> int:
    """Return the size of the result."""
    sizes = counted.sizes
    each = {"mean": 1, "diagonal": sizes.k, "full": sizes.k**2}[sizes.reduction]
    return sizes.n1 * sizes.n2 * each * counted.itemsize


def effort(counted: Accounts, name: str, limit: int | None) -> float:
    """Count the operations, with those that are repeated since the memory is small."""
    cost = counted.method(name, counted.sizes)
    result = result_bytes(counted)
    room = WORKING_BYTES if limit is None else max(limit - result, 1)
    # A tile takes a share of the rows; the columns are differentiated again for each tile of rows.
    repeats = max(1.0, (cost.bytes - result) / room)
    again = 1.0 if name == "vector_products" else (1.0 + repeats) / 2
    return cost.contraction + cost.derivatives * again


def ladder(counted: Accounts, name: str, coupled: bool) -> list[Tiles | None]:
    """Return ways to divide a computation, from the largest pieces to the smallest."""
    sizes = counted.sizes
    largest = max(sizes.n1, sizes.n2)
    every = tuple(range(len(counted.leaf_sizes)))
    each: tuple[tuple[int, ...], ...] = tuple((leaf,) for leaf in every)
    halves = [largest]
    while halves[-1] > 1:
        halves.append((halves[-1] + 1) // 2)
    if coupled:
        halves = [largest]
    steps: list[Tiles | None] = [None]
    steps += [Tiles(n, sizes.k, (every,)) for n in halves[1:] if n >= 8]
    few = halves[-1] if coupled else min(8, largest)
    if name == "vector_products":  # it has all leaves in hand at any time
        each = (every,)
    steps.append(Tiles(few, sizes.k, each))
    outputs = sizes.k
    while outputs > 1:
        outputs = (outputs + 1) // 2
        steps.append(Tiles(few, outputs, each))
    steps += [Tiles(n, 1, each) for n in halves if n < few]
    return steps


def estimate(counted: Accounts, name: str, tiles: Tiles | None) -> float:
    """Return the bytes that a division will take."""
    if tiles is None:
        return counted.method(name, counted.sizes).bytes
    n1, n2 = (min(tiles.examples, n) for n in (counted.sizes.n1, counted.sizes.n2))
    tile = Sizes(n1, n2, tiles.outputs, counted.sizes.reduction)
    working = max(counted.method(name, tile, group).bytes for group in tiles.groups)
    return result_bytes(counted) + working


def _fitting(
    request: Request, params: Any, x1: Any, x2: Any, name: str, counted: Accounts, limit: int
) -> tuple[Tiles | None, float]:
    """Return the first division that fits, or the one that takes least, and what it takes."""
    steps = ladder(counted, name, request.coupled)
    guesses = [estimate(counted, name, tiles) for tiles in steps]
    start = next((i for i, guess in enumerate(guesses) if guess <= limit), len(steps) - 1)
    best, least = steps[start], float("inf")
    for tiles in steps[start:]:
        taken = _measured(request, params, x1, x2, name, tiles)
        if taken < least:
            best, least = tiles, taken
        if taken <= limit:
            break
    return best, least


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


__all__ = [
    "Cost",
    "as_text",
    "choose",
    "compiled_bytes",
    "effort",
    "estimate",
    "ladder",
    "parse_memory",
]
