"""The sections about empirical kernels."""

import statistics
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks import finite
from benchmarks import record as records
from benchmarks.page.numbers import number
from benchmarks.page.parts import (
    MISSING,
    SPACE,
    Record,
    aims,
    figure,
    limits,
    of_call,
    over,
    sides,
    table,
    time,
)

METHODS = tuple(side.name for side in finite.METHODS)
GROWING = {"n": "inputs", "k": "outputs", "width": "width"}


def kernels(record: Record) -> str:
    """Return the section about a few networks."""
    caption = (
        "**Time of neural-tangents over ours**, for all pairs of outputs of three finite networks."
    )
    alt = (
        "Points on a logarithmic axis of ratios, one row for each network and one marker for each "
        "implementation of neural-tangents, with a vertical line at one."
    )
    parts = [figure(record, caption, alt), aims(record), sides(record), _memory(record)]
    return "\n\n".join([*parts, limits(record, "that of its large matrix products")]).rstrip()


def growth(record: Record) -> str:
    """Return the section about exponents."""
    caption = (
        "**Time against the number of inputs, of outputs, and the width**, for a fully-connected "
        "network of depth 3; what is not varied is "
        + ", ".join(f"{words} {_fixed(record, name):,}" for name, words in GROWING.items())
        + "."
    )
    alt = (
        "Three panels with logarithmic axes: time against the number of inputs, the number of "
        "outputs and the width, one marker for each library."
    )
    rows = [
        [words, *(_exponents(record, name, side) for side in ("ours", "peer"))]
        for name, words in GROWING.items()
    ]
    head = ["Growth in", "ntk: time, memory", "neural-tangents: time, memory"]
    return "\n\n".join([figure(record, caption, alt), table(head, rows)])


def methods(record: Record) -> str:
    """Return the section about our own methods."""
    head = ["Network", "`auto`", *(f"`{name}`" for name in METHODS)]
    rows = []
    for case in record["cases"]:
        if records.available(case, "ours"):
            shown = [f"{time(case, side)}, {of_call(case, side)}" for side in ("ours", *METHODS)]
            rows.append([case["title"].replace(" = ", f"{SPACE}={SPACE}"), *shown])
    return table(head, rows)


def short(record: Record | None) -> str:
    """Return the few lines that the API page shows."""
    if record is None:
        return f"{MISSING.format('empirical')}\n"
    rows = []
    for case in record["cases"]:
        if not records.available(case, "ours"):
            continue
        against = case["sides"][case["against"]]["label"]
        known = records.available(case, case["against"])
        rows.append([case["title"], time(case, "ours"), of_call(case, "ours")])
        rows[-1] += [against, over(case, case["against"]) if known else "not measured"]
    head = ["All pairs of outputs", "Time", "Memory of a call", "Beside", "takes, times ours"]
    about = (
        f"On {record['machine']['cpu']} with {record['machine']['threads']} threads, "
        f"{record['finished'][:10]}; more on the page about [speed](../benchmarks.md)."
    )
    return f"{table(head, rows)}\n\n{about}\n"


def series(record: Record, name: str, side: str) -> list[Mapping[str, Any]]:
    """Return the cases in which one number was varied, as far as a side was measured."""
    return [
        case
        for case in record["cases"]
        if case["id"].startswith(f"{name}-") and records.available(case, side)
    ]


def exponent(values: list[float], found: list[float]) -> float:
    """Return the slope of a straight line through logarithms.

    Examples
    --------
    >>> round(exponent([1.0, 2.0, 4.0], [3.0, 12.0, 48.0]), 6)
    2.0
    """
    return float(np.polyfit(np.log(values), np.log(found), 1)[0])


def _exponents(record: Record, name: str, side: str) -> str:
    shown = series(record, name, side)
    if len(shown) < 2:
        return "not measured"
    at = [case["parameters"][name] for case in shown]
    told = [f"{exponent(at, [statistics.median(records.seconds(c, side)) for c in shown]):.2f}"]
    held = [(where, _held(case, side)) for where, case in zip(at, shown, strict=True)]
    known = [(n, amount) for n, amount in held if amount is not None]
    # Three sizes at least: two would be a line through anything.
    resolved = len(known) > 2
    told += [f"{exponent(*map(list, zip(*known, strict=True))):.2f}" if resolved else "unresolved"]
    return ", ".join(told)


def _held(case: Mapping[str, Any], side: str) -> float | None:
    """Return the memory of a call: as planned, or as measured where that is resolved."""
    planned, call = records.planned(case, side), records.call(case, side)
    if planned is not None:
        return planned
    return call if call is not None and call >= records.RESOLVED else None


def _fixed(record: Record, name: str) -> Any:
    """Return the value of a parameter where another one is varied."""
    return next(
        case["parameters"][name] for case in record["cases"] if not case["id"].startswith(name)
    )


def _memory(record: Record) -> str:
    lines = []
    for case in record["cases"]:
        against = case["against"]
        if not (records.available(case, "ours") and records.available(case, against)):
            continue
        above, below = records.call(case, against), records.call(case, "ours")
        if above and below:
            title = case["title"].replace(" = ", f"{SPACE}={SPACE}")
            lines.append(f"{number(above / below)} ({title})")
    told = "Memory of one call of neural-tangents over that of ours: "
    return f"{told}{', '.join(lines)}." if lines else ""


def on_api_page(stored: Mapping[str, Record]) -> str:
    """Return what the page of the API shows: our methods, and neural-tangents beside them."""
    own = stored.get("empirical_methods")
    told = MISSING.format("empirical_methods") if own is None else methods(own)
    return f"{ABOUT_METHODS}\n\n{told}\n\n{short(stored.get('empirical'))}"


ABOUT_METHODS = "Time, and memory of one call once it is compiled, of each method:"
SECTIONS = {
    "empirical": kernels,
    "empirical_methods": methods,
    "empirical_scaling": growth,
    "real_models": sides,
}
