"""A grid of runs over several workers, which can be killed and started again at any moment.

Nothing but the records is remembered. A point is finished if a run with the same code and the same
parameters ended. So a sweep resumes by looking, shares points with other sweeps and with single
runs, and runs a point anew when the notebook, the package or the lock has changed.
"""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntk.companion.book.project import Pair, Project
from ntk.companion.runs.parameters import Value, read_parameters
from ntk.companion.runs.record import Run, runs
from ntk.companion.runs.single import Plan, make_plan, read_notebook
from ntk.companion.runs.written import grid_values
from ntk.errors import NTKError

__all__ = ["Point", "WorkerFailedError", "make_points", "outdated", "sweep"]

THREADS = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Long enough for a run to write its record and for its kernel to go.
PATIENCE = 15
POLL = 0.2


class WorkerFailedError(NTKError, RuntimeError):
    """A worker of a sweep ended without a run."""


@dataclass
class Point:
    """One point of a sweep.

    Parameters
    ----------
    plan
        What to run.
    run
        The run that it has got, if any.
    """

    plan: Plan
    run: Run | None = None

    @property
    def finished(self) -> bool:
        """Whether running it again would give the same."""
        return self.run is not None and _finished(self.run, self.plan)


@dataclass
class _Workers:
    """The processes that run at this moment."""

    alive: set["subprocess.Popen[str]"] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End the workers in good order: their records say that they were interrupted."""
        self.stopping.set()
        for process in list(self.alive):
            if process.stdin is not None:
                process.stdin.close()


def make_points(
    project: Project,
    pair: Pair,
    profile: str,
    given: Mapping[str, str],
    *,
    keep_going: bool = False,
) -> list[Point]:
    """Check a grid against the notebook's parameters, and find what of it has been run already.

    Parameters
    ----------
    project, pair
        The checkout and the notebook.
    profile
        Name of a profile.
    given
        A list of values for each parameter, as the user wrote it.
    keep_going
        Whether the cells after a claim that fails are executed too.

    Raises
    ------
    UnknownNameError, InvalidTypeError, InvalidValueError
        A name, a value or the form of a list is wrong.
    """
    defaults = read_parameters(read_notebook(pair))
    grid = {name: grid_values(name, text, defaults) for name, text in given.items()}
    points = []
    for values in itertools.product(*grid.values()):
        own: dict[str, Value] = dict(zip(grid, values, strict=True))
        plan = make_plan(project, pair, profile, values=own, keep_going=keep_going)
        points.append(Point(plan, _existing(plan)))
    return points


def outdated(point: Point) -> str | None:
    """Return why a point is run anew though a run of it was finished, None if there was none.

    Parameters
    ----------
    point
        A point that is not finished.
    """
    plan = point.plan
    former = [
        run
        for run in runs(plan.project, plan.pair.slug)
        if run.data["own"] == plan.own
        and run.data["profile"] == plan.profile
        and (run.status == "done" or run.stopped_by_claim)
        and run.data["key"] != plan.key
    ]
    if point.finished or not former:
        return None
    if former[-1].data["parameters"] != plan.parameters:
        return "the profile or the defaults have changed"
    return "the notebook, the package, the lock or what is installed has changed"


def sweep(
    points: list[Point], workers: int, *, on_point: Callable[[Point], None] = lambda _: None
) -> None:
    """Run the points that are not finished, several at a time.

    Parameters
    ----------
    points
        The grid; each point gets its run.
    workers
        How many processes run at the same time; they share the machine's cores.
    on_point
        Called after each point that was run.

    Raises
    ------
    WorkerFailedError
        A worker could not even begin its run.
    KeyboardInterrupt
        The sweep was stopped; its workers have stored what they had.
    """
    todo = [point for point in points if not point.finished]
    threads = max(1, (os.cpu_count() or 1) // workers)
    environment = {name: str(threads) for name in THREADS} | dict(os.environ)
    crew = _Workers()
    with ThreadPoolExecutor(workers) as pool:
        try:
            waiting: set[Future[Point]] = {
                pool.submit(_run_point, point, environment, crew) for point in todo
            }
            while waiting:
                # A short wait, so that Ctrl-C is heard.
                ended, waiting = wait(waiting, POLL, FIRST_COMPLETED)
                for future in ended:
                    on_point(future.result())
        except BaseException:
            crew.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _run_point(point: Point, environment: dict[str, str], crew: _Workers) -> Point:
    """Run one point in a process of its own, unless somebody else is running or has run it."""
    while (run := _existing(point.plan)) is not None and run.status == "running":
        if crew.stopping.is_set():
            return point
        time.sleep(POLL)
    point.run = run
    if point.finished or crew.stopping.is_set():
        return point
    plan = point.plan
    task: dict[str, Any] = {
        "root": str(plan.project.root),
        "notebook": plan.pair.slug,
        "profile": plan.profile,
        "own": plan.own,
        "keep_going": plan.keep_going,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ntk.companion.runs.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # kernels may say much: a second pipe that nobody reads fills up
        text=True,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the sweep, which then stops its workers
    )
    assert process.stdin is not None
    assert process.stdout is not None
    crew.alive.add(process)
    try:
        process.stdin.write(f"{json.dumps(task)}\n")
        process.stdin.flush()
        if crew.stopping.is_set():
            process.stdin.close()
        told = process.stdout.read().strip()
        process.wait(PATIENCE)
    finally:
        crew.alive.discard(process)
    point.run = _existing(plan)
    if point.run is None and not crew.stopping.is_set():
        point.run = _told_run(told)
    if point.run is None and not crew.stopping.is_set():
        raise WorkerFailedError(
            f"a worker ended with status {process.returncode} before its run began: "
            f"{told or 'it said nothing'}"
        )
    return point


def _told_run(told: str) -> Run | None:
    """Return the run whose folder a worker named last: its key is another if code has changed."""
    folder = Path(told.rpartition("\n")[2])
    return Run.load(folder) if (folder / "record.json").is_file() else None


def _existing(plan: Plan) -> Run | None:
    """Return the run that says most about a plan: a finished one, a running one, or the last."""
    same = [run for run in runs(plan.project, plan.pair.slug) if run.data["key"] == plan.key]
    for wanted in (lambda run: _finished(run, plan), lambda run: run.status == "running"):
        found = [run for run in same if wanted(run)]
        if found:
            return found[-1]
    return same[-1] if same else None


def _finished(run: Run, plan: Plan) -> bool:
    if run.status == "done":
        return True
    # It would fail again at the same claim; unless it is to go on this time.
    return run.stopped_by_claim and (run.data["keep_going"] or not plan.keep_going)
