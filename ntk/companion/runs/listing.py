"""The commands `ntk runs` and `ntk claims`: what was run, and what came out."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ntk.companion import claims
from ntk.companion.book.project import Project
from ntk.companion.runs import tables
from ntk.companion.runs.compare import compare
from ntk.companion.runs.naming import find_notebook
from ntk.companion.runs.record import Run, find_run, runs
from ntk.errors import InvalidValueError, UnknownNameError

__all__ = ["claims_command", "runs_command"]


def runs_command(
    notebook: Annotated[str | None, typer.Argument(help="Of this chapter only.")] = None,
) -> None:
    """List the runs, the newest last."""
    project = Project.find()
    slug = None if notebook is None else find_notebook(project, notebook).slug
    found = runs(project, slug)
    if not found:
        tables.console.print("There are no runs yet; `ntk run NOTEBOOK` makes one.", markup=False)
        return
    tables.console.print(tables.runs_table(found))


def claims_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NOTEBOOK_OR_RUN]...",
            help="Chapters, or runs: an id, a folder, the word last. All chapters if not given.",
        ),
    ] = None,
    *,
    against: Annotated[
        str | None,
        typer.Option("--compare", metavar="RUN", help="Compare this run with the book."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Print the claims of the book or of runs, or compare a run with the book."""
    project = Project.find()
    if against is not None:
        if names:
            raise InvalidValueError(
                f"--compare: got {' '.join(names)} as well; a run is compared with its own chapter."
            )
        _compare(project, find_run(project, against), as_json=as_json)
        return
    shown = {name: path for name in names or [] for name, path in [_resolve(project, name)]}
    if not names:
        shown = {pair.slug: pair.ipynb for pair in project.pairs() if pair.ipynb.is_file()}
    ledgers = {name: _read(path) for name, path in shown.items()}
    if as_json:
        found = [
            {"from": name, "cell": entry.cell, **entry.record.to_json()}
            for name, ledger in ledgers.items()
            for entry in ledger
        ]
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for name, ledger in ledgers.items():
        tables.console.print(tables.claims_table([entry.record for entry in ledger], name))


def _compare(project: Project, run: Run, *, as_json: bool) -> None:
    """Print a run beside the book; like `diff`, end with status 1 if they differ."""
    pair = find_notebook(project, run.data["notebook"])
    if not pair.ipynb.is_file():
        raise InvalidValueError(f"--compare: {pair.slug} was never executed: run `make notebooks`.")
    differences = compare(_read(pair.ipynb), _read(run.notebook))
    if as_json:
        found = [
            {
                "id": difference.id,
                "differs": list(difference.fields),
                "book": difference.book and difference.book.to_json(),
                "run": difference.run and difference.run.to_json(),
            }
            for difference in differences
        ]
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        tables.console.print(tables.comparison(differences, f"run {run.name}"))
        if run.status != "done":
            tables.console.print(f"The run is {run.status}: claims may be missing.", style="yellow")
        own = ", ".join(f"{name}={value}" for name, value in run.data["own"].items())
        tables.console.print(
            f"profile {run.data['profile']}; own parameters: {own or 'none'}", markup=False
        )
    different = sum(bool(difference.fields) for difference in differences)
    if different:
        if not as_json:
            tables.console.print(f"{different} of {len(differences)} claims differ", style="red")
        raise typer.Exit(1)


def _resolve(project: Project, name: str) -> tuple[str, Path]:
    """Return what is meant by a name that is a chapter's or a run's, and its executed notebook."""
    known = {pair.slug for pair in project.pairs()} | {pair.chapter for pair in project.pairs()}
    path = Path(name)
    stem = path.name.removesuffix(".md").removesuffix(".ipynb")
    # An executed notebook under runs/ has a chapter's name; its folder tells what it is.
    if stem in known and not (path.is_file() and (path.parent / "record.json").is_file()):
        pair = find_notebook(project, name)
        return pair.slug, pair.ipynb
    try:
        run = find_run(project, name)
    except UnknownNameError as error:
        slugs = ", ".join(pair.slug for pair in project.pairs())
        error.add_note(f"It is no notebook either; these are: {slugs}.")
        raise
    return f"run {run.name} of {run.data['notebook']}, {run.status}", run.notebook


def _read(path: Path) -> claims.Ledger:
    """Return the claims of a notebook; of a run that has just begun there are none."""
    if path.is_file():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if not any(cell.get("outputs") for cell in cells):
            return claims.Ledger(())
    return claims.read([path])
