"""The two sides of a notebook hold the same cells.

They are compared by content, never by the time of the last change, which a checkout or a copy sets
anew and which would make one side silently overwrite the other.
"""

import difflib
from typing import Any

from ntk.companion.book.project import Pair, Problem
from ntk.companion.book.source import read_executed, read_source
from ntk.errors import InvalidValueError

__all__ = ["compare", "drift"]

# A longer difference is told by its beginning.
DIFF_LINES = 12
MAKE = "run `make notebooks`"


def drift(pair: Pair) -> list[Problem]:
    """Return every difference between the written and the executed side of a notebook.

    Parameters
    ----------
    pair
        The notebook.

    Returns
    -------
    list of Problem
        Empty if the two sides agree; each names the file and the cell.
    """
    name = f"notebooks/{pair.ipynb.name}"
    if not pair.ipynb.is_file():
        return [Problem(f"notebooks/{pair.md.name}", f"it was never executed: {MAKE}.")]
    if not pair.md.is_file():
        return [Problem(name, f"its source {pair.md.name} is missing.")]
    try:
        return compare(read_source(pair.md), read_executed(pair.ipynb), name, pair.md.name)
    except InvalidValueError as error:
        return [Problem(name, str(error))]


def compare(source: Any, executed: Any, name: str, source_name: str) -> list[Problem]:
    """Return the differences between two parsed notebooks: cells, their metadata, the header.

    Parameters
    ----------
    source, executed
        The written and the executed notebook.
    name, source_name
        What the messages call them.
    """
    problems = []
    for key in ("jupytext", "kernelspec"):
        ours, theirs = (_plain(nb.metadata.get(key)) for nb in (source, executed))
        if ours != theirs:
            problems.append(
                Problem(
                    name, f"its metadata {key!r} differ from {source_name}'s front matter: {MAKE}."
                )
            )
    if len(source.cells) != len(executed.cells):
        problems.append(
            Problem(
                name,
                f"it has {len(executed.cells)} cells, "
                f"{source_name} has {len(source.cells)}: {MAKE}.",
            )
        )
    for number, (ours, theirs) in enumerate(
        zip(source.cells, executed.cells, strict=False), start=1
    ):
        where = f"{name}, cell {number} ({theirs.cell_type})"
        if ours.cell_type != theirs.cell_type:
            problems.append(
                Problem(where, f"it is a {ours.cell_type} cell in {source_name}: {MAKE}.")
            )
            break  # From here on the cells are shifted, and every one would be told.
        if ours.source != theirs.source:
            problems.append(
                Problem(
                    where,
                    f"its text differs from {source_name} (-) in the executed notebook (+). "
                    f"Edit {source_name} only, then {MAKE}.\n"
                    f"{_difference(ours.source, theirs.source)}",
                )
            )
        if _plain(ours.metadata) != _plain(theirs.metadata):
            problems.append(
                Problem(
                    where,
                    f"its metadata are {_plain(theirs.metadata)}, "
                    f"in {source_name} {_plain(ours.metadata)}: {MAKE}.",
                )
            )
    return problems


def _plain(value: Any) -> Any:
    """Return metadata as plain dictionaries, without the version of the tool that wrote them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != "jupytext_version"}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _difference(old: str, new: str) -> str:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:]
    more = [f"… and {len(lines) - DIFF_LINES} more lines"] if len(lines) > DIFF_LINES else []
    return "\n".join(f"    {line}" for line in lines[:DIFF_LINES] + more)
