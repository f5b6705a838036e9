"""The page's figures: ratios, so that a number above one always speaks for the package."""

import math
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import record as records
from benchmarks.page.empirical import GROWING, series
from benchmarks.page.numbers import measured
from ntk.companion import figures

Record = Mapping[str, Any]
PEERS = ("peer", "peer-batched", "peer-eager")
IMPLEMENTATIONS = ("peer", "peer-default", "peer-vector")


def draw(stored: Mapping[str, Record], folder: Path, source: str) -> list[Path]:
    """Draw a figure for each record and return where they are.

    Parameters
    ----------
    stored
        The records, by group.
    folder
        Where to put the figures.
    source
        A digest of what they are drawn from, written into them, by which a test knows an old one.
    """
    figures.use()
    plt.switch_backend("agg")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for group, record in stored.items():
        figure = DRAWN.get(group)
        if figure is None:
            continue
        drawn = figure(record)
        path = folder / f"{group}.png"
        half = folder / f".{group}.half.png"
        drawn.savefig(half, metadata={"Software": None, "Description": source})
        half.replace(path)
        plt.close(drawn)
        paths.append(path)
    return paths


def speed(record: Record, sides: Sequence[str] = PEERS) -> Figure:
    """Draw how many times our time each of the peer's ways takes, case by case."""
    shown = [case for case in record["cases"] if _any(case, sides)]
    figure, ax = plt.subplots(figsize=(7.0, 1.1 + 0.75 * max(len(shown), 1)))
    for k, side in enumerate(sides):
        rows = [(r, c) for r, c in enumerate(shown) if records.available(c, side)]
        if not rows:
            continue
        found = [records.ratio(case, side) for _, case in rows]
        ax.errorbar(
            [f.middle for f in found],
            [r + 0.22 * (k - 1) for r, _ in rows],
            xerr=[
                [f.middle - min(f.low, f.middle) for f in found],
                [max(f.high, f.middle) - f.middle for f in found],
            ],
            marker=figures.MARKERS[k],
            linestyle="none",
            label=rows[0][1]["sides"][side]["label"],
        )
    ax.axvline(1.0, color="black", label="as fast as ntk")
    ax.set_xscale("log")
    ax.set_xlabel("time of neural-tangents / time of ntk")
    ax.set_yticks(range(len(shown)), labels=[case["title"] for case in shown])
    ax.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    plain_ticks(ax)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def scaling(record: Record) -> Figure:
    """Draw the ratio against the number of inputs and against depth."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.6), sharey=True)
    for ax, name, prefix, label in (
        (left, "n", "inputs-", "number of inputs $n$ (depth 3)"),
        (right, "depth", "depth-", "depth $L$ ($n$ = 2,000)"),
    ):
        for k, side in enumerate(("peer", "peer-batched")):
            shown = [c for c in measured(record, side) if c["id"].startswith(prefix)]
            if not shown:
                continue
            found = [records.ratio(case, side) for case in shown]
            ax.errorbar(
                [case["parameters"][name] for case in shown],
                [f.middle for f in found],
                yerr=[
                    [f.middle - min(f.low, f.middle) for f in found],
                    [max(f.high, f.middle) - f.middle for f in found],
                ],
                marker=figures.MARKERS[k],
                linestyle=":",
                linewidth=0.8,
                label=shown[0]["sides"][side]["label"] if ax is left else None,
            )
        ax.axhline(1.0, color="black", label="as fast as ntk" if ax is left else None)
        ax.set_yscale("log")
        ticks = sorted(
            {c["parameters"][name] for c in record["cases"] if c["id"].startswith(prefix)}
        )
        ax.set(xscale="log", xlabel=label)
        ax.set_xticks(ticks, labels=[f"{tick:,}" for tick in ticks])
        ax.minorticks_off()
    left.set_ylabel("time of neural-tangents\n/ time of ntk")
    plain_ticks(left, axis="y")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def growth(record: Record) -> Figure:
    """Draw the time of an empirical kernel against inputs, outputs and width."""
    figure, axes = plt.subplots(1, len(GROWING), figsize=(7.0, 3.2), sharey=True)
    for ax, (name, words) in zip(axes, GROWING.items(), strict=True):
        ticks = set()
        for k, side in enumerate(("ours", "peer")):
            shown = series(record, name, side)
            if not shown:
                continue
            at = [case["parameters"][name] for case in shown]
            ticks |= set(at)
            ax.plot(
                at,
                [statistics.median(records.seconds(case, side)) for case in shown],
                marker=figures.MARKERS[k],
                linestyle=":",
                linewidth=0.8,
                label=shown[0]["sides"][side]["label"] if ax is axes[0] else None,
            )
        ax.set(xscale="log", yscale="log", xlabel=f"number of {words}" if name != "width" else name)
        ax.set_xticks(sorted(ticks), labels=[f"{tick:,}" for tick in sorted(ticks)])
        ax.minorticks_off()
    axes[0].set_ylabel("time in seconds")
    plain_ticks(axes[0], axis="y")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def accuracy(record: Record) -> Figure:
    """Draw the largest relative error of each kind of pair, for both sides."""
    shown = [case for case in record["cases"] if "errors" in case["sides"]["ours"]]
    rows = max(-(-len(shown) // 2), 1)
    figure, axes = plt.subplots(
        rows, 2, figsize=(7.0, 0.9 + 2.3 * rows), sharey=True, sharex=True, squeeze=False
    )
    for ax in axes.flat[len(shown) :]:
        ax.set_visible(False)
    for ax, case in zip(axes.flat, shown, strict=False):
        kinds = list(case["sides"]["ours"]["errors"])
        for k, side in enumerate(("ours", "peer")):
            if "errors" not in case["sides"].get(side, {}):
                continue
            errors = [case["sides"][side]["errors"][kind]["largest"] for kind in kinds]
            ax.plot(
                # An error of nothing at all is drawn at the edge of a logarithmic axis.
                [max(error, 1e-9) for error in errors],
                range(len(kinds)),
                figures.MARKERS[k],
                label=case["sides"][side]["label"] if ax is axes[0, 0] else None,
            )
        ax.axvline(1e-5, color="black", label="$10^{-5}$" if ax is axes[0, 0] else None)
        ax.set_xscale("log")
        ax.set_title(case["title"])
        ax.set_yticks(range(len(kinds)), labels=kinds)
    axes[0, 0].invert_yaxis()
    for ax in axes.flat[max(len(shown) - 2, 0) : len(shown)]:  # the lowest of each column
        ax.set_xlabel("largest relative error")
        ax.xaxis.set_major_formatter(lambda value, _: f"$10^{{{round(math.log10(value))}}}$")
        ax.tick_params(labelbottom=True)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def plain_ticks(ax: Axes, axis: str = "x") -> None:
    """Name 1, 2, 5, 10, … on a logarithmic axis, as far as it reaches, in plain digits."""
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    steps = [m * 10.0**e for e in range(-3, 4) for m in (1, 2, 5)]
    ticks = [step for step in steps if low <= step <= high]
    if high > 300 * low:  # labels of three a decade would touch
        ticks = [step for step in ticks if f"{step:g}".strip("0.") == "1"]
    getattr(ax, f"set_{axis}ticks")(ticks, labels=[f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


def _any(case: Mapping[str, Any], sides: Sequence[str]) -> bool:
    return records.available(case, "ours") and any(records.available(case, s) for s in sides)


DRAWN = {
    "dense": speed,
    "scaling": scaling,
    "accuracy": accuracy,
    "empirical": partial(speed, sides=IMPLEMENTATIONS),
    "empirical_scaling": growth,
}
