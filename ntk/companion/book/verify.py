"""What must hold of the stored notebooks before anybody sees them."""

import re
from typing import Any

from ntk.companion.book.pairs import drift
from ntk.companion.book.project import Pair, Problem, Project
from ntk.companion.book.source import read_executed
from ntk.errors import InvalidValueError, NTKError

__all__ = ["MAX_BYTES", "stored_problems", "verify"]

MAX_BYTES = 1_000_000


def verify(project: Project) -> list[Problem]:
    """Check every notebook: its pair, its stored outputs, its size, and the verdicts of its claims.

    Parameters
    ----------
    project
        The checkout.

    Returns
    -------
    list of Problem
        Empty if the notebooks may be published.
    """
    pairs = project.pairs()
    problems = []
    for pair in pairs:
        if not re.fullmatch(r"\d\d_[a-z0-9_]+", pair.slug):
            problems.append(
                Problem(
                    f"notebooks/{pair.slug}", "a notebook is named NN_slug: two digits, lower case."
                )
            )
        problems += drift(pair)
        if pair.ipynb.is_file():
            problems += stored_problems(pair)
    executed = [pair.ipynb for pair in pairs if pair.ipynb.is_file()]
    # The ledger cannot be read from a broken notebook, and that has been told.
    return problems or _verdicts(project, executed)


def stored_problems(pair: Pair) -> list[Problem]:
    """Return what is wrong with the stored side of a notebook: errors, cells not executed, size.

    Parameters
    ----------
    pair
        The notebook, whose `.ipynb` exists.
    """
    name = f"notebooks/{pair.ipynb.name}"
    try:
        notebook = read_executed(pair.ipynb)
    except InvalidValueError as error:
        return [Problem(name, str(error))]
    problems = []
    size = pair.ipynb.stat().st_size
    if size > MAX_BYTES:
        problems.append(
            Problem(name, f"it has {size:,} bytes, more than {MAX_BYTES:,}: store smaller figures.")
        )
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            problems += _cell_problems(cell, f"{name}, cell {number}")
    return problems


def _cell_problems(cell: Any, where: str) -> list[Problem]:
    problems = []
    for output in cell.outputs:
        if output.output_type == "error":
            problems.append(Problem(where, f"a stored error, {output.ename}: {output.evalue}"))
        elif output.output_type == "stream" and output.name == "stderr":
            text = output.text.strip().splitlines()
            problems.append(
                Problem(
                    where,
                    f"a message on stderr, which a reader would see: {text[-1] if text else ''}",
                )
            )
    if cell.source.strip() and cell.execution_count is None:
        problems.append(Problem(where, "it was not executed: run `make notebooks`."))
    return problems


def _verdicts(project: Project, executed: list[Any]) -> list[Problem]:
    """Return the claims that did not pass, as the ledger tells them."""
    from ntk.companion import claims

    if not executed:
        return []
    try:
        claims.read(executed).require_passed()
    except NTKError as error:
        return [Problem(project.show(project.notebooks), str(error))]
    return []
