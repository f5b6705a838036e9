"""Check a claim: judge it and its control, show the record, raise unless it stands."""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

from ntk.companion.claims.control import Control
from ntk.companion.claims.numerals import show
from ntk.companion.claims.record import ControlRecord, Record, Verdict
from ntk.companion.claims.render import bundle
from ntk.companion.claims.rules import Rule
from ntk.companion.claims.rules.base import Outcome
from ntk.companion.claims.source import Source, as_sources
from ntk.errors import ClaimFailedError, InvalidTypeError, InvalidValueError


def check(
    id: str,  # noqa: A002 (the name that the record's field has)
    rule: Rule,
    measured: Any,
    predicted: Any = None,
    *,
    statement: str,
    source: str | Source | Sequence[str | Source],
    control: Control | None = None,
    unit: str | None = None,
) -> Record:
    r"""Judge a measurement by a rule, show the record, and raise unless the claim stands.

    In a notebook the record becomes the cell's output, with MIME type
    ``application/vnd.ntk.claim+json`` beside a readable table: the ledger is made of these.

    Parameters
    ----------
    id : str
        Name of the claim, unique in the book: lower-case words joined by hyphens.
    rule : Rule
        Acceptance rule, such as ``claims.Identity(1e-12)``.
    measured : array_like or Scaling
        What came out; its form is the rule's.
    predicted : array_like
        What the theory says. Only an open claim may go without.
    statement : str
        The claim in a sentence; mathematics between dollar signs.
    source : str, Source, or a sequence of these
        Where the claim comes from.
    control : Control
        Something to which the same rule must say no. Every rule that can fail needs one.
    unit : str, optional
        Unit of the numbers, unless the rule records them in one of its own.

    Returns
    -------
    Record
        The record, if the claim stands.

    Raises
    ------
    ClaimFailedError
        If the rule says no, the control is missing, or the rule does not say no to the control.
        The record is shown first.
    NTKError
        If an argument cannot be judged at all; nothing is shown then.

    Examples
    --------
    >>> from ntk.companion import claims
    >>> record = claims.check(
    ...     "geometric-sum",
    ...     claims.Identity(1e-12),
    ...     measured=sum(0.5**k for k in range(60)),
    ...     predicted=2.0,
    ...     statement=r"$\sum_k 2^{-k} = 2$",
    ...     source="Euclid, Elements IX, 35",
    ...     control=claims.Control("first term left out", sum(0.5**k for k in range(1, 60))),
    ... )
    >>> record.verdict, record.control.rejected
    ('pass', True)
    """
    if not isinstance(rule, Rule):
        raise InvalidTypeError(f"rule must be a rule such as claims.Identity(1e-12), got {rule!r}")
    if predicted is None and rule.can_fail:
        raise InvalidTypeError(f"predicted is missing; '{rule.describe()}' compares with it")
    outcome = rule.judge(measured, predicted)
    judged = _judge_control(rule, control, predicted)
    verdict: Verdict = "open"
    if rule.can_fail:
        verdict = "pass" if outcome.passed and judged and judged.rejected else "fail"
    numbers = dataclasses.replace(outcome.numbers, unit=outcome.numbers.unit or unit)
    record = Record(id, verdict, rule, numbers, statement, as_sources(source), judged)
    _display(record)
    if verdict == "fail":
        raise ClaimFailedError(_failure(record, outcome))
    return record


def _judge_control(rule: Rule, control: Any, predicted: Any) -> ControlRecord | None:
    if control is None:
        return None
    if not isinstance(control, Control):
        raise InvalidTypeError(
            f"control must be a claims.Control(what, measured), got {type(control).__name__}"
        )
    if not rule.can_fail:
        raise InvalidValueError("an open claim rejects nothing; leave its control out")
    against = predicted if control.predicted is None else control.predicted
    try:
        outcome = rule.judge(control.measured, against)
    except (TypeError, ValueError) as error:
        error.add_note(f"This came from the negative control: {control.what}")
        raise
    numbers = outcome.numbers
    return ControlRecord(control.what, numbers.measured, numbers.predicted, not outcome.passed)


def _failure(record: Record, outcome: Outcome) -> str:
    reasons = []
    if not outcome.passed:
        reasons.append(outcome.margin)
    if record.control is None:
        reasons.append(
            "it has no negative control: pass control=claims.Control(what, measured), "
            "something to which the same check must say no"
        )
    elif not record.control.rejected:
        reasons.append(
            f"its negative control passed too ({record.control.what}: measured "
            f"{show(record.control.measured)}, predicted {show(record.control.predicted)}), "
            "so that the check cannot tell right from wrong"
        )
    return (
        f"claim '{record.id}' does not stand: {'; '.join(reasons)}. "
        f"Rule: {record.rule.describe()}; measured {show(record.measured)}, "
        f"predicted {show(record.predicted)}."
    )


def _display(record: Record) -> None:
    # Without IPython in this process there is nobody to show it to, and no need to import it.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None:
        shell.display_pub.publish(data=bundle(record))
