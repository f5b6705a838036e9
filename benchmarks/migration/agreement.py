"""What both sides returned, compared, and the table that the page shows of it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import environment, machine
from benchmarks.errors import WorkerFailedError
from benchmarks.migration.blocks import PAGE, Side, fingerprint
from benchmarks.page.numbers import power
from benchmarks.page.parts import table

ROOT = PAGE.parents[1]
RECORD = Path(__file__).resolve().parent / "record.json"
FRAGMENT = PAGE.with_name("migration_agreement.md")
GOLDEN = ROOT / "tests" / "data" / "golden_migration.npz"
VERSIONS = "import json; from benchmarks.worker import versions; print(json.dumps(versions()))"

Results = Mapping[str, np.ndarray]


def run(
    python: Path | str, side: Side, page: Path = PAGE, **surroundings: str
) -> dict[str, np.ndarray]:
    """Return what a side computes, in a process of its own with these variables set.

    Raises
    ------
    WorkerFailedError
        A block raised an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.npz"
        _call(python, "-m", "benchmarks.migration.play", side, str(page), str(path), **surroundings)
        with np.load(path) as stored:
            return {name: stored[name] for name in stored.files}


def apart(theirs: np.ndarray, ours: np.ndarray) -> float:
    """Return the largest difference of two results, relative to the largest entry."""
    if theirs.shape != ours.shape:
        return float("inf")
    return float(np.max(np.abs(theirs - ours)) / np.max(np.abs(theirs)))


def compare(theirs: Results, ours: Results) -> dict[str, dict[str, Any]]:
    """Return shape and difference of each section's pair.

    Raises
    ------
    WorkerFailedError
        The sides have not the same sections.
    """
    if list(theirs) != list(ours):
        raise WorkerFailedError(
            f"migration: got sections {list(ours)}, expected {list(theirs)} as in neural-tangents"
        )
    return {
        name: {"shape": list(theirs[name].shape), "apart": apart(theirs[name], ours[name])}
        for name in theirs
    }


def renew(peer: Path) -> None:
    """Run both sides and store results, record and table."""
    theirs, ours = run(peer, "neural-tangents"), run(sys.executable, "ntk")
    text = PAGE.read_text(encoding="utf-8")
    record = {
        "date": machine.now(),
        "peer_code": fingerprint(text),
        "versions": {
            name: json.loads(_call(python, "-c", VERSIONS))
            for name, python in (("peer", peer), ("project", sys.executable))
        },
        "pairs": compare(theirs, ours),
    }
    np.savez_compressed(GOLDEN, **theirs)
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    FRAGMENT.write_text(fragment(record, text), encoding="utf-8")


def fragment(record: Mapping[str, Any], text: str) -> str:
    """Return the table of the page."""
    titles = _titles(text)
    rows = [
        [f"[{titles[name]}](migrate-{name})", " × ".join(map(str, pair["shape"])) or "number",
         power(pair["apart"])]
        for name, pair in record["pairs"].items()
    ]  # fmt: skip
    ours, peer = record["versions"]["project"], record["versions"]["peer"]
    note = (
        f"*Apart* is the largest difference relative to the largest entry. neural-tangents "
        f"{peer['neural-tangents']} on JAX {peer['jax']}, ntk {ours['ntk-companion']} on JAX "
        f"{ours['jax']}, {record['date'][:10]}."
    )
    return f"{table(['Section', 'Shape', 'Apart'], rows)}\n\n{note}\n"


def _titles(text: str) -> dict[str, str]:
    lines = text.splitlines()
    return {
        line[len("(migrate-") : -len(")=")]: lines[number + 1].lstrip("# ")
        for number, line in enumerate(lines)
        if line.startswith("(migrate-") and line.endswith(")=")
    }


def _call(python: Path | str, *arguments: str, **surroundings: str) -> str:
    done = subprocess.run(
        [str(python), *arguments],
        cwd=ROOT,
        env=environment.clean(**surroundings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise WorkerFailedError(f"migration: a block of the page failed; its last words:\n{last}")
    return done.stdout
