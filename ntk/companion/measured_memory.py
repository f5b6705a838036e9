"""Measured memory, from the benchmark records of a checkout."""

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ntk.companion.book.project import Project


class MemoryGrowth(NamedTuple):
    """Memory over a series of cases that differ in the number of inputs alone.

    Attributes
    ----------
    n : tuple of int
        Numbers of inputs, ascending.
    added : tuple of float
        Bytes of the process's peak beyond what its imports took, the median over its rounds.
    about : str
        Which record it is, and of which day.
    """

    n: tuple[int, ...]
    added: tuple[float, ...]
    about: str


def memory_growth(records: Path | None = None) -> MemoryGrowth | None:
    """Return the longest series of our kernels in the benchmark records, in the number of inputs.

    Parameters
    ----------
    records : Path, optional
        Folder of the records; ``benchmarks/records`` of the checkout around the working directory
        if omitted.

    Returns
    -------
    MemoryGrowth or None
        The series that reaches the most inputs, with three cases at least; ``None`` if no record
        has one.
    """
    folder = Project.find().root / "benchmarks" / "records" if records is None else records
    series = [
        MemoryGrowth(tuple(n for n, _ in found), tuple(added for _, added in found), about)
        for path in sorted(folder.glob("*.json"))
        for about, found in _series(json.loads(path.read_text(encoding="utf-8")))
        if len(found) > 2
    ]
    return max(series, key=lambda one: one.n[-1], default=None)


def _series(record: Mapping[str, Any]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Return the cases of a record by everything but their number of inputs."""
    groups: dict[str, dict[int, float]] = {}
    for case in record["cases"]:
        parameters, added = dict(case["parameters"]), _added(case["sides"].get("ours", {}))
        n = parameters.pop("n", None)
        if n is not None and added is not None:
            groups.setdefault(json.dumps(parameters, sort_keys=True), {})[int(n)] = added
    about = f"{record['title']}, {record['finished'][:10]}"
    return [(about, sorted(found.items())) for found in groups.values()]


def _added(side: Mapping[str, Any]) -> float | None:
    before = {worker["round"]: worker["imported"] for worker in side.get("workers", ())}
    found = [
        memory["peak"] - before[memory["round"]]
        for memory in side.get("memory", ())
        if memory["peak"] is not None and before.get(memory["round"]) is not None
    ]
    return float(statistics.median(found)) if found else None
