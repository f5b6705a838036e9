"""Reading the two sides of a notebook, and the form in which the executed side is stored."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jupytext.myst import MystMetadataParsingError

from ntk.companion.book.front_matter import read_front_matter
from ntk.errors import InvalidValueError

__all__ = ["read_executed", "read_source", "store"]

# What a notebook's metadata keep; everything else depends on who ran it, where and when.
NOTEBOOK_METADATA = ("jupytext", "kernelspec", "language_info")
CELL_METADATA = ("tags", "mystnb")


def read_source(path: Path) -> Any:
    """Read the written side: a notebook without outputs whose cell ids follow from the cells' text.

    Parameters
    ----------
    path
        A `.md` file in MyST format.

    Raises
    ------
    InvalidValueError
        The file is not a notebook: its front matter, or the options of a cell, cannot be read. The
        message names the line.
    """
    read_front_matter(path)
    try:
        notebook = jupytext.read(path)
    except MystMetadataParsingError as error:
        told = " ".join(str(error).split())
        raise InvalidValueError(f"{path.parent.name}/{path.name}: {told}") from error
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        # An id that follows from the text changes with its own cell only, so diffs stay small.
        text = f"{cell.cell_type}\n{cell.source}"
        seen[text] = seen.get(text, 0) + 1
        cell["id"] = hashlib.sha256(f"{seen[text]}\n{text}".encode()).hexdigest()[:8]
    return clean(notebook)


def read_executed(path: Path) -> Any:
    """Read the executed side as it is stored.

    Parameters
    ----------
    path
        A `.ipynb` file.

    Raises
    ------
    InvalidValueError
        The file is not a notebook of format 4.
    """
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise InvalidValueError(
            f"path: {path.name} is not a notebook that can be read ({error}); "
            "make it again with `make notebooks`."
        ) from error


def clean(notebook: Any) -> Any:
    """Drop, in place, the metadata that differ from one execution to the next."""
    metadata = {
        key: notebook.metadata[key] for key in NOTEBOOK_METADATA if key in notebook.metadata
    }
    metadata.get("jupytext", {}).get("text_representation", {}).pop("jupytext_version", None)
    metadata.get("language_info", {}).pop("version", None)
    notebook.metadata = nbformat.from_dict(metadata)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        )
    return notebook


def store(notebook: Any, path: Path) -> None:
    """Write a notebook so that its file is either the old one or the new one, never a part.

    Parameters
    ----------
    notebook
        A notebook of format 4.
    path
        The `.ipynb` file to write or replace.

    Raises
    ------
    nbformat.ValidationError
        The notebook breaks its own format; the old file is left as it is.
    """
    nbformat.validate(notebook)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(nbformat.writes(notebook).rstrip("\n") + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
