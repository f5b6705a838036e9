"""The record of a claim: plain values, from the check to the page and back."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from ntk.companion.claims import plain
from ntk.companion.claims.numerals import Value
from ntk.companion.claims.rules import Numbers, Rule, rule_from
from ntk.companion.claims.source import Source
from ntk.errors import InvalidValueError

MIME = "application/vnd.ntk.claim+json"
"""MIME type of a record among a cell's outputs."""

Verdict = Literal["pass", "fail", "open"]

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class ControlRecord:
    """A negative control as recorded: what it was, its numbers, and whether it was rejected."""

    what: str
    measured: Value
    predicted: Value | None
    rejected: bool


@dataclass(frozen=True)
class Record:
    """One claim with its numbers and its verdict, as `check` returns it.

    Parameters
    ----------
    id : str
        Lower-case words joined by hyphens.
    verdict : {"pass", "fail", "open"}
        The judgement of rule and control together.
    rule : Rule
        The acceptance rule, with its parameters.
    numbers : Numbers
        Measured, predicted, how far measured may drift, interval, unit, sizes of the sample.
    statement : str
        The claim in a sentence; mathematics between dollar signs.
    sources : tuple of Source
        Where the claim comes from.
    control : ControlRecord or None
        The negative control.

    Raises
    ------
    InvalidValueError
        If the id is not made of lower-case words, or the statement is empty.
    """

    id: str
    verdict: Verdict
    rule: Rule
    numbers: Numbers
    statement: str
    sources: tuple[Source, ...]
    control: ControlRecord | None = None

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise InvalidValueError(
                "id must be lower-case words joined by hyphens, such as 'thm1-rate', "
                f"got {self.id!r}"
            )
        if not self.statement.strip():
            raise InvalidValueError(f"statement of '{self.id}' is empty; say what is claimed")

    @property
    def source(self) -> str:
        """All sources as one text."""
        return "; ".join(str(s) for s in self.sources)

    @property
    def measured(self) -> Value:
        """What was measured."""
        return self.numbers.measured

    @property
    def predicted(self) -> Value | None:
        """What was predicted."""
        return self.numbers.predicted

    @property
    def within(self) -> Value:
        """How far the measured number may drift on another machine."""
        return 0.0 if self.numbers.within is None else self.numbers.within

    @property
    def interval(self) -> tuple[float, float] | None:
        """Confidence interval of the measured number, if the rule has one."""
        return self.numbers.interval

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain Python values, ready for JSON."""
        control = self.control
        return {
            "id": self.id,
            "verdict": self.verdict,
            "rule": self.rule.describe(),
            "kind": self.rule.kind,
            "parameters": self.rule.parameters(),
            "predicted": plain.to_json(self.predicted),
            "measured": plain.to_json(self.measured),
            "within": plain.to_json(self.within),
            "interval": plain.to_json(self.interval),
            "unit": self.numbers.unit,
            "sample": dict(self.numbers.sample),
            "statement": self.statement,
            "source": self.source,
            "sources": [
                {"text": str(s), "cite": s.cite, "where": s.where, "seeds": list(s.seeds)}
                | {"label": s.label}
                for s in self.sources
            ],
            "control": None
            if control is None
            else {
                "what": control.what,
                "measured": plain.to_json(control.measured),
                "predicted": plain.to_json(control.predicted),
                "rejected": control.rejected,
            },
        }

    @classmethod
    def from_json(cls, data: Any) -> "Record":
        """Return the record that a dictionary holds, or say what is wrong with it.

        Raises
        ------
        InvalidValueError, InvalidTypeError, UnknownNameError
            If a field is missing, unknown or of the wrong type, or fields contradict each other.
        """
        plain.require_fields(data)
        try:
            rule = rule_from(data["kind"], data["parameters"])
            sources = tuple(
                Source(s["cite"], s["where"], tuple(s["seeds"]), s["label"])
                for s in data["sources"]
            )
            control = _control(data["control"])
        except (TypeError, KeyError) as error:
            raise InvalidValueError(f"rule, sources or control cannot be read: {error}") from error
        interval = plain.from_json(data["interval"], "interval")
        if interval is not None and (not isinstance(interval, tuple) or len(interval) != 2):
            raise InvalidValueError(f"interval must be two numbers, got {data['interval']!r}")
        measured = plain.from_json(data["measured"], "measured")
        within = plain.from_json(data["within"], "within")
        if measured is None or within is None:
            raise InvalidValueError("measured and within must be numbers, got null")
        numbers = Numbers(
            measured,
            plain.from_json(data["predicted"], "predicted"),
            within,
            interval=(interval[0], interval[1]) if isinstance(interval, tuple) else None,
            unit=data["unit"],
            sample=dict(data["sample"]),
        )
        record = cls(
            data["id"], data["verdict"], rule, numbers, data["statement"], sources, control
        )
        for name, derived in (("rule", rule.describe()), ("source", record.source)):
            if data[name] != derived:
                raise InvalidValueError(f"{name} reads {data[name]!r}, its parts say {derived!r}")
        return record

    def contradiction(self) -> str | None:
        """Return how the verdict contradicts the record's own numbers, None if it does not.

        Examples
        --------
        >>> from ntk.companion import claims
        >>> wrong = claims.Control("twice as much", 2.0)
        >>> record = claims.check(
        ...     "one", claims.Identity(), 1.0, 1.0, statement="$1 = 1$", source="-", control=wrong
        ... )
        >>> print(record.contradiction())
        None
        """
        if (self.verdict == "open") is self.rule.can_fail:
            return f"verdict '{self.verdict}' does not go with the rule '{self.rule.describe()}'"
        implied = self.rule.implied(self.numbers)
        if self.verdict == "pass" and implied is False:
            return "verdict 'pass', but the numbers do not meet the rule"
        controlled = self.control is not None and self.control.rejected
        if self.verdict == "fail" and implied is True and controlled:
            return "verdict 'fail', but the numbers meet the rule and the control was rejected"
        if self.verdict == "pass" and self.control is not None:
            if not self.control.rejected:
                return "verdict 'pass', but the control was not rejected"
            if self._control_implied() is True:
                return "the control is called rejected, but its numbers meet the rule"
        return None

    def shortcomings(self) -> list[str]:
        """Return the reasons for which the claim does not stand, none if it does."""
        reasons = ["the verdict is 'fail'"] if self.verdict == "fail" else []
        if self.rule.can_fail and self.control is None:
            reasons.append("it has no negative control")
        elif self.control is not None and not self.control.rejected:
            reasons.append("its negative control was not rejected")
        return reasons

    def _control_implied(self) -> bool | None:
        control = self.control
        if control is None:
            return None
        return self.rule.implied(Numbers(control.measured, control.predicted))

    def _ipython_display_(self) -> None:
        # The check has shown the record; as the last expression of a cell it would be shown,
        # and read by the ledger, a second time.
        return None

    def __str__(self) -> str:
        from ntk.companion.claims.render import as_text  # render needs this class

        return as_text(self)


def _control(data: Any) -> ControlRecord | None:
    if data is None:
        return None
    measured = plain.from_json(data["measured"], "control.measured")
    if measured is None or not isinstance(data["rejected"], bool):
        raise InvalidValueError("a control needs what, measured and rejected (true or false)")
    predicted = plain.from_json(data["predicted"], "control.predicted")
    return ControlRecord(str(data["what"]), measured, predicted, data["rejected"])
