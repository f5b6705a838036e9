"""The record of a group: every raw measurement, and what it was made on."""

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import cases, machine
from benchmarks.case import Case
from benchmarks.errors import RecordError
from benchmarks.journal import Journal
from ntk.companion.runs.record import write_json

FORMAT = 1
ERRORS = {"pairs", "median", "largest", "relative"}
NOT_MEASURED = "it was not measured"
PEER_LEFT_OUT = "the run was made without the peer"
NEEDED: dict[str, type | tuple[type, ...]] = {
    "format": int,
    "group": str,
    "kind": str,
    "title": str,
    "scale": str,
    "started": str,
    "finished": str,
    "resumed": bool,
    "git": (dict, type(None)),
    "machine": dict,
    "versions": dict,
    "cases": list,
}


def build(
    group: str, chosen: Iterable[Case], journal: Journal, root: Path, scale: str
) -> dict[str, Any]:
    """Return the record of measurements."""
    module = cases.GROUPS[group]
    entries = [_case(case, module.KIND, journal, scale) for case in chosen]
    found = {
        "format": FORMAT,
        "group": group,
        "kind": module.KIND,
        "title": module.TITLE,
        "scale": scale,
        "started": journal.header["started"],
        "finished": machine.now(),
        "resumed": journal.resumed,
        "git": machine.git_state(root),
        "machine": machine.machine(),
        "versions": _versions(group, journal),
        "cases": entries,
    }
    check(found)
    return found


def _case(case: Case, kind: str, journal: Journal, scale: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": case.id,
        "title": case.title,
        "parameters": case.at(scale),
        "against": case.against,
        "aim": case.aim,
        "least": case.least,
        "sides": {},
    }
    gone = {e["side"]: e["reason"] for e in journal.of(case=case.id, kind="unavailable")}
    for side in case.sides:
        own = {"case": case.id, "side": side.name}
        about: dict[str, Any] = {"label": side.label, "environment": side.environment}
        if side.name in gone:
            about["unavailable"] = gone[side.name]
        elif kind == "time":
            about["calls"] = _without(journal.of(**own, kind="time"))
            about["workers"] = _without(journal.of(**own, kind="worker"), "versions")
            about["memory"] = _without(journal.of(**own, kind="memory"))
        entry["sides"][side.name] = about
    for event in journal.of(case=case.id, kind="accuracy"):
        entry["reference"] = event["reference"]
        for name, errors in event["errors"].items():
            entry["sides"][name]["errors"] = errors
    for name, about in entry["sides"].items():
        if not about.get("calls") and "errors" not in about and name != "reference":
            about.pop("calls", None)
            left_out = PEER_LEFT_OUT if about["environment"] == "peer" else NOT_MEASURED
            about.setdefault("unavailable", gone.get("ours", left_out))
    return entry


def _without(events: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    left_out = {"kind", "case", "side", *names}
    return [{key: v for key, v in event.items() if key not in left_out} for event in events]


def _versions(group: str, journal: Journal) -> dict[str, dict[str, str]]:
    environment = {s.name: s.environment for case in cases.GROUPS[group].CASES for s in case.sides}
    found: dict[str, dict[str, str]] = {}
    for event in journal.of(kind="worker"):
        found[environment[event["side"]]] = event["versions"]
    for event in journal.of(kind="accuracy"):
        for name, hello in event["workers"].items():
            found[environment[name]] = hello["versions"]
    return found


def check(record: Any) -> None:
    """Make sure that a record has the form that tables and figures rely on.

    Raises
    ------
    RecordError
        It has not; the message names the place.
    """
    if not isinstance(record, dict):
        raise RecordError(f"record: got {type(record).__name__}, expected an object.")
    for name, kind in NEEDED.items():
        if not isinstance(record.get(name), kind):
            raise RecordError(f"record: {name} is {record.get(name)!r}; measure again: make bench.")
    if record["format"] != FORMAT:
        raise RecordError(f"record: format {record['format']}, expected {FORMAT}: make bench.")
    for case in record["cases"]:
        for name, side in case["sides"].items():
            where = f"record: {record['group']}/{case['id']}/{name}"
            if "unavailable" in side or (record["kind"] == "accuracy" and name == "reference"):
                continue
            if record["kind"] == "accuracy" and "errors" not in side:
                raise RecordError(f"{where} was not measured; measure again: make bench.")
            if record["kind"] == "accuracy":
                good = all(set(e) >= ERRORS for e in side["errors"].values())
            else:
                good = bool(side["calls"]) and all(c["seconds"] > 0 for c in side["calls"])
                good = good and len({(c["round"], c["repetition"]) for c in side["calls"]}) == len(
                    side["calls"]
                )
            if not good:
                raise RecordError(f"{where} is incomplete; measure again: make bench.")


def write(record: Mapping[str, Any], folder: Path) -> Path:
    """Store a record, whole or not at all, and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record['group']}.json"
    write_json(record, path)
    return path


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a folder, by group, in the order of the groups.

    Raises
    ------
    RecordError
        One cannot be read.
    """
    found = {}
    for group in cases.GROUPS:
        path = folder / f"{group}.json"
        if not path.is_file():
            continue
        try:
            found[group] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RecordError(f"record: {path.name} is not JSON ({error}): make bench.") from error
        check(found[group])
    return found


@dataclass(frozen=True)
class Ratio:
    """How many times a side's number is ours: of the medians, and the range over paired calls."""

    middle: float
    low: float
    high: float


def available(case: Mapping[str, Any], side: str) -> bool:
    """Say whether a side was measured."""
    return side in case["sides"] and "unavailable" not in case["sides"][side]


def seconds(case: Mapping[str, Any], side: str) -> list[float]:
    """Return the times of all calls of a side."""
    return [call["seconds"] for call in case["sides"][side]["calls"]]


def ratio(case: Mapping[str, Any], side: str, to: str = "ours") -> Ratio:
    """Return the time of a side over that of another one, ours if not given.

    Calls are paired with the one that ran beside them, so a disturbance hits both.
    """
    above, below = (
        {(c["round"], c["repetition"]): c["seconds"] for c in case["sides"][name]["calls"]}
        for name in (side, to)
    )
    pairs = [above[key] / below[key] for key in above if key in below]
    middle = statistics.median(above.values()) / statistics.median(below.values())
    return Ratio(middle, min(pairs), max(pairs))


def peak(case: Mapping[str, Any], side: str) -> float | None:
    """Return the largest resident set of a side's workers in bytes, the median over rounds."""
    return _memory(case, side, lambda _, held: held)


def added(case: Mapping[str, Any], side: str) -> float | None:
    """Return how much of the peak came after the imports: the computation and its compilation."""
    return _memory(case, side, lambda before, held: held - before)


RESOLVED = 2**25
"""Bytes of a call that can be told from pages that the process keeps for later."""


def call(case: Mapping[str, Any], side: str) -> float | None:
    """Return how much the resident set grew during one compiled call, the median over rounds."""
    return _median(case, side, "call")


def planned(case: Mapping[str, Any], side: str) -> float | None:
    """Return the bytes that the compiler lays out for a call, if the library tells."""
    return _median(case, side, "planned")


def _median(case: Mapping[str, Any], side: str, what: str) -> float | None:
    found = [m[what] for m in case["sides"][side]["memory"] if m.get(what) is not None]
    return float(statistics.median(found)) if found else None


def has_calls(record: Mapping[str, Any]) -> bool:
    """Say whether the memory of a call was measured anywhere."""
    return any(
        call(case, side) is not None
        for case in record["cases"]
        for side in case["sides"]
        if available(case, side)
    )


def _memory(case: Mapping[str, Any], side: str, of: Any) -> float | None:
    about = case["sides"][side]
    before = {w["round"]: w["imported"] for w in about["workers"]}
    found = [
        of(before[m["round"]], m["peak"])
        for m in about["memory"]
        if m["peak"] is not None and before.get(m["round"]) is not None
    ]
    return float(statistics.median(found)) if found else None
