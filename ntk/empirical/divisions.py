"""Ways to divide a computation that is too large, with the operations and bytes that each takes."""

import math
from dataclasses import dataclass

from ntk.empirical.costs import Accounts
from ntk.empirical.plan import Sizes
from ntk.empirical.tiles import Tiles

WORKING_BYTES = 2**30
"""Beyond this, and the result, a computation is divided even if no budget is given."""

STARTING = 1e7
"""What it costs to begin with one more tile, in operations of a matrix product."""


@dataclass(frozen=True)
class Division:
    """A division and what it will take.

    Attributes
    ----------
    tiles : Tiles or None
        The pieces; None if it is done at one go.
    effort : float
        Operations, with the derivatives that are formed again for other tiles.
    bytes : float
        What is alive at once, the result included.
    """

    tiles: Tiles | None
    effort: float
    bytes: float


def result_bytes(counted: Accounts) -> int:
    """Return the size of the result."""
    sizes = counted.sizes
    each = {"mean": 1, "diagonal": sizes.k, "full": sizes.k**2}[sizes.reduction]
    return sizes.n1 * sizes.n2 * each * counted.itemsize


def room(counted: Accounts, limit: int | None) -> int:
    """Return the bytes that may be taken."""
    return WORKING_BYTES + result_bytes(counted) if limit is None else limit


def best(counted: Accounts, name: str, limit: int | None) -> Division:
    """Return the division with the fewest operations that fits, or the one that takes least."""
    available = room(counted, limit)
    undivided = _division(counted, name, None)
    if undivided.bytes <= available:
        return undivided
    found = divisions(counted, name, available)
    fitting = [one for one in found if one.bytes <= available]
    if fitting:
        return min(fitting, key=lambda one: one.effort)
    return min(found, key=lambda one: one.bytes)


def divisions(counted: Accounts, name: str, available: int) -> list[Division]:
    """Return ways to divide a computation, all of them with the fewest groups of leaves that fit.

    Fewer examples at a time, or fewer leaves, mean that the model is differentiated more often, so
    neither comes before the other; outputs are divided only if nothing else is enough.
    """
    sizes = counted.sizes
    largest = max(sizes.n1, sizes.n2)
    found = [_division(counted, name, None)]
    for outputs in _halves(sizes.k):
        for examples in [largest] if counted.coupled else _halves(largest):
            groups = _groups(counted, name, examples, outputs, available)
            found.append(_division(counted, name, Tiles(examples, outputs, groups)))
        if any(one.bytes <= available for one in found[1:]):
            break
    return found


def _halves(n: int) -> list[int]:
    found = [n]
    while found[-1] > 1:
        found.append((found[-1] + 1) // 2)
    return found


def _groups(
    counted: Accounts, name: str, examples: int, outputs: int, available: int
) -> tuple[tuple[int, ...], ...]:
    """Return the fewest runs of leaves that fit, each leaf by itself if it does not."""
    count = len(counted.leaf_sizes)
    if name == "vector_products":  # it has all leaves in hand at any time
        return (tuple(range(count)),)

    def fits(start: int, stop: int) -> bool:
        group = tuple(range(start, stop))
        return _bytes(counted, name, Tiles(examples, outputs, (group,))) <= available

    groups, start = [], 0
    while start < count:
        low, high = start + 1, count
        if fits(start, count):
            low = count
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(start, middle) else (low, middle - 1)
        groups.append(tuple(range(start, low)))
        start = low
    return tuple(groups)


def _division(counted: Accounts, name: str, tiles: Tiles | None) -> Division:
    return Division(tiles, _effort(counted, name, tiles), _bytes(counted, name, tiles))


def _bytes(counted: Accounts, name: str, tiles: Tiles | None) -> float:
    sizes = counted.sizes
    if tiles is None:
        return counted.method(name, sizes).bytes
    if not tiles.only_leaves(sizes.n1, sizes.n2, sizes.k):
        n1, n2 = (min(tiles.examples, n) for n in (sizes.n1, sizes.n2))
        sizes = Sizes(n1, n2, tiles.outputs, sizes.reduction)
    working = max(counted.method(name, sizes, group).bytes for group in tiles.groups)
    return result_bytes(counted) + working


def _effort(counted: Accounts, name: str, tiles: Tiles | None) -> float:
    sizes = counted.sizes
    undivided = counted.method(name, sizes)
    if tiles is None:
        return undivided.flops
    chunks, rows, pairs = 1, sizes.rows, 1.0
    if not tiles.only_leaves(sizes.n1, sizes.n2, sizes.k):
        chunks = math.ceil(sizes.k / tiles.outputs) ** (2 if sizes.reduction == "full" else 1)
        t1, t2 = (min(tiles.examples, n) for n in (sizes.n1, sizes.n2))
        down, across = math.ceil(sizes.n1 / t1), math.ceil(sizes.n2 / t2)
        pairs = down * (down + 1) / 2 if sizes.symmetric else down * across
        keeps = tiles.keeps_features(sizes.k)
        rows = int(pairs * t2 + (down if keeps else pairs) * t1)
    one = Sizes(1, 1, min(tiles.outputs, sizes.k), sizes.reduction, symmetric=True)
    derivatives = sum(counted.method(name, one, group).derivatives for group in tiles.groups)
    starting = STARTING * pairs * len(tiles.groups)
    return undivided.contraction + chunks * (rows * derivatives + starting)
