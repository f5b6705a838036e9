"""Records as tables for a terminal."""

import statistics
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from benchmarks import record as records


def table(record: Mapping[str, Any]) -> Table:
    """Return the table of a record."""
    return _times(record) if record["kind"] == "time" else _errors(record)


def _times(record: Mapping[str, Any]) -> Table:
    found = Table("case", "side", title=record["title"])
    for head in (
        "median",
        "min – max",
        "over ours",
        "range",
        "aim",
        "peak memory",
        "beyond imports",
        "one call",
    ):
        found.add_column(head, justify="right", no_wrap=True)
    for case in record["cases"]:
        for name, side in case["sides"].items():
            title = case["title"] if name == next(iter(case["sides"])) else ""
            if not records.available(case, name):
                found.add_row(title, side["label"], "not available")
                continue
            times = records.seconds(case, name)
            row = [f"{statistics.median(times):.4f} s", f"{min(times):.4f} – {max(times):.4f}"]
            if name == "ours" or not records.available(case, "ours"):
                row += ["", "", ""]
            else:
                ratio = records.ratio(case, name)
                row += [f"{ratio.middle:.2f}", f"{ratio.low:.2f} – {ratio.high:.2f}"]
                row += [verdict(case, name) if record["scale"] == "full" else ""]
            amounts = (records.peak, records.added, records.call)
            row += [mebibytes(of(case, name)) for of in amounts]
            found.add_row(title, side["label"], *row)
        found.add_section()
    found.caption = _reasons(record)
    return found


def verdict(case: Mapping[str, Any], side: str) -> str:
    """Return what is said of a ratio for which there is an aim."""
    if side != case["against"] or case["aim"] is None:
        return ""
    middle = records.ratio(case, side).middle
    if middle >= case["aim"]:
        return f"[green]{case['aim']:g} reached[/]"
    if case["least"] is not None and middle >= case["least"]:
        return f"[yellow]{case['aim']:g} missed, {case['least']:g} kept[/]"
    return f"[bold red]{case['least'] or case['aim']:g} missed[/]"


def mebibytes(amount: float | None) -> str:
    """Return an amount of memory as it is shown."""
    return "unknown" if amount is None else f"{amount / 2**20:,.0f} MiB"


def _errors(record: Mapping[str, Any]) -> Table:
    found = Table("case", "pairs", title=f"{record['title']}: largest error")
    sides = {"ours": "ntk", "peer": "neural-tangents"}
    for label in sides.values():
        found.add_column(label, justify="right")
    for case in record["cases"]:
        measured = [name for name in sides if "errors" in case["sides"][name]]
        if not measured:
            found.add_row(case["title"], "", "not available", "not available")
        for number, pair in enumerate(case["sides"][measured[0]]["errors"] if measured else ()):
            cells = [
                f"{case['sides'][name]['errors'][pair]['largest']:.1e}" if name in measured else "–"
                for name in sides
            ]
            found.add_row(case["title"] if number == 0 else "", pair, *cells)
        found.add_section()
    found.caption = _reasons(record)
    return found


def _reasons(record: Mapping[str, Any]) -> str | None:
    """Return why something is not available, each reason once."""
    reasons = {
        side["unavailable"]
        for case in record["cases"]
        for side in case["sides"].values()
        if "unavailable" in side
    }
    return f"Not available: {'; '.join(sorted(reasons))}." if reasons else None
