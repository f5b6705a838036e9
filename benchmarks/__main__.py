"""The command line: ``python -m benchmarks run``, and the steps of it one by one."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import cases, environment, page, record, table
from benchmarks.case import Case
from benchmarks.runner import Run
from ntk.errors import NTKError, UnknownNameError

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "benchmarks" / "records"
WORK = ROOT / "_build" / "benchmarks"

app = typer.Typer(
    help="Speed, memory and accuracy beside the peer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(soft_wrap=True, highlight=False, width=None if Console().is_terminal else 160)

Only = Annotated[
    list[str] | None,
    typer.Option(help="A group or a case (group/case where several have it); all if not given."),
]
Python = Annotated[str | None, typer.Option(help="The Python to make the peer's environment with.")]


@app.command()
def run(
    only: Only = None,
    *,
    quick: Annotated[bool, typer.Option(help="Tiny sizes, to see that it works.")] = False,
    peer: Annotated[bool, typer.Option(help="Measure the peer too.")] = True,
    peer_python: Python = None,
    work: Annotated[Path, typer.Option(help="Where measurements lie until all are made.")] = WORK,
) -> None:
    """Measure everything, store the records, draw the page, print the tables.

    What an interrupted run has measured is kept; the same command goes on from there.
    """
    chosen = choose(only or [])
    pythons = {"project": Path(sys.executable)}
    if peer:
        pythons["peer"] = environment.ensure(ROOT, console, peer_python)
    else:
        console.print("==> Without the peer: its rows stay empty")
    this = Run(ROOT, work, "quick" if quick else "full", pythons, console)
    stored, tables = [], []
    for group, selected in chosen.items():
        console.print(f"==> {cases.GROUPS[group].TITLE}")
        whole = len(selected) == len(cases.GROUPS[group].CASES)
        journal = this.journal(group, "" if whole else ".part")
        try:
            this.measure(group, selected, journal)
        except (KeyboardInterrupt, NTKError) as error:
            console.print(
                f"Interrupted. {len(journal.events)} measurements of {group} are kept; "
                "the same command goes on from there."
            )
            if isinstance(error, NTKError):
                raise
            raise SystemExit(130) from None
        made = record.build(group, selected, journal, ROOT, this.scale)
        # What the page shows is whole: full size, all cases of a group, both sides.
        committed = whole and peer and not quick
        path = record.write(made, RECORDS if committed else journal.path.parent)
        journal.forget()
        stored += [path] if committed else []
        tables.append(table.table(made))
    for each in tables:
        console.print(each)
    if stored:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stored)
        console.print(f"Stored {names}; commit them together with the page.")
        draw()
    else:
        console.print(f"A part only: stored in {journal.path.parent}, not on the page.")


@app.command("peer")
def peer_command(*, peer_python: Python = None) -> None:
    """Set up the peer's environment."""
    console.print(str(environment.ensure(ROOT, console, peer_python).relative_to(ROOT)))


@app.command("page")
def draw() -> None:
    """Draw the page of the book again, from the records."""
    for path in page.write(record.read(RECORDS), ROOT / "book"):
        console.print(f"Wrote {path.relative_to(ROOT)}")


@app.command("table")
def show() -> None:
    """Print the tables of the stored records."""
    for each in record.read(RECORDS).values():
        console.print(table.table(each))


@app.command("list")
def names() -> None:
    """Print the groups and their cases."""
    for group, module in cases.GROUPS.items():
        console.print(f"{group}: {', '.join(case.id for case in module.CASES)}")


def choose(names: list[str]) -> dict[str, list[Case]]:
    """Return the cases that names mean, by group.

    Raises
    ------
    UnknownNameError
        A name means none.
    """
    found: dict[str, list[Case]] = {}
    known = [name for group, module in cases.GROUPS.items() for name in _names(group, module)]
    for name in names:
        if name not in known:
            raise UnknownNameError(f"only: there is no {name!r}; the names are {', '.join(known)}.")
    for group, module in cases.GROUPS.items():
        chosen = [
            case
            for case in module.CASES
            if not names or {group, case.id, f"{group}/{case.id}"} & set(names)
        ]
        if chosen:
            found[group] = chosen
    return found


def _names(group: str, module: Any) -> list[str]:
    ids = [case.id for case in module.CASES]
    return [group, *ids, *(f"{group}/{name}" for name in ids)]


def main() -> None:
    """Run the command line; an error meant for the user ends it with status 1, not a traceback."""
    try:
        app()
    except NTKError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
