"""A notebook's parameters: their names, defaults and types are those of its parameters cell.

papermill only prints a message about a parameter that no cell knows, and passes on a value of any
type; the run would then silently be another one than was asked for. So both are checked before.
"""

import ast
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from ntk.companion.runs.naming import unknown
from ntk.errors import InvalidTypeError, InvalidValueError

__all__ = ["Value", "check", "describe", "read_parameters"]

Value: TypeAlias = bool | int | float | str | list[Any]
"""What a parameter can be: plain values and lists of these."""

TAG = "parameters"


def read_parameters(notebook: Any) -> dict[str, Value]:
    """Return the parameters of a notebook with their defaults, in the order of the cell.

    Parameters
    ----------
    notebook
        A parsed notebook.

    Raises
    ------
    InvalidValueError
        The cell holds something else than plain assignments of plain values.
    """
    defaults: dict[str, Value] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or TAG not in cell.metadata.get("tags", []):
            continue
        for statement in ast.parse(cell.source).body:
            name, value = _assignment(statement)
            defaults[name] = value
    return defaults


def check(name: str, value: Any, defaults: Mapping[str, Value]) -> Value:
    """Return a value as its parameter takes it: an int as a float where the default is one.

    Parameters
    ----------
    name, value
        What came.
    defaults
        All parameters of the notebook.

    Raises
    ------
    UnknownNameError
        The notebook has no such parameter.
    InvalidTypeError
        The value has another type than the default.

    Examples
    --------
    >>> check("time", 2, {"time": 0.5})
    2.0
    """
    if name not in defaults:
        raise unknown("parameter", name, defaults)
    default = defaults[name]
    taken = _fit(value, default)
    if taken is None:
        raise InvalidTypeError(
            f"{name}: got {value!r}, expected {describe(default)} like the default {default!r}."
        )
    return taken


def describe(default: Value) -> str:
    """Return the type of a parameter in words.

    Examples
    --------
    >>> describe(3), describe([0.5]), describe([[1]])
    ('int', 'list of float', 'list of list of int')
    """
    if not isinstance(default, list):
        return type(default).__name__
    kinds = list(dict.fromkeys(describe(entry) for entry in default))
    return f"list of {' or '.join(kinds)}" if kinds else "list"


def _assignment(statement: ast.stmt) -> tuple[str, Value]:
    """Return name and value of `name = value`, with or without an annotation."""
    target: ast.expr | None = None
    value: ast.expr | None = None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign):
        target, value = statement.target, statement.value
    if isinstance(target, ast.Name) and value is not None:
        try:
            literal = ast.literal_eval(value)
        except ValueError:
            literal = None
        if _plain(literal):
            return target.id, literal
    raise InvalidValueError(
        f"the parameters cell holds `{ast.unparse(statement)}`; it may only assign plain values "
        "(int, float, str, bool) and lists of these to names."
    )


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_plain(entry) for entry in value)
    return isinstance(value, bool | int | float | str)


def _fit(value: Any, default: Value) -> Value | None:
    """Return the value in the type of the default, None if it does not fit."""
    if isinstance(default, list):
        if not isinstance(value, list | tuple):
            return None
        if not default:
            return list(value) if all(map(_plain, value)) else None
        # Ints first: among the defaults [1, 0.5] an int stays what it is.
        kinds = sorted(default, key=lambda entry: not isinstance(entry, int))
        fits = [[_fit(entry, kind) for kind in kinds] for entry in value]
        taken = [next((f for f in fit if f is not None), None) for fit in fits]
        return None if None in taken else taken
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value
