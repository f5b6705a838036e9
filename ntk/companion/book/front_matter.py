"""The front matter of a notebook's written side: what makes a text a notebook, and how it fails."""

from pathlib import Path
from typing import Any

import yaml

from ntk.errors import InvalidValueError

__all__ = ["read_front_matter"]

FENCE = "---"
REMEDY = "the front matter of another notebook shows how it is written."


def read_front_matter(path: Path) -> dict[str, Any]:
    """Read the lines of YAML between the first two lines `---` of a notebook's source.

    Parameters
    ----------
    path
        A `.md` file in MyST format.

    Raises
    ------
    InvalidValueError
        There is none, it is not closed, it is not YAML, or it does not say `format_name: myst`. The
        message names file and line.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    name = f"{path.parent.name}/{path.name}"
    if not lines or lines[0].rstrip() != FENCE:
        raise InvalidValueError(
            f"{name}, line 1: it is {lines[0] if lines else ''!r}, where the front matter of a "
            f"notebook begins with {FENCE!r}; {REMEDY}"
        )
    # Code cells have lines `---` of their own: one after a cell has begun closes nothing here.
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), len(lines))
    cell = next((n for n, line in enumerate(lines) if line.startswith("```")), len(lines))
    if end >= cell or end == len(lines):
        raise InvalidValueError(
            f"{name}, line 1: the front matter that begins here is not closed; "
            f"put a line {FENCE!r} after its last line."
        )
    try:
        header = yaml.safe_load("\n".join(lines[1:end]))
    except yaml.MarkedYAMLError as error:
        # Marks count from 0, and the first line of the file was left out.
        line = 2 + (error.problem_mark.line if error.problem_mark else 0)
        written = lines[line - 1] if line <= len(lines) else ""
        raise InvalidValueError(
            f"{name}, line {line}: the front matter is not YAML, {error.problem}: "
            f"{written!r}; {REMEDY}"
        ) from error
    if _format(header) != "myst":
        raise InvalidValueError(
            f"{name}, line 1: the front matter does not make it a MyST notebook "
            f"(jupytext: text_representation: format_name: myst); {REMEDY}"
        )
    return dict(header)


def _format(header: Any) -> Any:
    """Return what the front matter says about the format, if it does."""
    for key in ("jupytext", "text_representation", "format_name"):
        header = header.get(key) if isinstance(header, dict) else None
    return header
