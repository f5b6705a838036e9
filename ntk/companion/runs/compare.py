"""A run against the book: which claims came out differently."""

from dataclasses import dataclass

from ntk.companion.claims import Ledger, Record
from ntk.companion.claims.numerals import Value, each
from ntk.companion.claims.plain import same_shape

__all__ = ["Difference", "compare"]

# Numbers that were printed and read again agree to this share of themselves.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Difference:
    """A claim of the book beside the same claim of a run.

    Parameters
    ----------
    id
        The claim.
    book, run
        The two records; None where the claim is missing.
    fields
        What differs; empty if the run agrees with the book.
    """

    id: str
    book: Record | None
    run: Record | None
    fields: tuple[str, ...]


def compare(book: Ledger, run: Ledger) -> list[Difference]:
    """Compare the claims of a run with those of the book, in the book's order.

    Rule, prediction and verdict have to be the same, and the measured number within the book's own
    ``within``: it may drift that far on another machine.

    Parameters
    ----------
    book
        The claims of the same notebook as it is committed.
    run
        The claims of the run.

    Returns
    -------
    list of Difference
        One entry a claim, agreeing or not.
    """
    ours = {entry.record.id: entry.record for entry in book}
    theirs = {entry.record.id: entry.record for entry in run}
    found = []
    for claim in dict.fromkeys([*ours, *theirs]):
        old, new = ours.get(claim), theirs.get(claim)
        if old is None:
            fields: tuple[str, ...] = ("not in the book",)
        elif new is None:
            fields = ("not in the run",)
        else:
            fields = tuple(_fields(old, new))
        found.append(Difference(claim, old, new, fields))
    return found


def _fields(book: Record, run: Record) -> list[str]:
    fields = []
    if book.verdict != run.verdict:
        fields.append("verdict")
    if not _near(book.measured, run.measured, book.within):
        fields.append("measured")
    if not _near(book.predicted, run.predicted, 0.0):
        fields.append("predicted")
    if book.rule.describe() != run.rule.describe():
        fields.append("rule")
    return fields


def _near(one: Value | None, other: Value | None, within: Value) -> bool:
    if not same_shape(one, other):
        return False
    if one is None or other is None:
        return True
    allowed = each(within)
    # One tolerance for all entries, or one for each.
    allowed = allowed if len(allowed) == len(each(one)) else (max(allowed),) * len(each(one))
    return all(
        abs(a - b) <= max(limit, ROUNDING * abs(a))
        for a, b, limit in zip(each(one), each(other), allowed, strict=True)
    )
