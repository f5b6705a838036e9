"""How a record looks as a cell's output: a small table, and the same in plain characters."""

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from ntk.companion.claims.numerals import Value, show
from ntk.companion.claims.plain import SIZES
from ntk.companion.claims.record import MIME, Record

Write = Callable[..., str]
"""How numbers are written: `show` or `typeset`."""


def bundle(record: Record) -> dict[str, Any]:
    """Return the MIME bundle of a record: the record itself, a table, plain text."""
    return {MIME: record.to_json(), "text/html": as_html(record), "text/plain": as_text(record)}


def as_text(record: Record) -> str:
    """Return the record as aligned lines."""
    lines = [f"claim {record.id}: {record.verdict}"]
    lines += [f"  {name + ':':<11}{value}" for name, value, _ in _rows(record)]
    return "\n".join(lines)


def as_html(record: Record) -> str:
    """Return the record as an HTML table; mathematics stays between its dollar signs."""
    rows = [
        f'<tr><th scope="row">{name}</th><td class="ntk-{kind}">{escape(value)}</td></tr>'
        for name, value, kind in _rows(record)
    ]
    caption = f"Claim <code>{record.id}</code>: <strong>{record.verdict}</strong>"
    table = f'<table class="ntk-claim ntk-claim-{record.verdict}">'
    return "\n".join([table, f"<caption>{caption}</caption>", *rows, "</table>"])


def measured_text(record: Record, write: Write = show) -> str:
    """Return the measured number with its interval or standard error."""
    text = with_unit(record.measured, record.numbers.unit, write)
    if record.interval is not None:
        return f"{text}, interval [{write(record.interval)}]"
    if record.rule.kind == "monte-carlo" and record.numbers.unit is None:
        return f"{text} (standard error {write(record.within, '.2g')})"
    return text


def rule_text(record: Record) -> str:
    """Return the rule with the sizes of the sample, such as "200 replicates"."""
    parts = []
    # In an order of its own: a saved notebook sorts the record's keys.
    sample = record.numbers.sample
    for name in (name for name in SIZES if name in sample):
        size = sample[name]
        if isinstance(size, bool):
            parts += [name] if size else []
        elif name != "entries" or size > 1:
            parts.append(f"{size} {name}")
    return record.rule.describe() + (f" ({', '.join(parts)})" if parts else "")


def control_text(record: Record, write: Write = show) -> str:
    """Return the negative control in a line."""
    control = record.control
    if control is None:
        return "none" if record.rule.can_fail else "not needed"
    outcome = "rejected" if control.rejected else "NOT REJECTED"
    against = ""
    if control.predicted is not None and control.predicted != record.predicted:
        against = f" against {write(control.predicted)}"
    return f"{control.what}: {write(control.measured)}{against}, {outcome}"


def with_unit(value: Value | None, unit: str | None, write: Write = show) -> str:
    """Return a number with its unit, if it has one."""
    return f"{write(value)} {unit}" if unit and value is not None else write(value)


def _rows(record: Record) -> Iterator[tuple[str, str, str]]:
    yield "Statement", record.statement, "statement"
    yield "Rule", rule_text(record), "rule"
    yield "Predicted", with_unit(record.predicted, record.numbers.unit), "predicted"
    yield "Measured", measured_text(record), "measured"
    yield "Verdict", record.verdict, "verdict"
    yield "Control", control_text(record), "control"
    yield "Source", record.source, "source"
