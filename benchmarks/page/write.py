"""The page's text: a template whose places are filled from the records."""

import hashlib
import json
import statistics
import string
from collections.abc import Mapping
from pathlib import Path

from benchmarks.page import empirical, figures
from benchmarks.page.numbers import number
from benchmarks.page.parts import MISSING, Record, table
from benchmarks.page.sections import SECTIONS

HERE = Path(__file__).resolve().parent
PAGE = "benchmarks.md"


class _Template(string.Template):
    """With a sign that means nothing in the page's own markup."""

    delimiter = "@"


def write(stored: Mapping[str, Record], book: Path) -> list[Path]:
    """Write the page, a few lines for the API's page, and figures; return where they are."""
    drawn = figures.draw(stored, book / "benchmarks", source(stored))
    written = {
        book / PAGE: text(stored),
        book / "api" / "empirical_measured.md": empirical.on_api_page(stored),
    }
    for page, words in written.items():
        page.parent.mkdir(exist_ok=True)
        half = page.with_name(f".{page.name}.half")
        half.write_text(words, encoding="utf-8")
        half.replace(page)
    return [*written, *drawn]


def source(stored: Mapping[str, Record]) -> str:
    """Return a digest of what figures are drawn from: the records and the code that draws."""
    digest = hashlib.sha256(json.dumps(stored, sort_keys=True).encode())
    for name in ("empirical.py", "figures.py", "numbers.py"):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def text(stored: Mapping[str, Record]) -> str:
    """Return the page's text."""
    filled = {
        group: section(stored[group]) if group in stored else MISSING.format(group)
        for group, section in SECTIONS.items()
    }
    template = (HERE / "template.md").read_text(encoding="utf-8")
    return _Template(template).substitute(filled, machines=_machines(stored), sides=_sides(stored))


def _sides(stored: Mapping[str, Record]) -> str:
    """Return what the sides are, with the versions that were measured."""
    found: dict[str, dict[str, str]] = {}
    for record in stored.values():
        found |= record["versions"]
    ours, peer = found.get("project", {}), found.get("peer", {})
    told = {
        name: f"{package} {versions[package]} on JAX {versions['jax']}" if versions else package
        for name, versions, package in (
            ("ours", {**ours, "ntk": ours["ntk-companion"]} if ours else {}, "ntk"),
            ("peer", peer, "neural-tangents"),
        )
    }
    return (
        f'{told["ours"]} is called as anyone calls it, `ntk.kernel(net, x, get="ntk")`. '
        f"{told['peer']} is called in three ways, which differ a good deal among themselves: "
        "its kernel function under `jax.jit` (this is what the aims are about), the same in its "
        "own batches of 500 inputs, `nt.batch`, and without either, as its documentation shows it."
    )


def _machines(stored: Mapping[str, Record]) -> str:
    """Return the table of what was measured where and when."""
    rows = []
    for record in stored.values():
        m, git = record["machine"], record["git"]
        commit = "unknown" if git is None else f"`{git['commit'][:10]}`"
        if git and git["dirty"]:
            commit += " with changes"
        memory = "unknown" if m["memory_gib"] is None else f"{m['memory_gib']:.0f} GiB"
        loads = [
            w["load"]
            for c in record["cases"]
            for s in c["sides"].values()
            for w in s.get("workers", ())
        ]
        told = [load for load in loads if load is not None]
        busy = number(statistics.median(told)) if told else "–"
        rows.append(
            [
                record["title"],
                record["finished"][:10],
                commit,
                m["cpu"],
                str(m["threads"]),
                memory,
                busy,
            ]
        )
    head = ["Part", "Date (UTC)", "Commit", "Processor", "Threads", "Memory", "Load"]
    note = (
        "*Load* is how many processes wanted a processor in the minute before, the median over "
        "all starts; the benchmark itself makes it about as large as the number of threads."
    )
    return f"{table(head, rows)}\n\n{note}" if rows else "Nothing has been measured yet."
