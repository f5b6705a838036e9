"""The values of a record: numbers to JSON and back, and its fields by name and type."""

from typing import Any

from ntk.companion.claims.numerals import Value, all_finite, each
from ntk.errors import InvalidTypeError, InvalidValueError

SIZES = ("values", "points", "seeds", "replicates", "entries", "paired")
"""The sizes of a sample that a rule may record, in the order in which they are read."""

FIELDS = {
    *("id", "verdict", "rule", "kind", "parameters", "predicted", "measured", "within"),
    *("interval", "unit", "sample", "statement", "source", "sources", "control"),
}


def require_fields(data: Any) -> None:
    """Raise unless a dictionary has the fields of a record, of the right types."""
    if not isinstance(data, dict):
        raise InvalidTypeError(f"a record must be a JSON object, got {type(data).__name__}")
    missing, unknown = FIELDS - set(data), set(data) - FIELDS
    if missing or unknown:
        raise InvalidValueError(
            f"the record lacks the fields {sorted(missing)} and has unknown ones "
            f"{sorted(unknown)}; let claims.check write it"
        )
    for name in ("id", "rule", "kind", "statement", "source"):
        if not isinstance(data[name], str):
            raise InvalidTypeError(f"{name} must be a string, got {data[name]!r}")
    for name, kind in (("parameters", dict), ("sample", dict), ("sources", list)):
        if not isinstance(data[name], kind):
            raise InvalidTypeError(f"{name} must be a {kind.__name__}, got {data[name]!r}")
    for name, size in data["sample"].items():
        if name not in SIZES or not isinstance(size, int):
            raise InvalidValueError(
                f"sample may hold whole numbers for {', '.join(SIZES)}, got {name}: {size!r}"
            )
    if data["verdict"] not in ("pass", "fail", "open"):
        raise InvalidValueError(
            f"verdict must be 'pass', 'fail' or 'open', got {data['verdict']!r}"
        )


def to_json(value: Value | None) -> float | list[float] | None:
    """Return a value as JSON holds it."""
    return list(value) if isinstance(value, tuple) else value


def from_json(value: Any, name: str) -> Value | None:
    """Return the value that JSON holds, or say what is wrong with it."""
    if value is None:
        return None
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        if isinstance(entry, bool) or not isinstance(entry, int | float):
            raise InvalidTypeError(f"{name} must be numbers, got {value!r}")
    if not entries or not all_finite(entries):
        raise InvalidValueError(f"{name} must be finite numbers, got {value!r}")
    numbers = tuple(float(entry) for entry in entries)
    return numbers if isinstance(value, list) else numbers[0]


def same_shape(one: Value | None, other: Value | None) -> bool:
    """Whether two recorded values hold as many numbers each."""
    if one is None or other is None:
        return one is other
    return isinstance(one, tuple) is isinstance(other, tuple) and len(each(one)) == len(each(other))
