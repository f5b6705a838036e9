"""Everything measured so far, line by line on the disk, so that an interruption loses nothing."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """A file to which each measurement is added as soon as it is made.

    Parameters
    ----------
    path
        The file, one JSON object a line; the first one holds what the measurements depend on.
    header
        What they depend on now. A file that began with anything else is put aside.

    Attributes
    ----------
    events : list of dict
        The measurements, those of an interrupted run included.
    resumed : bool
        Whether there were any.
    set_aside : Path or None
        Where measurements of another state went.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path, self.events, self.set_aside = path, list[dict[str, Any]](), None
        found = list(_lines(path))
        if found and found[0].get("key") == header["key"]:
            self.header, self.events = found[0], found[1:]
            self._rewrite()
        else:
            if len(found) > 1:
                self.set_aside = path.with_suffix(".before.jsonl")
                path.replace(self.set_aside)
            self.header = header
            path.parent.mkdir(parents=True, exist_ok=True)
            self._rewrite()
        self.resumed = bool(self.events)

    def add(self, **event: Any) -> None:
        """Add a measurement; it is on the disk when this returns."""
        self.events.append(event)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def of(self, **values: Any) -> list[dict[str, Any]]:
        """Return the measurements with these values, in the order in which they were made."""
        return [
            event
            for event in self.events
            if all(event.get(key) == value for key, value in values.items())
        ]

    def forget(self) -> None:
        """Remove the file, once its content stands in a record."""
        self.path.unlink(missing_ok=True)

    def _rewrite(self) -> None:
        """Leave out a last line that was cut off in the middle, or the next would be spoilt."""
        half = self.path.with_suffix(".half")
        lines = [self.header, *self.events]
        half.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        half.replace(self.path)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            return
        yield found
