"""Profiles: named sets of parameters, `fast` for the pages and `full` for the papers' scale."""

from collections.abc import Mapping
from typing import Any

import yaml

from ntk.companion.book.project import Pair, Project
from ntk.companion.runs.naming import unknown
from ntk.companion.runs.parameters import Value, check
from ntk.errors import InvalidTypeError, InvalidValueError, NTKError, UnknownNameError

__all__ = ["FAST", "names", "profile_parameters", "resolve"]

FAST = "fast"
"""The profile of the parameters cells themselves."""


def names(project: Project) -> list[str]:
    """Return the profiles of a checkout."""
    files = (project.notebooks / "profiles").glob("*.yaml")
    return sorted({FAST, *(path.stem for path in files)})


def profile_parameters(
    project: Project, pair: Pair, profile: str, defaults: Mapping[str, Value]
) -> dict[str, Value]:
    """Return the parameters that a profile sets for a notebook.

    Parameters
    ----------
    project, pair
        The checkout and the notebook.
    profile
        Name of a file in `notebooks/profiles`.
    defaults
        The notebook's own parameters. They are the profile `fast`, written there or not.

    Raises
    ------
    UnknownNameError
        There is no such profile, it says nothing about the notebook, or names a parameter that the
        notebook does not have.
    InvalidTypeError, InvalidValueError
        A value has the wrong type, or the file is not a mapping of mappings.
    """
    if profile not in names(project):
        raise unknown("profile", profile, names(project))
    path = project.notebooks / "profiles" / f"{profile}.yaml"
    chapters = _read(path.read_text(encoding="utf-8"), path.name) if path.is_file() else {}
    if pair.slug not in chapters:
        if profile == FAST:
            return {}
        known = ", ".join(chapters) or "none"
        raise UnknownNameError(
            f"profile: {profile!r} has no parameters for {pair.slug} (it has some for: {known}); "
            f"add them to {project.show(path)} or give them with -p."
        )
    try:
        return {name: check(name, value, defaults) for name, value in chapters[pair.slug].items()}
    except NTKError as error:
        error.add_note(f"This stands in {project.show(path)}, under {pair.slug}.")
        raise


def resolve(
    defaults: Mapping[str, Value], profile: Mapping[str, Value], own: Mapping[str, Value]
) -> dict[str, Value]:
    """Return all parameters of a run: one's own before the profile's before the defaults.

    Examples
    --------
    >>> resolve({"width": 64, "seeds": 8}, {"width": 512}, {"seeds": 2})
    {'width': 512, 'seeds': 2}
    """
    return {**defaults, **profile, **own}


def _read(text: str, name: str) -> dict[str, dict[str, Any]]:
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InvalidValueError(f"profile: {name} is not YAML: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
        raise InvalidTypeError(
            f"profile: {name} must map each notebook's name to a mapping of parameters."
        )
    return content
