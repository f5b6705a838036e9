"""The commands `ntk book …`: what the Makefile calls."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from ntk.companion.book import site
from ntk.companion.book.execute import NotebookFailedError, execute
from ntk.companion.book.formatting import format_cells
from ntk.companion.book.project import Pair, Problem, Project
from ntk.companion.book.replay import replay
from ntk.companion.book.source import read_source
from ntk.companion.book.staleness import Stamps, execution_key, replay_key, site_key, tests_key
from ntk.companion.book.verify import verify
from ntk.errors import InvalidValueError

__all__ = ["app"]

app = typer.Typer(
    help="Execute, verify and compare the notebooks; build the site.", no_args_is_help=True
)
# Lines are not broken at the width of a terminal that is not there; paths stay whole.
console = Console(soft_wrap=True, highlight=False)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NOTEBOOK]...", help="Slugs or chapter numbers; all if not given."),
]
Force = Annotated[bool, typer.Option("--force", help="Also where nothing has changed.")]


@app.command("execute")
def execute_command(notebooks: Names = None, *, force: Force = False) -> None:
    """Execute the notebooks whose sources have changed, and store their outputs."""
    project, stamps, pairs = _start(notebooks)
    stale = [
        pair
        for pair in pairs
        if force or not stamps.fresh(f"executed-{pair.slug}", execution_key(project, pair))
    ]
    _told_fresh("executed", pairs, stale)
    failures = []
    for number, pair in enumerate(stale, start=1):
        title = f"[{number}/{len(stale)}] {pair.slug}"
        stamps.forget(f"executed-{pair.slug}")
        try:
            with _progress(title, cells=_code_cells(pair)) as advance:
                execute(pair, on_cell=advance)
        except (NotebookFailedError, InvalidValueError) as error:
            failures.append(pair.slug)
            _complain([error])
        else:
            stamps.record(f"executed-{pair.slug}", execution_key(project, pair))
    _finish(failures, "failed")


@app.command("format")
def format_command(notebooks: Names = None) -> None:
    """Format the code cells of the notebooks' sources."""
    _, _, pairs = _start(notebooks)
    failures = []
    for pair in pairs:
        try:
            if format_cells(pair):
                console.print(f"{pair.md.name}: formatted", markup=False)
        except InvalidValueError as error:
            failures.append(pair.slug)
            _complain([error])
    _finish(failures, "cannot be formatted")


@app.command("verify")
def verify_command() -> None:
    """Check pairs, stored errors, sizes and the verdict of every claim."""
    project = Project.find()
    _require_verified(project)


@app.command("test")
def replay_command(notebooks: Names = None, *, force: Force = False) -> None:
    """Execute the notebooks again and compare every output with the stored one."""
    project, stamps, pairs = _start(notebooks)
    stale = [
        pair
        for pair in pairs
        if force or not stamps.fresh(f"replayed-{pair.slug}", replay_key(project, pair))
    ]
    _told_fresh("compared", pairs, stale)
    failures = []
    for pair in stale:
        stamps.forget(f"replayed-{pair.slug}")
    # One notebook hardly keeps two processors busy, and four of them fit a machine's memory.
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        # The sources may change meanwhile: what is recorded is what was compared.
        keys = {pair.slug: replay_key(project, pair) for pair in stale}
        running = {pool.submit(_timed, replay, project, pair): pair for pair in stale}
        for number, done in enumerate(as_completed(running), start=1):
            pair = running[done]
            title = f"[{number}/{len(stale)}] {pair.slug}"
            try:
                seconds = done.result()
            except NotebookFailedError as error:
                failures.append(pair.slug)
                console.print(f"{title}: differs", markup=False)
                _complain([error])
            else:
                console.print(f"{title}: every cell again, {seconds:.0f} s", markup=False)
                stamps.record(f"replayed-{pair.slug}", keys[pair.slug])
    _finish(failures, "differ")


@app.command("pytest")
def pytest_command(*, force: Force = False) -> None:
    """Run the tests of code, project and site, unless they passed and nothing has changed since."""
    project = Project.find()
    stamps, key = Stamps(project.build / "stamps"), tests_key(project)
    if not force and stamps.fresh("tests", key):
        console.print("tests: nothing has changed since they passed", markup=False)
        return
    stamps.forget("tests")
    # In a run of everything the site was built before: its tests may not be skipped.
    environment = os.environ | {"NTK_REQUIRE_SITE": "1"}
    status = subprocess.run(
        # A file's tests stay together: they share a browser, a small book or compiled functions.
        [sys.executable, "-m", "pytest", "--numprocesses", "auto", "--dist", "loadfile"],
        cwd=project.root,
        env=environment,
        check=False,
    ).returncode
    if status:
        raise typer.Exit(status)
    stamps.record("tests", key)


@app.command("build")
def build_command(*, force: Force = False) -> None:
    """Verify the notebooks, build the site if anything has changed, and say where to open it."""
    project = Project.find()
    _require_verified(project)
    stamps, key = Stamps(project.build / "stamps"), site_key(project)
    index = project.html / "index.html"
    if force or not stamps.fresh("site", key) or not index.is_file() or site.missing_pages(project):
        stamps.forget("site")
        try:
            with _progress("building the site") as advance:
                index = site.build(project, on_line=lambda _: advance())
        except site.SiteFailedError as error:
            _complain([error])
            console.print(f"The whole log: {project.build / 'site.log'}", markup=False)
            raise typer.Exit(1) from error
        stamps.record("site", key)
    else:
        console.print("site: nothing has changed", markup=False)
    console.print(f"Open {index.as_uri()}", markup=False)


def _timed(function: Callable[..., None], *arguments: object) -> float:
    begin = perf_counter()
    function(*arguments)
    return perf_counter() - begin


def _start(names: list[str] | None) -> tuple[Project, Stamps, list[Pair]]:
    project = Project.find()
    return project, Stamps(project.build / "stamps"), project.pairs(names)


def _require_verified(project: Project) -> None:
    problems = verify(project)
    if problems:
        _complain(problems)
        raise typer.Exit(1)
    console.print(f"notebooks: {len(project.pairs())} verified", markup=False)


def _code_cells(pair: Pair) -> int:
    return sum(cell.cell_type == "code" for cell in read_source(pair.md).cells)


@contextmanager
def _progress(title: str, *, cells: int | None = None) -> Iterator[Callable[[], None]]:
    """Show a bar on a terminal, and the title and the time it took anywhere else."""
    begin = perf_counter()
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    if cells is not None:
        columns.insert(3, MofNCompleteColumn())
    if not console.is_terminal:
        console.print(f"{title} …", markup=False)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=cells)
        yield lambda: bar.advance(task)
    console.print(f"{title}: done in {perf_counter() - begin:.0f} s", markup=False)


def _told_fresh(done: str, pairs: list[Pair], stale: list[Pair]) -> None:
    if fresh := len(pairs) - len(stale):
        console.print(f"notebooks: {fresh} unchanged since they were {done}", markup=False)


def _complain(problems: Sequence[Problem | Exception]) -> None:
    for problem in problems:
        console.print(f"error: {problem}", style="red", markup=False)


def _finish(failures: list[str], verb: str) -> None:
    if failures:
        console.print(
            f"{len(failures)} notebooks {verb}: {', '.join(failures)}", style="red", markup=False
        )
        raise typer.Exit(1)
