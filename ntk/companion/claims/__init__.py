"""The claims ledger: check a claim of the book by a stated rule, and read the checks back.

In a notebook::

    from ntk.companion import claims

    claims.check(id, rule, measured, predicted, statement=..., source=..., control=...)

The ledger is the set of the records that these calls leave among the outputs.
"""

from ntk.companion.claims.checking import check
from ntk.companion.claims.control import Control
from ntk.companion.claims.ledger import Entry, Ledger, read
from ntk.companion.claims.record import MIME, ControlRecord, Record
from ntk.companion.claims.rules import (
    Identity,
    Inequality,
    Limit,
    MonteCarlo,
    Numbers,
    Open,
    Rule,
    Slope,
)
from ntk.companion.claims.scaling import Scaling
from ntk.companion.claims.source import Source
from ntk.errors import ClaimFailedError

__all__ = [
    "MIME",
    "ClaimFailedError",
    "Control",
    "ControlRecord",
    "Entry",
    "Identity",
    "Inequality",
    "Ledger",
    "Limit",
    "MonteCarlo",
    "Numbers",
    "Open",
    "Record",
    "Rule",
    "Scaling",
    "Slope",
    "Source",
    "check",
    "read",
]
