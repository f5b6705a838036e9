"""Let nbval compare the records of claims as numbers, and everything else as it does.

nbval compares outputs as text, so that the last digit of another BLAS would fail a notebook.
After `install`, the outputs of `check` are taken out of that comparison and compared field by
field: id, rule, prediction, verdict and all words exactly, the measured numbers within the
committed record's own ``within``. The committed table and text must be what the committed record
renders to, so that a digit changed by hand in any of the three is caught. The numbers of a plot may
differ by what nobody sees.
"""

import functools
import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from ntk.companion.claims.numerals import Value, each
from ntk.companion.claims.plain import same_shape
from ntk.companion.claims.plots import plot_differences, without_plots
from ntk.companion.claims.record import MIME, ControlRecord, Record
from ntk.companion.claims.render import bundle
from ntk.errors import NTKError

_ROUNDING = 1e-9
_SPREAD = 0.1
_DRIFTING = {"measured", "interval", "within", "predicted", "control"}


def install() -> None:
    """Wrap nbval's comparison of a cell's outputs; a second call changes nothing.

    Call it in ``conftest.py``.

    Examples
    --------
    >>> install()
    """
    cell = importlib.import_module("nbval.plugin").IPyNbCell
    original = cell.compare_outputs
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def compare_outputs(self: Any, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        new, new_others = _split(test)
        committed, committed_others = _split(ref)
        new_plots, new_others = without_plots(new_others)
        committed_plots, committed_others = without_plots(committed_others)
        same = bool(original(self, new_others, committed_others, skip_compare))
        found = differences(new, committed) + plot_differences(new_plots, committed_plots)
        self.comparison_traceback.extend(found)
        return same and not found

    cell.compare_outputs = compare_outputs


def differences(new: Sequence[Any], committed: Sequence[Any]) -> list[str]:
    """Return what differs between the MIME bundles of claims, rerun and committed.

    Parameters
    ----------
    new, committed : sequence of MIME bundles
        The claims of one cell, in their order.

    Returns
    -------
    list of str
        A sentence for each difference that no drift explains.

    Examples
    --------
    >>> differences([], [])
    []
    """
    if len(new) != len(committed):
        return [f"{len(committed)} claims in the notebook, {len(new)} when run again"]
    return [s for pair in zip(new, committed, strict=True) for s in _differences(*pair)]


def _split(outputs: Any) -> tuple[list[Any], list[Any]]:
    claims = [o["data"] for o in outputs if MIME in o.get("data", {})]
    return claims, [o for o in outputs if MIME not in o.get("data", {})]


def _differences(new: Any, committed: Any) -> Iterator[str]:
    try:
        again, record = Record.from_json(new[MIME]), Record.from_json(committed[MIME])
    except NTKError as error:
        yield f"malformed record: {error}"
        return
    name = f"claim '{record.id}'"
    if contradiction := record.contradiction():
        yield f"{name}: {contradiction}"
    rendered = bundle(record)
    for mime in sorted(set(rendered) | set(committed)):
        if mime != MIME and rendered.get(mime) != committed.get(mime):
            yield f"{name}: the notebook's {mime} is not what its record renders to"
    one, other = again.to_json(), record.to_json()
    for field in sorted(set(one) - _DRIFTING):
        if one[field] != other[field]:
            yield f"{name}: {field} is {other[field]!r} in the notebook, now {one[field]!r}"
    yield from _moved(name, "predicted", again.predicted, record.predicted, 0.0)
    yield from _moved(name, "within", again.within, record.within, 0.0, _SPREAD)
    yield from _moved(name, "measured", again.measured, record.measured, record.within)
    yield from _moved(name, "interval", again.interval, record.interval, record.within)
    yield from _control(name, again.control, record.control, record.within)


def _control(
    name: str, new: ControlRecord | None, committed: ControlRecord | None, within: Value
) -> Iterator[str]:
    if new is None or committed is None:
        if new is not committed:
            yield f"{name}: the control is {committed} in the notebook, now {new}"
        return
    for field in ("what", "rejected"):
        one, other = getattr(new, field), getattr(committed, field)
        if one != other:
            yield f"{name}: control.{field} is {other!r} in the notebook, now {one!r}"
    loose = tuple(10 * w for w in each(within))
    yield from _moved(name, "control.predicted", new.predicted, committed.predicted, 0.0)
    # A control is only there to be far off, so that its own digits matter less.
    yield from _moved(name, "control.measured", new.measured, committed.measured, loose, _SPREAD)


def _moved(
    name: str,
    field: str,
    new: Value | None,
    committed: Value | None,
    within: Value,
    relative: float = _ROUNDING,
) -> Iterator[str]:
    """Yield a sentence if a number moved by more than `within` and the relative share."""
    if not same_shape(new, committed):
        yield f"{name}: {field} is {committed} in the notebook, now {new}"
        return
    if new is None or committed is None:
        return
    allowed = each(within)
    for i, (one, other) in enumerate(zip(each(new), each(committed), strict=True)):
        limit = max(allowed[i] if i < len(allowed) else max(allowed), relative * abs(other))
        if abs(one - other) > limit:
            yield (
                f"{name}: {field} is {other!r} in the notebook, now {one!r}; "
                f"they may differ by {limit:.3g}"
            )
