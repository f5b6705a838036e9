"""The commands `ntk run` and `ntk sweep`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from ntk.companion import claims
from ntk.companion.book.project import Project
from ntk.companion.runs import listing, tables
from ntk.companion.runs.naming import find_notebook
from ntk.companion.runs.parameters import read_parameters
from ntk.companion.runs.profiles import FAST
from ntk.companion.runs.record import Run, runs
from ntk.companion.runs.single import Plan, make_plan, perform, read_notebook
from ntk.companion.runs.sweep import Point, make_points, outdated, sweep
from ntk.companion.runs.written import split

__all__ = ["add_to"]

FAILED, INTERRUPTED = 1, 130
Notebook = Annotated[
    str, typer.Argument(help="Name or number of a chapter, such as 02_gradient_flow or 02.")
]
Profile = Annotated[
    str, typer.Option(help="A set of parameters from notebooks/profiles, such as fast or full.")
]
KeepGoing = Annotated[
    bool,
    typer.Option("--keep-going", help="Execute what follows a claim that fails; it fails the run."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be run, and stop.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands about runs to the command line.

    Parameters
    ----------
    app
        The command `ntk`.
    """
    app.command("run")(run_command)
    app.command("sweep")(sweep_command)
    app.command("runs")(listing.runs_command)
    app.command("claims")(listing.claims_command)


def run_command(
    notebook: Notebook,
    *,
    profile: Profile = FAST,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "-p", "--parameter", metavar="NAME=VALUE", help="A parameter of one's own; repeatable."
        ),
    ] = None,
    keep_going: KeepGoing = False,
    dry_run: DryRun = False,
) -> None:
    """Execute a copy of a notebook with one's own parameters, under runs/."""
    project = Project.find()
    pair = find_notebook(project, notebook)
    plan = make_plan(project, pair, profile, split(parameters or []), keep_going=keep_going)
    if dry_run:
        _print_plan(plan)
        return
    _tell_former(plan)
    with _bar(f"{pair.slug}", "cells") as (start, advance):
        run = perform(
            plan, on_start=lambda run, cells: start(_running(run, project), cells), on_cell=advance
        )
    _report(run, plan)
    if run.status != "done":
        raise typer.Exit(INTERRUPTED if run.status == "interrupted" else FAILED)


def sweep_command(
    notebook: Notebook,
    *,
    parameters: Annotated[
        list[str],
        typer.Option(
            "-p", "--parameter", metavar="NAME=[VALUES]", help="The values to try; repeatable."
        ),
    ],
    profile: Profile = FAST,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes at the same time; they share the cores.")
    ] = 1,
    keep_going: KeepGoing = False,
    dry_run: DryRun = False,
) -> None:
    """Run a grid of parameters; called again, it runs only what is not finished."""
    project = Project.find()
    pair = find_notebook(project, notebook)
    points = make_points(project, pair, profile, split(parameters), keep_going=keep_going)
    reasons = [reason for point in points if (reason := outdated(point))]
    for reason in dict.fromkeys(reasons):
        _say(f"run again, {reasons.count(reason)} of {len(points)} points: {reason}", "yellow")
    if ready := sum(point.finished for point in points):
        _say(f"{ready} of {len(points)} points were finished before")
    todo = [point for point in points if not point.finished]
    title = f"{pair.slug}, profile {profile}"
    if dry_run:
        tables.console.print(
            tables.points_table([(point.plan.own, point.run) for point in points], title)
        )
        return
    try:
        with _bar(title, "points") as (start, advance):
            if todo:
                start(f"{len(todo)} points, {workers} at a time", len(todo))

            def told(point: Point) -> None:
                advance()
                _say(_point_line(point))

            sweep(points, workers, on_point=told)
    except KeyboardInterrupt:
        _say("interrupted; what is finished stays finished. Call it again to go on.", "yellow")
        raise typer.Exit(INTERRUPTED) from None
    tables.console.print(
        tables.points_table([(point.plan.own, point.run) for point in points], title)
    )
    ended = [point.run.status if point.run else "not run" for point in points]
    if wrong := len(ended) - ended.count("done"):
        _say(f"{wrong} of {len(points)} points did not pass", "red")
        raise typer.Exit(FAILED)


def _print_plan(plan: Plan) -> None:
    defaults = read_parameters(read_notebook(plan.pair))
    for name, value in plan.parameters.items():
        origin = f"profile {plan.profile}" if value != defaults[name] else "default"
        origin = "given" if name in plan.own else origin
        tables.console.print(f"{name} = {value!r}  ({origin})", markup=False)


def _tell_former(plan: Plan) -> None:
    same = [run for run in runs(plan.project, plan.pair.slug) if run.data["key"] == plan.key]
    if same and same[-1].status == "interrupted":
        _say(f"An earlier run of this was interrupted and stays in {_place(same[-1], plan)}")
    elif same and same[-1].status == "running":
        _say(f"The same is already being run in {_place(same[-1], plan)}", "yellow")


def _report(run: Run, plan: Plan) -> None:
    """Say how a run ended: its claims, where it is, and what to call next."""
    records = [claims.Record.from_json(data) for data in run.data["claims"]]
    if records:
        tables.console.print(tables.claims_table(records))
    cells, time = run.data["cells"], tables.duration(run.data["seconds"])
    if run.status == "done":
        memory = run.data["peak_memory"]
        held = f", {memory / 2**20:,.0f} MiB at most" if memory else ""
        _say(f"done in {time}{held}; claims passed: {tables.claims_passed(run)}", "green")
        _say(f"Notebook and record: {_place(run, plan)}")
        return
    error, done = run.data["error"] or {}, f"{cells['done']} of {cells['of']} cells"
    if run.status == "interrupted":
        _say(f"interrupted after {time} and {done}", "yellow")
    elif run.final.is_file():
        _say(f"failed after all cells, in {time}: {error['message']}", "red")
    else:
        where = f"cell {error['cell']}: {error['name']}" if "cell" in error else error["kind"]
        _say(f"failed after {time} and {done}, in {where}: {error['message']}", "red")
    kept = run.notebook.name
    _say(f"What was executed is kept as {kept}, with a record that says so: {_place(run, plan)}")
    if error.get("kind") == "claim":
        _say("A claim does not stand with these parameters; it would not if this were run again.")
        if not plan.keep_going:
            _say("To see the claims after it too: --keep-going")
    else:
        _say(f"To run it again: {run.data['command']}")


def _point_line(point: Point) -> str:
    own = ", ".join(f"{name}={value}" for name, value in point.plan.own.items())
    if point.run is None:
        return f"{own}: not run"
    seconds = point.run.data.get("seconds")
    time = f" in {tables.duration(seconds)}" if seconds is not None else ""
    return f"{own}: {point.run.status}{time}, claims passed: {tables.claims_passed(point.run)}"


@contextmanager
def _bar(title: str, unit: str) -> Iterator[tuple[Callable[[str, int], None], Callable[[], None]]]:
    """Show a bar on a terminal, and the beginning anywhere else."""
    columns = [
        *(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        *(TextColumn(unit), TimeElapsedColumn()),
    ]
    with Progress(
        *columns, console=tables.console, transient=True, disable=not tables.console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)

        def start(told: str, total: int) -> None:
            _say(told)
            bar.update(task, total=total)

        yield start, lambda: bar.advance(task)


def _running(run: Run, project: Project) -> str:
    return f"{run.data['notebook']}: running in {project.show(run.folder)}"


def _place(run: Run, plan: Plan) -> str:
    return plan.project.show(run.folder)


def _say(text: str, style: str | None = None) -> None:
    tables.console.print(text, style=style, markup=False)
