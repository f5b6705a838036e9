"""The page of the book follows from the records, and from nothing else."""

import copy
import re
from pathlib import Path

from benchmarks import record
from benchmarks.__main__ import RECORDS
from benchmarks.page import empirical, figures
from benchmarks.page.write import source, text, write
from tests.benchmarks import invented
from tests.benchmarks.conftest import ROOT

BOOK = ROOT / "book"


def drawn_from(path: Path) -> str:
    """Return what a PNG says that it was drawn from."""
    data, place = path.read_bytes(), 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4])
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        if kind == b"tEXt" and content.startswith(b"Description\0"):
            return content.partition(b"\0")[2].decode()
        place += length + 12
    return ""


def test_the_stored_page_is_that_of_the_stored_records():
    assert (BOOK / "benchmarks.md").read_text(encoding="utf-8") == text(record.read(RECORDS)), (
        "run `python -m benchmarks page`"
    )


def test_the_lines_of_the_api_page_are_those_of_the_stored_records():
    shown = (BOOK / "api" / "empirical_measured.md").read_text(encoding="utf-8")
    assert shown == empirical.on_api_page(record.read(RECORDS)), "run `python -m benchmarks page`"


def test_the_stored_figures_are_those_of_the_stored_records():
    stored = record.read(RECORDS)
    drawn = {path.name: path for path in (BOOK / "benchmarks").glob("*")}
    assert set(drawn) == {f"{group}.png" for group in stored if group in figures.DRAWN}
    for path in drawn.values():
        assert drawn_from(path) == source(stored), "run `python -m benchmarks page`"


def test_a_page_is_filled_and_has_a_figure_with_a_text_for_each_record(run, tmp_path):
    stored = invented.records(run)
    page, measured, *drawn = write(stored, tmp_path)
    written = page.read_text(encoding="utf-8")
    assert "@" not in written
    assert "nan" not in written
    assert "fully-connected, width 512" in measured.read_text(encoding="utf-8")
    assert {path.stem for path in drawn} == set(figures.DRAWN)
    assert [line for line in written.splitlines() if line.startswith(":alt: ")]
    for path in drawn:
        assert f"benchmarks/{path.name}" in written
        assert drawn_from(path) == source(stored)
    # A row of a table has as many cells as its head.
    for block in re.findall(r"(?:^\|.*\n?)+", written, re.MULTILINE):
        assert len({line.count("|") for line in re.sub(r"\$.*?\$", "", block).splitlines()}) == 1
    assert "Not measured yet" not in written


def test_a_number_that_changes_in_the_record_changes_on_the_page(run):
    stored = invented.records(run)
    before, digest = text(stored), source(stored)
    other = copy.deepcopy(stored)
    for call in other["dense"]["cases"][0]["sides"]["peer"]["calls"]:
        call["seconds"] *= 2
    assert "**3.5** (3\u00a0–\u00a040)" in before
    assert "**7** (6\u00a0–\u00a080)" in text(other)
    assert "**7** (6\u00a0–\u00a080)" not in before
    assert source(other) != digest


def test_without_records_the_page_says_so():
    written = text({})
    assert "make bench ONLY=dense" in written
    assert "Nothing has been measured yet" in written


def test_what_is_not_available_is_said(run):
    stored = invented.records(run)
    case = stored["dense"]["cases"][3]
    for side in case["sides"].values():
        del side["calls"]
        side["unavailable"] = "there is no such activation"
    written = text(stored)
    assert "not available: there is no such activation" in written
    assert "GELU, depth 3: wanted 3, not measured" in written
    figures.speed(stored["dense"])


def test_figures_can_be_drawn_without_the_peer(run, tmp_path):
    stored = invented.records(run)
    for found in stored.values():
        for case in found["cases"]:
            for name, side in case["sides"].items():
                if name.startswith("peer"):
                    side.pop("calls", None)
                    side.pop("errors", None)
                    side["unavailable"] = "left out"
    assert len(figures.draw(stored, tmp_path, "")) == len(figures.DRAWN)
    assert "Not measured." in text(stored)
