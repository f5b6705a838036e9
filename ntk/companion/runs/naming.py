"""Names that a user gave, and the close matches to tell when there is no such thing."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from ntk.companion.book.project import Pair, Project
from ntk.errors import UnknownNameError

__all__ = ["find_notebook", "unknown"]


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Return the error for a name that is not among the known ones.

    Parameters
    ----------
    what
        What it should have been the name of.
    name
        What came.
    known
        All names that exist.

    Examples
    --------
    >>> print(unknown("parameter", "widht", ["width", "seeds"]))
    parameter: there is no 'widht'; did you mean width? There are: width, seeds.
    """
    names = list(known)
    close = difflib.get_close_matches(name, names)
    hint = f"; did you mean {' or '.join(close)}?" if close else "."
    every = f"There are: {', '.join(names)}." if names else "There are none at all."
    return UnknownNameError(f"{what}: there is no {name!r}{hint} {every}")


def find_notebook(project: Project, name: str) -> Pair:
    """Return the notebook of a slug, a chapter's number or a file name.

    Parameters
    ----------
    project
        The checkout.
    name
        Such as ``02_gradient_flow``, ``02`` or ``notebooks/02_gradient_flow.ipynb``.

    Raises
    ------
    UnknownNameError
        There is no such notebook, or the number is that of several.
    """
    wanted = Path(name).name.removesuffix(".md").removesuffix(".ipynb")
    pairs = project.pairs()
    found = [pair for pair in pairs if wanted in {pair.slug, pair.chapter}]
    if not found:
        raise unknown("notebook", name, [pair.slug for pair in pairs])
    exact = [pair for pair in found if pair.slug == wanted]
    if len(exact or found) > 1:
        slugs = ", ".join(pair.slug for pair in found)
        raise UnknownNameError(f"notebook: {name!r} could be any of {slugs}; give the whole name.")
    return (exact or found)[0]
