"""What a benchmark is: a case at one size, its sides, and what one side has to compute."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

Parameters = Mapping[str, Any]


class UnavailableError(Exception):
    """A side cannot compute this case at all; the text says why and is shown in its place."""


@dataclass(frozen=True)
class Work:
    """What a worker measures.

    Parameters
    ----------
    inputs
        Everything that goes in. Sides whose inputs differ in a single bit are not compared.
    run
        One computation from beginning to end; it returns once the result is in memory.
    planned
        The bytes that the compiler lays out for it, where the library tells.
    """

    inputs: Sequence[np.ndarray]
    run: Callable[[], Any]
    planned: Callable[[], int] | None = None


@dataclass(frozen=True)
class Side:
    """One way to compute a case.

    Parameters
    ----------
    name, label
        A key for the record, and what a reader sees.
    build
        Makes the work from the case's parameters, inside the worker. It imports what it needs.
    environment
        ``"project"`` or ``"peer"``: which Python runs it.
    x64
        Whether JAX computes in double precision.
    compared
        Whether the result must agree with that of the other sides.
    """

    name: str
    label: str
    build: Callable[[Parameters], Work]
    environment: Literal["project", "peer"] = "project"
    x64: bool = False
    compared: bool = True


@dataclass(frozen=True)
class Case:
    """One line of a table.

    Parameters
    ----------
    id, title
        A key for the record and the command line, and what a reader sees.
    sides
        Who computes it; the side named ``"ours"`` is what the others are compared with.
    parameters
        What `build` gets; plain values, since they are stored.
    quick
        Parameters of the tiny size that the tests run.
    against
        The side whose time over ours the aim is about.
    aim, least
        The ratio that is wanted, and the one below which the work is not done.
    rounds, repetitions
        Fresh processes, and timed calls in each.
    """

    id: str
    title: str
    sides: tuple[Side, ...]
    parameters: Parameters
    quick: Parameters = field(default_factory=dict)
    against: str = "peer"
    aim: float | None = None
    least: float | None = None
    rounds: int = 3
    repetitions: int = 3

    def at_scale(self, scale: str) -> "Case":
        """Return the case as it is measured at a scale: the quick one repeats itself less."""
        return replace(self, rounds=1, repetitions=2) if scale == "quick" else self

    def at(self, scale: str) -> dict[str, Any]:
        """Return the parameters at a scale, ``"full"`` or ``"quick"``."""
        return {**self.parameters, **(self.quick if scale == "quick" else {})}


def normal_points(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Return standard normal inputs ``(n, d)`` in float32, the same on every side."""
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def largest_divisor(n: int, limit: int) -> int:
    """Return the largest divisor of ``n`` up to a limit: the peer's batches must be whole."""
    return max(k for k in range(1, min(n, limit) + 1) if n % k == 0)


def entries(result: Any) -> list[float]:
    """Return a few entries of a result, by which sides are checked to compute the same thing."""
    flat = np.asarray(result).ravel()  # of a result on the CPU this is no copy
    places = {math.floor(flat.size * part) for part in (0.0, 0.171, 0.382, 0.618, 0.829)}
    return [float(flat[k]) for k in sorted({*places, flat.size - 1})]
