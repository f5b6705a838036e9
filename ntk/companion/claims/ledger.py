"""The ledger: all records among the outputs of executed notebooks, and nothing else."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntk.companion.claims.record import MIME, Record
from ntk.errors import ClaimFailedError, InvalidValueError, NTKError, UnknownNameError


@dataclass(frozen=True)
class Entry:
    """A record and the place where its check stands.

    Parameters
    ----------
    record : Record
        The claim.
    notebook : Path
        The notebook's file.
    cell : int
        Index of the cell among all cells, from 0.
    cell_id : str
        The cell's id, empty in formats that have none.
    """

    record: Record
    notebook: Path
    cell: int
    cell_id: str

    @property
    def chapter(self) -> str:
        """The two digits that start the notebook's name, empty if it has none."""
        match = re.match(r"\d\d(?!\d)", self.notebook.name)
        return match[0] if match else ""

    @property
    def place(self) -> str:
        """Notebook and cell in words."""
        return _place(self.notebook, self.cell, self.cell_id)


@dataclass(frozen=True)
class Ledger:
    """Records by id, in the order of the notebooks and their cells.

    Parameters
    ----------
    entries : tuple of Entry
        All records; no id twice.

    Examples
    --------
    >>> Ledger(()).by_chapter()
    {}
    """

    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __contains__(self, claim: object) -> bool:
        return any(entry.record.id == claim for entry in self.entries)

    def __getitem__(self, claim: str) -> Record:
        return self.where(claim).record

    def where(self, claim: str) -> Entry:
        """Return the entry of a claim.

        Raises
        ------
        UnknownNameError
            If no notebook checks it; the message lists close matches.
        """
        by_id = {entry.record.id: entry for entry in self.entries}
        if claim not in by_id:
            close = difflib.get_close_matches(claim, by_id)
            hint = f"did you mean {' or '.join(close)}?" if close else f"{len(by_id)} are known"
            raise UnknownNameError(f"no notebook checks a claim '{claim}'; {hint}")
        return by_id[claim]

    def by_chapter(self) -> dict[str, tuple[Entry, ...]]:
        """Return the entries of each chapter, by its two digits."""
        chapters = sorted({entry.chapter for entry in self.entries})
        return {c: tuple(e for e in self.entries if e.chapter == c) for c in chapters}

    def require_passed(self) -> None:
        """Raise unless every claim stands.

        Raises
        ------
        ClaimFailedError
            If a verdict is "fail", or a claim that can fail has no control that was rejected.
        """
        failures = [
            f"{entry.record.id} ({entry.place}): {' and '.join(reasons)}"
            for entry in self.entries
            if (reasons := entry.record.shortcomings())
        ]
        if failures:
            raise ClaimFailedError(
                f"{len(failures)} of {len(self)} claims do not stand:\n- " + "\n- ".join(failures)
            )


def read(paths: Iterable[str | Path]) -> Ledger:
    """Read the records from the outputs of executed notebooks.

    Parameters
    ----------
    paths : iterable of path
        Notebooks (``.ipynb``), in the order of the book.

    Returns
    -------
    Ledger
        All records.

    Raises
    ------
    InvalidValueError
        If a notebook cannot be read or has no outputs, a record is malformed, its verdict
        contradicts its own numbers, or an id stands twice. The message lists every problem,
        with notebook and cell.

    Examples
    --------
    >>> len(read([]))
    0
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    entries: dict[str, Entry] = {}
    problems: list[str] = []
    for path in map(Path, paths):
        try:
            outputs = list(_outputs(path))
        except InvalidValueError as error:
            problems.append(str(error))
            continue
        for cell, cell_id, data in outputs:
            place = _place(path, cell, cell_id)
            try:
                record = Record.from_json(data)
            except NTKError as error:
                problems.append(f"{place}: malformed record: {error}")
                continue
            if contradiction := record.contradiction():
                problems.append(f"{place}: claim '{record.id}': {contradiction}")
            if record.id in entries:
                problems.append(
                    f"{place}: claim '{record.id}' stands already in {entries[record.id].place}"
                )
                continue
            entries[record.id] = Entry(record, path, cell, cell_id)
    if problems:
        raise InvalidValueError(
            f"{len(problems)} problems in the ledger:\n- " + "\n- ".join(problems)
        )
    return Ledger(tuple(entries.values()))


def _outputs(path: Path) -> Iterator[tuple[int, str, Any]]:
    """Yield index, id and data for each record among a notebook's outputs."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidValueError(f"{path}: not a readable notebook ({error!r})") from error
    if not any(cell.get("outputs") for cell in cells):
        raise InvalidValueError(f"{path}: no cell has an output; execute the notebook first")
    for index, cell in enumerate(cells):
        for output in cell.get("outputs", []):
            if MIME in output.get("data", {}):
                yield index, str(cell.get("id", "")), output["data"][MIME]


def _place(notebook: Path, cell: int, cell_id: str) -> str:
    return f"{notebook.name}, cell {cell}" + (f" (id {cell_id})" if cell_id else "")
