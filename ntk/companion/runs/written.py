"""Parameters as they are written on a command line: `width=64`, `widths=[64, 128]`."""

import ast
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ntk.companion.runs.naming import unknown
from ntk.companion.runs.parameters import Value, check, describe
from ntk.errors import InvalidTypeError, InvalidValueError

__all__ = ["grid_values", "parse", "split"]


def parse(name: str, text: str, defaults: Mapping[str, Value]) -> Value:
    """Return the value that a user wrote for a parameter.

    Parameters
    ----------
    name, text
        The two sides of ``name=text``. A text parameter needs no quotes.
    defaults
        All parameters of the notebook.

    Raises
    ------
    UnknownNameError, InvalidTypeError
        As for :func:`check`.
    InvalidValueError
        The text is not a plain value.

    Examples
    --------
    >>> parse("widths", "[64, 128]", {"widths": [256]}), parse("name", "erf", {"name": "relu"})
    ([64, 128], 'erf')
    """
    if name not in defaults:
        raise unknown("parameter", name, defaults)
    default = defaults[name]
    if isinstance(default, str):
        try:
            read = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            read = text
        return read if isinstance(read, str) else text
    return check(name, _literal(name, text, describe(default), _written(default)), defaults)


def grid_values(name: str, text: str, defaults: Mapping[str, Value]) -> list[Value]:
    """Return the values that a sweep tries for a parameter, each once.

    Parameters
    ----------
    name, text
        The two sides of ``name=[value, value, ...]``; a list of lists if the parameter is a list.
    defaults
        All parameters of the notebook.

    Raises
    ------
    UnknownNameError, InvalidTypeError, InvalidValueError
        As for :func:`parse`; also if there is no value at all.

    Examples
    --------
    >>> grid_values("width", "[64, 128, 64]", {"width": 256})
    [64, 128]
    """
    if name not in defaults:
        raise unknown("parameter", name, defaults)
    default = defaults[name]
    kind, example = f"a list of values, each {describe(default)}", f"[{_written(default)}]"
    values = _literal(name, text, kind, example)
    if not isinstance(values, list | tuple) or not values:
        raise InvalidTypeError(
            f"{name}: got {text}, a sweep takes {kind}: -p {name}='[{text}]' for this one alone."
        )
    if isinstance(default, list) and not all(isinstance(value, list | tuple) for value in values):
        raise InvalidTypeError(
            f"{name}: got {text}, but each of its values is itself a list; a sweep takes a list of "
            f"lists: -p {name}='[{text}]' for this one alone."
        )
    taken = [check(name, value, defaults) for value in values]
    return list({json.dumps(value): value for value in taken}.values())


def split(pairs: Iterable[str]) -> dict[str, str]:
    """Return what was written as ``name=value``, by name.

    Raises
    ------
    InvalidValueError
        There is no equals sign, or a name stands twice.

    Examples
    --------
    >>> split(["width=64"])
    {'width': '64'}
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip()
        if not equals or not name:
            raise InvalidValueError(
                f"-p: got {pair!r}, expected NAME=VALUE without spaces around the equals sign, "
                "such as -p width=64."
            )
        if name in found:
            raise InvalidValueError(
                f"-p: {name} is given twice, {found[name]} and {text}; leave one out."
            )
        found[name] = text.strip()
    return found


def _literal(name: str, text: str, kind: str, example: str) -> Any:
    plain = {"true": "True", "false": "False"}.get(text.lower(), text)
    try:
        return ast.literal_eval(plain)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return json.loads(text)  # [true, false], as in the profiles
    except ValueError:
        raise InvalidValueError(
            f"{name}: {text!r} cannot be read as {kind}; write for example "
            f"-p {name}={_quoted(example)}."
        ) from None


def _written(default: Value) -> str:
    return repr(default).replace("'", '"')


def _quoted(text: str) -> str:
    return f"'{text}'" if any(sign in text for sign in "[ \"'") else text
