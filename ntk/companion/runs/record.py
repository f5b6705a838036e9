"""The record of a run, from its first second on, and where runs are kept."""

import json
import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ntk.companion.book.project import Project
from ntk.companion.runs.naming import unknown
from ntk.companion.runs.provenance import is_alive
from ntk.errors import InvalidValueError, UnknownNameError

__all__ = ["Run", "find_run", "runs", "write_json"]

FORMAT = 1
LAST = "last"


@dataclass
class Run:
    """A folder with a record, and the executed notebook once it is whole.

    Parameters
    ----------
    folder
        ``runs/SLUG/ID``.
    data
        The record as it is stored.
    """

    folder: Path
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def create(cls, project: Project, slug: str, key: str, data: dict[str, Any]) -> "Run":
        """Make a folder of its own for a run and write the record's beginning into it.

        Parameters
        ----------
        project
            The checkout.
        slug, key
            The notebook, and the digest of everything that the run depends on.
        data
            The record so far.
        """
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d-%H%M%S}-{key[:6]}"
        parent = project.root / "runs" / slug
        parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 100):
            folder = parent / (name if attempt == 1 else f"{name}-{attempt}")
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            break
        started = now.isoformat(timespec="milliseconds")
        run = cls(folder, {"format": FORMAT, "notebook": slug, "status": "running"})
        run.update(key=key, started=started, **data)
        return run

    @classmethod
    def load(cls, folder: Path) -> "Run":
        """Read a run's record.

        Raises
        ------
        InvalidValueError
            There is none, or it cannot be read.
        """
        path = folder / "record.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidValueError(f"run: {path} is not the record of a run ({error}).") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise InvalidValueError(f"run: {path} is not a record of format {FORMAT}.")
        return cls(folder, data)

    def update(self, **values: Any) -> None:
        """Change fields of the record and store it."""
        self.data |= values
        write_json(self.data, self.folder / "record.json")

    @property
    def name(self) -> str:
        """The run's id."""
        return self.folder.name

    @property
    def status(self) -> str:
        """``running``, ``done``, ``failed`` or ``interrupted``.

        A process that was killed could not write its end: its record says running, and it is not.
        """
        status = str(self.data["status"])
        if status == "running" and not is_alive(self.data["process"]):
            return "interrupted"
        return status

    @property
    def final(self) -> Path:
        """The executed notebook, which is there only when every cell was executed."""
        return self.folder / f"{self.data['notebook']}.ipynb"

    @property
    def partial(self) -> Path:
        """What was executed so far, or before the run ended early."""
        return self.folder / "partial.ipynb"

    @property
    def notebook(self) -> Path:
        """The executed notebook, or as much of it as there is."""
        return self.final if self.final.is_file() else self.partial

    @property
    def stopped_by_claim(self) -> bool:
        """Whether it ended as it would every time: a claim does not hold for these parameters."""
        error = self.data.get("error")
        return self.status == "failed" and error is not None and error["kind"] == "claim"


def runs(project: Project, slug: str | None = None) -> list[Run]:
    """Return the runs of a notebook, or of all, oldest first.

    Parameters
    ----------
    project
        The checkout.
    slug
        A notebook; all of them if not given.
    """
    found = [
        Run.load(path.parent)
        for path in (project.root / "runs").glob(f"{slug or '*'}/*/record.json")
    ]
    return sorted(found, key=lambda run: (run.data["started"], run.name))


def find_run(project: Project, name: str) -> Run:
    """Return the run of an id, the beginning of one, a folder, or ``last``.

    Parameters
    ----------
    project
        The checkout.
    name
        What the user wrote.

    Raises
    ------
    UnknownNameError
        There is no such run, or several begin in this way.
    """
    for path in (Path(name), project.root / name):
        folder = path.parent if path.is_file() else path
        if (folder / "record.json").is_file():
            return Run.load(folder.resolve())
    every = runs(project)
    if name == LAST and every:
        return every[-1]
    found = [run for run in every if run.name.startswith(name)]
    exact = [run for run in found if run.name == name]
    if len(exact or found) > 1:
        names = ", ".join(run.name for run in found)
        raise UnknownNameError(f"run: {name!r} could be any of {names}; give more of it.")
    if not found:
        raise unknown("run", name, [run.name for run in every[-10:]])
    return (exact or found)[0]


def write_json(data: Any, path: Path) -> None:
    """Write a file so that it holds either the old content or the new, never a part.

    Parameters
    ----------
    data
        Plain values.
    path
        The file.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1, ensure_ascii=False, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
