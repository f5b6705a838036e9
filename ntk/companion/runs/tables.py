"""Claims, runs and sweeps as tables for a terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ntk.companion.claims import Record
from ntk.companion.claims.numerals import show
from ntk.companion.claims.render import measured_text, with_unit
from ntk.companion.runs.compare import Difference
from ntk.companion.runs.record import Run

__all__ = [
    "claims_passed",
    "claims_table",
    "comparison",
    "console",
    "duration",
    "points_table",
    "runs_table",
]

# Lines are not broken at the width of a terminal, so that paths stay whole; tables are. Where there
# is none they get room, since a file has no edge.
console = Console(soft_wrap=True, highlight=False, width=None if Console().is_terminal else 140)

COLOURS = {
    "pass": "green",
    "fail": "bold red",
    "open": "yellow",
    "done": "green",
    "failed": "bold red",
    "interrupted": "yellow",
    "running": "cyan",
}


def claims_table(records: Iterable[Record], title: str | None = None) -> Table:
    """Return the claims of a ledger, one a row.

    Parameters
    ----------
    records
        The claims.
    title
        What they are the claims of.
    """
    table = Table(
        Column("claim", no_wrap=True), "rule", "predicted", "measured", "verdict", title=title
    )
    for record in records:
        table.add_row(
            record.id,
            record.rule.describe(),
            with_unit(_short(record.predicted), record.numbers.unit) if _one(record) else "several",
            measured_text(record) if _one(record) else f"{len(_values(record))} numbers",
            _coloured(record.verdict),
        )
    return table


def comparison(differences: Sequence[Difference], run: str) -> Table:
    """Return a run's claims beside the book's, with the differences marked.

    Parameters
    ----------
    differences
        What :func:`~ntk.companion.runs.compare.compare` returned.
    run
        What the run is called.
    """
    table = Table("", Column("claim", no_wrap=True), "book", run, "may differ by", "differs in")
    for difference in differences:
        book, own = difference.book, difference.run
        table.add_row(
            Text("≠", "bold red") if difference.fields else Text("=", "green"),
            difference.id,
            _result(book),
            _result(own),
            "" if book is None else show(book.within, ".2g"),
            Text(", ".join(difference.fields), "bold red"),
        )
    return table


def runs_table(runs: Iterable[Run]) -> Table:
    """Return runs, one a row.

    Parameters
    ----------
    runs
        The runs.
    """
    table = Table(
        Column("run", no_wrap=True),
        "notebook",
        "profile",
        "own parameters",
        "status",
        "time",
        "claims",
    )
    for run in runs:
        data = run.data
        own = ", ".join(f"{name}={value}" for name, value in data["own"].items())
        table.add_row(run.name, data["notebook"], data["profile"], own, *_outcome(run))
    return table


def points_table(points: Iterable[tuple[dict[str, Any], Run | None]], title: str) -> Table:
    """Return the points of a sweep with what became of each.

    Parameters
    ----------
    points
        Parameters, and the run that belongs to them if there is one.
    title
        What was swept.
    """
    points = list(points)
    names = list(points[0][0]) if points else []
    run = Column("run", no_wrap=True)
    table = Table(*names, "status", "time", "claims", run, title=title)
    for values, found in points:
        cells = [str(value) for value in values.values()]
        outcome = ("not run", "", "") if found is None else _outcome(found)
        table.add_row(*cells, *outcome, "" if found is None else found.name)
    return table


def claims_passed(run: Run) -> str:
    """Return how many of a run's claims passed, such as ``7 of 8, 1 open``."""
    verdicts = [claim["verdict"] for claim in run.data.get("claims", [])]
    judged = [verdict for verdict in verdicts if verdict != "open"]
    text = f"{judged.count('pass')} of {len(judged)}"
    still_open = len(verdicts) - len(judged)
    return text + (f", {still_open} open" if still_open else "")


def duration(seconds: float) -> str:
    """Return a time as it is read.

    Examples
    --------
    >>> duration(3.21), duration(75.0), duration(7500.0)
    ('3.2 s', '1 min 15 s', '2 h 5 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _outcome(run: Run) -> tuple[Text, str, str]:
    ended = "seconds" in run.data
    status = _coloured(run.status)
    if run.status == "failed":
        status.append(f" ({run.data['error']['kind']})")
    time = duration(run.data["seconds"]) if ended else ""
    return status, time, claims_passed(run) if ended else ""


def _result(record: Record | None) -> Text:
    if record is None:
        return Text("none", "dim")
    measured = measured_text(record) if _one(record) else f"{len(_values(record))} numbers"
    return Text(f"{measured}: ").append_text(_coloured(record.verdict))


def _coloured(word: str) -> Text:
    return Text(word, COLOURS.get(word, ""))


def _one(record: Record) -> bool:
    """Whether a record's numbers are few enough for a cell of a table."""
    return len(_values(record)) <= 4


def _values(record: Record) -> tuple[float, ...]:
    measured = record.measured
    return measured if isinstance(measured, tuple) else (measured,)


def _short(value: Any) -> Any:
    return value if not isinstance(value, tuple) or len(value) <= 4 else value[:4]
