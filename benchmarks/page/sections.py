"""The page's sections, one for each record: a figure, its conclusion, a table."""

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import record as records
from benchmarks.page import empirical
from benchmarks.page.numbers import number, power, ratios, span
from benchmarks.page.parts import SPACE, Record, aims, figure, limits, sides, table


def _dense(record: Record) -> str:
    caption = "**Time of neural-tangents over ours.** " + _times_sentence(record)
    alt = (
        "Points on a logarithmic axis of ratios, one row for each network and one marker for each "
        "way to call neural-tangents, with a vertical line at one."
    )
    sizes = {(case["parameters"]["n"], case["parameters"]["d"]) for case in record["cases"]}
    n, d = sizes.pop()
    intro = f"All pairs of $n = {n}$ inputs with $d = {d}$ features, float32, with biases."
    limit = limits(record, "the machine's limit")
    return "\n\n".join([intro, figure(record, caption, alt), aims(record), sides(record), limit])


def _images(record: Record) -> str:
    depths = {case["parameters"]["depth"] for case in record["cases"]}
    intro = (
        f"{max(depths)} convolutions with windows of 3×3 and ReLU, float32, with biases. Without "
        "neural-tangents where its time and memory would not fit."
    )
    return "\n\n".join([intro, _times_sentence(record), aims(record), sides(record)])


def _times_sentence(record: Record) -> str:
    parts = []
    for side, words in (
        ("peer", "compiled as a whole it takes {} times as long as ours"),
        ("peer-batched", "in its own batches {} times"),
        ("peer-eager", "without compilation {} times"),
    ):
        if found := ratios(record, side):
            parts.append(words.format(span(found)))
    sentence = "; ".join(parts)
    return (
        f"{sentence[:1].upper()}{sentence[1:]}, over these networks." if parts else "Not measured."
    )


def _scaling(record: Record) -> str:
    alt = (
        "Two panels with logarithmic axes: the ratio of times against the number of inputs and "
        "against depth, one marker for each way to call neural-tangents, with a horizontal line "
        "at one."
    )
    caption = "**The ratio against the number of inputs and against depth.** " + " ".join(
        _ends(record, prefix, name, words)
        for prefix, name, words in (("inputs-", "n", "{} inputs"), ("depth-", "depth", "depth {}"))
    )
    shown = ("ours", "peer", "peer-batched")
    rows = [
        [
            case["title"].replace(" = ", f"{SPACE}={SPACE}"),
            *(_cell(case, side) for side in shown),
            _memory_ratio(case),
        ]
        for case in record["cases"]
    ]
    head = [
        "Network",
        "ntk",
        "neural-tangents, jit",
        "neural-tangents, nt.batch",
        "Memory of jit over ours",
    ]
    note = "Times are medians in seconds; memory is what computing took beyond the imports."
    return "\n\n".join([figure(record, caption, alt), table(head, rows), note])


def _ends(record: Record, prefix: str, name: str, words: str) -> str:
    """Return how the ratio goes from the first case of a series to its last."""
    shown = [
        case
        for case in record["cases"]
        if case["id"].startswith(prefix)
        and records.available(case, "ours")
        and records.available(case, "peer")
    ]
    if len(shown) < 2:
        return ""
    first, last = (
        (words.format(f"{case['parameters'][name]:,}"), number(records.ratio(case, "peer").middle))
        for case in (shown[0], shown[-1])
    )
    return (
        f"At {first[0]} compiled neural-tangents takes {first[1]} times as long, "
        f"at {last[0]} it takes {last[1]} times."
    )


def _cell(case: Mapping[str, Any], side: str) -> str:
    if not records.available(case, side):
        return "not available"
    return number(statistics.median(records.seconds(case, side)), 3)


def _memory_ratio(case: Mapping[str, Any]) -> str:
    if not (records.available(case, "ours") and records.available(case, "peer")):
        return ""
    above, below = records.added(case, "peer"), records.added(case, "ours")
    return number(above / below) if above and below else "unknown"


def _accuracy(record: Record) -> str:
    shown = [case for case in record["cases"] if "errors" in case["sides"]["ours"]]
    gone = [case["title"] for case in record["cases"] if case not in shown]
    if not shown:
        return "Not available for any of the networks."
    worst = {
        side: max(
            error["largest"]
            for case in shown
            for error in case["sides"][side].get("errors", {}).values()
        )
        for side in ("ours", "peer")
        if any("errors" in case["sides"][side] for case in shown)
    }
    caption = "**Largest error in float32, by kind of pair.** The worst of all is " + ", ".join(
        f"{power(worst[side])} for {label}"
        for side, label in (("ours", "ntk"), ("peer", "neural-tangents"))
        if side in worst
    )
    alt = (
        "One panel for each network, one row for each kind of pair, one marker for each library, "
        "on a logarithmic axis of relative errors, with a vertical line at a hundred-thousandth."
    )
    rows = []
    for case in shown:
        for k, (pair, errors) in enumerate(case["sides"]["ours"]["errors"].items()):
            peer = case["sides"]["peer"].get("errors", {}).get(pair)
            cells = [power(e["largest"]) if e else "–" for e in (errors, peer)]
            rows.append([case["title"] if k == 0 else "", pair, *cells])
    head = ["Network", "Pairs", "ntk", "neural-tangents"]
    checked = ", ".join(f"{power(c['reference']['largest'])} ({c['title']})" for c in shown)
    note = (
        "The float64 kernel itself was compared with another computation of a few pairs of each "
        "kind, the textbook recursion in 50 digits (GELU: quadrature); the largest relative "
        f"difference is {checked}."
    )
    left_out = f"Not available: {', '.join(gone)}." if gone else ""
    return "\n\n".join(
        [figure(record, f"{caption}.", alt), table(head, rows), note, left_out]
    ).rstrip()


SECTIONS: dict[str, Callable[[Record], str]] = {
    "dense": _dense,
    "scaling": _scaling,
    "images": _images,
    "accuracy": _accuracy,
    **empirical.SECTIONS,
}
