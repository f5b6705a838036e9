"""The run: end to end at tiny sizes, interrupted, and with sides that do not agree."""

import json
import os
import subprocess
import sys
from typing import Any, ClassVar

import numpy as np
import pytest

from benchmarks import cases, environment, record, runner
from benchmarks.__main__ import choose
from benchmarks.errors import ChangedError, DifferentResultsError, WorkerFailedError
from benchmarks.journal import Journal
from benchmarks.process import Worker
from benchmarks.worker import memory_of_a_call
from ntk.errors import UnknownNameError
from tests.benchmarks.conftest import ROOT
from tests.benchmarks.invented import HELLO

DENSE = cases.dense.CASES[0]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_ours_runs_from_beginning_to_end_without_the_peer(tmp_path):
    only = ["--only", "dense/relu-depth-3", "--only", "accuracy/relu-depth-3"]
    done = command("run", "--quick", "--no-peer", "--work", str(tmp_path), *only)
    assert done.returncode == 0, done.stderr
    assert "Without the peer" in done.stdout
    assert "the run was made without the peer" in done.stdout
    found = json.loads((tmp_path / "quick" / "dense.json").read_text())
    record.check(found)
    sides = found["cases"][0]["sides"]
    assert len(sides["ours"]["calls"]) == 2
    assert sides["peer"]["unavailable"] == record.PEER_LEFT_OUT
    accuracy = json.loads((tmp_path / "quick" / "accuracy.json").read_text())["cases"][0]
    assert accuracy["sides"]["ours"]["errors"]["ordinary pairs"]["largest"] < 1e-5
    assert accuracy["reference"]["largest"] < 1e-9
    assert not list((tmp_path / "quick").glob("*.jsonl"))


def test_both_sides_run_where_the_peer_is_set_up(run):
    peer = environment.find(ROOT)
    if peer is None:
        pytest.skip("the peer's environment is not set up: python -m benchmarks peer")
    run.pythons["peer"] = peer
    journal = run.journal("accuracy")
    run.measure("accuracy", [cases.accuracy.CASES[2]], journal)
    (event,) = journal.of(kind="accuracy")
    assert set(event["errors"]) == {"ours", "peer"}


class FakeWorker:
    """A worker that measures at once, and is interrupted when the test says so."""

    left: int | None = None
    started: ClassVar[list[str]] = []

    def __init__(self, *arguments: Any):
        self.hello = dict(HELLO)
        type(self).started.append(arguments[4].name)

    def __enter__(self) -> "FakeWorker":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ready(self) -> dict[str, Any]:
        return self.hello

    def ask(self, do: str) -> dict[str, Any]:
        if do != "time":
            return {"peak": 2**28}
        if FakeWorker.left is not None:
            if FakeWorker.left == 0:
                raise KeyboardInterrupt
            FakeWorker.left -= 1
        return {"seconds": 0.1, "cpu_seconds": 0.1}


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(runner, "Worker", FakeWorker)
    monkeypatch.setattr(FakeWorker, "started", [])
    monkeypatch.setattr(FakeWorker, "left", None)
    return FakeWorker


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_run_goes_on_where_it_was(run, fake, after):
    fake.left = after
    journal = run.journal("dense")
    with pytest.raises(KeyboardInterrupt):
        run.measure("dense", cases.dense.CASES[:2], journal)
    kept = journal.of(kind="time")
    assert len(kept) == after

    fake.left, fake.started[:] = None, []
    again = run.journal("dense")
    assert again.resumed
    run.measure("dense", cases.dense.CASES[:2], again)
    assert again.of(kind="time")[:after] == kept
    found = record.build("dense", cases.dense.CASES[:2], again, ROOT, "quick")
    for case in found["cases"]:
        assert len(case["sides"]["ours"]["calls"]) == 2
    assert found["resumed"]
    before = len(fake.started)
    run.measure("dense", cases.dense.CASES[:2], again)
    assert len(fake.started) == before  # nothing was missing any more


def test_sides_take_turns_and_each_is_first_once(run, fake):
    case = cases.dense.CASES[0]
    run.pythons["peer"] = run.pythons["project"]
    journal = run.journal("dense")
    run.measure("dense", [case], journal)
    order = [event["side"] for event in journal.of(kind="time")]
    first, second = order[: len(case.sides)], order[len(case.sides) :]
    assert set(first) == set(second) == {side.name for side in case.sides}
    assert first[0] != second[0]


def test_code_that_changes_during_the_run_ends_it(run, fake, monkeypatch):
    journal = run.journal("dense")
    run.measure("dense", cases.dense.CASES[:1], journal)
    monkeypatch.setattr(runner.Run, "key", lambda _: "other")
    with pytest.raises(ChangedError, match="other code"):
        run.measure("dense", cases.dense.CASES[:2], journal)


def test_measurements_of_other_code_are_put_aside(tmp_path):
    path = tmp_path / "a.jsonl"
    Journal(path, {"key": "old", "started": ""}).add(kind="time", seconds=1.0)
    journal = Journal(path, {"key": "new", "started": ""})
    assert journal.events == []
    assert journal.set_aside is not None
    assert "1.0" in journal.set_aside.read_text()


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "a.jsonl"
    journal = Journal(path, {"key": "k", "started": ""})
    journal.add(kind="time", seconds=1.0)
    with path.open("a") as file:
        file.write('{"kind": "time", "sec')
    again = Journal(path, {"key": "k", "started": ""})
    assert again.events == [{"kind": "time", "seconds": 1.0}]
    again.add(kind="time", seconds=2.0)
    assert len(Journal(path, {"key": "k", "started": ""}).events) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": "b" * 64}, "other inputs"),
        ({"threads": 1}, "processors"),
        ({"entries": [1.0, 2.1]}, "same network"),
        ({"entries": [1.0, float("nan")]}, "same network"),
        ({"entries": [1.0]}, "same network"),
    ],
)
def test_sides_that_do_not_do_the_same_are_not_compared(change, words):
    runner.same_result(DENSE, {"ours": HELLO, "peer": HELLO | {"entries": [1.0, 2.001]}})
    with pytest.raises(DifferentResultsError, match=words):
        runner.same_result(DENSE, {"ours": HELLO, "peer": HELLO | change})


def test_a_worker_that_dies_leaves_its_last_words(run):
    side = DENSE.sides[0]
    with (
        Worker(run.pythons["project"], ROOT, "dense", "no-such-case", side, "quick") as worker,
        pytest.raises(WorkerFailedError, match=r"status 1.*\n(.*\n)*ValueError"),
    ):
        worker.ready()


def test_what_we_lack_is_said_and_does_not_stop_the_rest(run, monkeypatch, fake):
    reason = "ntk has no activation 'gelu'"
    monkeypatch.setattr(fake, "ready", lambda self: self.hello)
    monkeypatch.setattr(
        fake, "__init__", lambda self, *_: setattr(self, "hello", {"unavailable": reason})
    )
    journal = run.journal("dense")
    run.measure("dense", [DENSE], journal)
    found = record.build("dense", [DENSE], journal, ROOT, "quick")
    assert {side["unavailable"] for side in found["cases"][0]["sides"].values()} == {reason}


def test_names_choose_groups_and_cases():
    assert choose(["accuracy"]) == {"accuracy": list(cases.accuracy.CASES)}
    assert [case.id for case in choose(["dense/relu-depth-3"])["dense"]] == ["relu-depth-3"]
    assert set(choose(["relu-depth-3"])) == {"dense", "accuracy"}
    assert set(choose([])) == set(cases.GROUPS)
    with pytest.raises(UnknownNameError, match=r"no 'dens'.*dense"):
        choose(["dens"])


def test_an_error_is_a_line_and_not_a_traceback():
    done = command("run", "--quick", "--only", "nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("benchmarks: only: there is no 'nothing'")
    assert "Traceback" not in done.stderr


def test_memory_of_a_call_is_what_it_holds_at_once():
    found = memory_of_a_call(lambda: np.ones(2**23))  # 64 MiB
    if found is None:
        pytest.skip("the system does not tell")
    # The system counts pages in batches, for each processor by itself.
    assert found / 2**20 == pytest.approx(64, abs=4)
    assert memory_of_a_call(lambda: None) < 2**22
