"""The acceptance rules, by the kind that a record names."""

from collections.abc import Mapping
from typing import Any

from ntk.companion.claims.rules.base import Numbers, Outcome, Rule
from ntk.companion.claims.rules.identity import Identity
from ntk.companion.claims.rules.inequality import Inequality
from ntk.companion.claims.rules.limit import Limit
from ntk.companion.claims.rules.monte_carlo import MonteCarlo
from ntk.companion.claims.rules.open import Open
from ntk.companion.claims.rules.slope import Slope
from ntk.errors import UnknownNameError

RULES: dict[str, type[Rule]] = {
    rule.kind: rule for rule in (Identity, MonteCarlo, Slope, Limit, Inequality, Open)
}


def rule_from(kind: str, parameters: Mapping[str, Any]) -> Rule:
    """Return the rule that a record names by its kind and parameters.

    Examples
    --------
    >>> rule_from("identity", {"tolerance": 1e-10})
    Identity(tolerance=1e-10)
    """
    if kind not in RULES:
        raise UnknownNameError(f"kind is {kind!r}; the rules are {', '.join(RULES)}")
    return RULES[kind].from_parameters(parameters)


__all__ = [
    "RULES",
    "Identity",
    "Inequality",
    "Limit",
    "MonteCarlo",
    "Numbers",
    "Open",
    "Outcome",
    "Rule",
    "Slope",
    "rule_from",
]
