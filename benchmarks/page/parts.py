"""What sections are put together from: tables, figures, what was wanted and what came out."""

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import record as records
from benchmarks.page.numbers import number
from benchmarks.table import mebibytes

Record = Mapping[str, Any]
SPACE = "\N{NO-BREAK SPACE}"
MISSING = "*Not measured yet:* `make bench ONLY={}`."


def figure(record: Record, caption: str, alt: str) -> str:
    """Return a figure, in the container that makes it fit the dark theme."""
    name = record["group"]
    return (
        f'<div class="cell_output">\n\n:::{{figure}} benchmarks/{name}.png\n'
        f":name: bench-{name}\n:alt: {alt}\n:width: 100%\n\n{caption}\n:::\n\n</div>"
    )


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in the page's markup."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def sides(record: Record) -> str:
    """Return the table of every side of every case: time, ratio, memory."""
    rows = []
    amounts = {"Peak memory": amount(records.peak), "Computing": amount(records.added)}
    if records.has_calls(record):
        amounts["One call"] = of_call
    for case in record["cases"]:
        if not records.available(case, "ours"):
            reason = case["sides"]["ours"]["unavailable"]
            rows.append([case["title"], f"not available: {reason}", "", "", *[""] * len(amounts)])
            continue
        for name, side in case["sides"].items():
            row = [case["title"] if name == "ours" else "", side["label"]]
            if records.available(case, name):
                row += [time(case, name), over(case, name)]
                row += [text(case, name) for text in amounts.values()]
            else:
                row += [f"not available: {side['unavailable']}", "", *[""] * len(amounts)]
            rows.append(row)
    return table(["Network", "Side", "Time", "Over ours (range)", *amounts], rows)


def amount(of: Callable[..., float | None]) -> Callable[..., str]:
    """Return the function that writes what another one finds."""
    return lambda case, side: mebibytes(of(case, side))


def of_call(case: Mapping[str, Any], side: str) -> str:
    """Return the memory of a call as far as it is resolved."""
    found = records.call(case, side)
    if found is not None and found < records.RESOLVED:
        return f"below {mebibytes(records.RESOLVED)}"
    return mebibytes(found)


def time(case: Mapping[str, Any], side: str) -> str:
    """Return the median time of a side."""
    return f"{number(statistics.median(records.seconds(case, side)), 3)}{SPACE}s"


def over(case: Mapping[str, Any], side: str) -> str:
    """Return how many times our time a side takes, with the range."""
    if side == "ours" or not records.available(case, "ours"):
        return ""
    ratio = records.ratio(case, side)
    return f"**{number(ratio.middle)}** ({number(ratio.low)}{SPACE}–{SPACE}{number(ratio.high)})"


def aims(record: Record) -> str:
    """Return the list of what was wanted and what came out."""
    lines = []
    for case in record["cases"]:
        if case["aim"] is None:
            continue
        if not (records.available(case, "ours") and records.available(case, case["against"])):
            lines.append(f"- {case['title']}: wanted {case['aim']:g}, not measured.")
            continue
        middle = records.ratio(case, case["against"]).middle
        verdict = "reached" if middle >= case["aim"] else "missed"
        lines.append(
            f"- {case['title']}: wanted {case['aim']:g} times the speed of "
            f"{case['sides'][case['against']]['label']}, measured {number(middle)}: {verdict}"
            f"{_room(case) if verdict == 'missed' else ''}."
        )
    return "\n".join(lines)


def _room(case: Mapping[str, Any]) -> str:
    """Return what a missed aim would take, beside what the machine could do."""
    if not records.available(case, "limit"):
        return ""
    peer, limit = (
        statistics.median(records.seconds(case, side)) for side in (case["against"], "limit")
    )
    return (
        f" (it would take {number(peer / case['aim'], 3)} s; the machine's limit is "
        f"{number(limit, 3)} s)"
    )


def limits(record: Record, words: str) -> str:
    """Return our time over that of the side named `limit`, wherever there is one."""
    found = {
        case["title"]: 1.0 / records.ratio(case, "limit").middle
        for case in record["cases"]
        if records.available(case, "ours") and records.available(case, "limit")
    }
    if not found:
        return ""
    listed = ", ".join(f"{number(value)} ({title})" for title, value in found.items())
    return f"Our time over {words}: {listed}."
