"""Numbers as the page shows them."""

from collections.abc import Mapping
from typing import Any

from benchmarks import record as records


def number(value: float, digits: int = 2) -> str:
    """Return a number with so many significant digits, never in powers of ten.

    Examples
    --------
    >>> number(16.66), number(0.01234), number(356.2)
    ('17', '0.012', '356')
    """
    return (
        f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{float(f'{value:.{digits}g}'):g}"
    )


def span(ratios: list[float]) -> str:
    """Return the least and the greatest of some numbers, as a piece of a sentence."""
    low, high = number(min(ratios)), number(max(ratios))
    return low if low == high else f"{low} to {high}"


def power(value: float) -> str:
    r"""Return a small number in powers of ten, as the page's markup has it.

    Examples
    --------
    >>> power(1.234e-05)
    '$1.2 \\times 10^{-5}$'
    """
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$"


def measured(record: Mapping[str, Any], side: str) -> list[Mapping[str, Any]]:
    """Return the cases in which ours and another side were measured."""
    return [
        case
        for case in record["cases"]
        if records.available(case, "ours") and records.available(case, side)
    ]


def ratios(record: Mapping[str, Any], side: str) -> list[float]:
    """Return how many times a side's time is ours, case by case."""
    return [records.ratio(case, side).middle for case in measured(record, side)]
