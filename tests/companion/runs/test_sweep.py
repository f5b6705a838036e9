"""Sweeps: a grid of runs, which goes on where it was killed and repeats nothing."""

import os
import signal

import pytest

from ntk.companion.runs.record import runs
from ntk.companion.runs.single import make_plan, perform
from ntk.companion.runs.sweep import make_points, outdated, sweep

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def done(project):
    return [run for run in runs(project) if run.status == "done"]


def test_a_grid_is_every_combination(project, plain):
    given = {"width": "[1, 2]", "widths": "[[1], [2, 3]]"}
    points = make_points(project, plain, "full", given)
    assert [point.plan.own for point in points] == [
        {"width": 1, "widths": [1]},
        {"width": 1, "widths": [2, 3]},
        {"width": 2, "widths": [1]},
        {"width": 2, "widths": [2, 3]},
    ]
    assert len({point.plan.key for point in points}) == 4
    assert not any(point.finished for point in points)


def test_a_sweep_runs_what_is_not_finished_and_nothing_twice(project, plain, ntk):
    single = perform(make_plan(project, plain, values={"width": 1}))
    arguments = ("sweep", "01", "-p", "width=[1, 2, 3]", "--workers", "2")
    status, told = ntk(project, *arguments)
    assert status == 0, told
    assert "1 of 3 points were finished before" in told
    assert {run.data["own"]["width"] for run in done(project)} == {1, 2, 3}
    assert len(runs(project)) == 3
    assert single.name in told  # the table names the run of every point

    status, told = ntk(project, *arguments)
    assert status == 0
    assert "3 of 3 points were finished before" in told
    assert len(runs(project)) == 3
    threads = str(max(1, os.cpu_count() // 2))
    settings = [run.data["settings"] for run in runs(project)[1:]]
    assert [s["OMP_NUM_THREADS"] for s in settings] == [threads, threads]


def test_changed_code_or_parameters_are_run_again_and_told(project, plain, ntk):
    arguments = ("sweep", "01", "--profile", "full", "-p", "width=[1]")
    perform(make_plan(project, plain, "full", values={"width": 1}))
    profile = project.notebooks / "profiles" / "full.yaml"
    code = project.root / "ntk" / "core.py"
    for path, text, reason in (
        (code, "value = 2\n", "the notebook, the package, the lock"),
        (profile, "01_plain: {widths: [9]}\n", "the profile or the defaults"),
        (plain.md, plain.md.read_text() + "\nMore.\n", "the notebook, the package, the lock"),
    ):
        (point,) = make_points(project, plain, "full", {"width": "[1]"})
        assert outdated(point) is None
        old = path.read_text()
        path.write_text(text)
        (point,) = make_points(project, plain, "full", {"width": "[1]"})
        assert not point.finished
        assert reason in outdated(point)
        path.write_text(old)
    code.write_text("value = 2\n")
    status, told = ntk(project, *arguments)
    assert status == 0
    assert "run again, 1 of 1 points: the notebook, the package, the lock" in told
    assert len(done(project)) == 2


def test_a_failing_claim_is_a_result_and_an_error_is_tried_again(project, claiming, plain):
    given = {"width": "[4, 9]"}
    sweep(make_points(project, claiming, "fast", given), workers=1)
    points = make_points(project, claiming, "fast", given)
    assert [point.run.status for point in points] == ["done", "failed"]
    assert all(point.finished for point in points)
    # Asked for more than there is, it is run again.
    assert not all(
        p.finished for p in make_points(project, claiming, "fast", given, keep_going=True)
    )

    sweep(make_points(project, plain, "fast", {"crash": "[true]"}), workers=1)
    (point,) = make_points(project, plain, "fast", {"crash": "[true]"})
    assert point.run.status == "failed"
    assert not point.finished


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_sweep_goes_on_without_repeating(project, begin, ntk, number, watch, gate):
    grid = ("-p", f"gate=['{gate}']", "-p", "width=[1, 2, 11, 12]")
    arguments = ("sweep", "01", *grid, "--workers", "2")
    process = begin(project, *arguments)

    def half():
        running = [run for run in runs(project) if run.status == "running" and watch.kernels(run)]
        return running if len(done(project)) == 2 and len(running) == 2 else None

    running = watch.until(half)
    workers = [run.data["process"]["pid"] for run in running]
    children = [pid for run in running for pid in watch.kernels(run)]
    first = {run.name: (run.folder / "record.json").stat().st_mtime_ns for run in done(project)}
    process.send_signal(number)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else -9)
    watch.until(lambda: not any(map(watch.is_running, [*workers, *children])))
    assert [run.data["status"] for run in runs(project)].count("interrupted") == 2
    assert "Traceback" not in told

    gate.touch()
    status, told = ntk(project, *arguments)
    assert status == 0, told
    assert "2 of 4 points were finished before" in told
    assert len(done(project)) == 4
    for run in done(project):
        if run.name in first:
            assert (run.folder / "record.json").stat().st_mtime_ns == first.pop(run.name)
    assert not first
    assert [run.status for run in runs(project)].count("interrupted") == 2


def test_a_killed_worker_is_told_and_run_again(project, begin, ntk, watch, gate):
    arguments = ("sweep", "01", "-p", "width=[11]", "-p", f"gate=['{gate}']")
    process = begin(project, *arguments)
    (run,) = watch.until(lambda: [run for run in runs(project) if watch.kernels(run)])
    os.kill(run.data["process"]["pid"], signal.SIGKILL)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "interrupted" in told
    gate.touch()
    status, told = ntk(project, *arguments)
    assert status == 0, told
    assert [run.status for run in runs(project)] == ["interrupted", "done"]
