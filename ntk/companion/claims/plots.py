"""Plotly figures of a notebook that was run again: the same words, the same numbers to the eye."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

PLOT = "application/vnd.plotly.v1+json"
"""The type under which notebooks keep a Plotly figure."""

# Of the largest number in a list, or in a pair of axis ends: a pixel of the plot.
_PIXEL = 0.003


def without_plots(outputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the figures of a cell's outputs, and the outputs without them.

    Parameters
    ----------
    outputs : sequence of notebook outputs
        Those of one cell; they are left as they are.

    Returns
    -------
    tuple of list
        The Plotly figures, and copies of the outputs that had one.

    Examples
    --------
    >>> without_plots([{"data": {PLOT: {}, "text/plain": "a plot"}}])
    ([{}], [{'data': {'text/plain': 'a plot'}}])
    """
    plots, others = [], []
    for output in outputs:
        left = output
        if PLOT in output.get("data", {}):
            left = copy.deepcopy(output)
            plots.append(left["data"].pop(PLOT))
        others.append(left)
    return plots, others


def plot_differences(new: Sequence[Any], committed: Sequence[Any]) -> list[str]:
    """Return what is to be seen to differ between the figures of a cell, rerun and committed.

    Parameters
    ----------
    new, committed : sequence of dict
        Plotly figures, in their order.

    Returns
    -------
    list of str
        A sentence for each difference.

    Examples
    --------
    >>> plot_differences([{"y": [1.0, 2.0]}], [{"y": [1.0, 2.001]}])
    []
    >>> plot_differences([{"y": [1.0, 2.0]}], [{"y": [1.0, 2.1]}])
    ['the plot differs at y[1]: 2.1 in the notebook, now 2.0']
    """
    if len(new) != len(committed):
        return [f"{len(committed)} plots in the notebook, {len(new)} when run again"]
    pairs = zip(new, committed, strict=True)
    return [f"the plot differs at {text}" for pair in pairs for text in _differences(*pair, "")]


def _differences(new: Any, committed: Any, place: str, scale: float = 0.0) -> Iterator[str]:
    if isinstance(new, dict) and isinstance(committed, dict) and new.keys() == committed.keys():
        for key, value in committed.items():
            yield from _differences(new[key], value, f"{place}.{key}".lstrip("."))
    elif isinstance(new, list) and isinstance(committed, list) and len(new) == len(committed):
        size = max((abs(value) for value in committed if _is_number(value)), default=0.0)
        for i, pair in enumerate(zip(new, committed, strict=True)):
            yield from _differences(*pair, f"{place}[{i}]", size)
    elif _is_number(new) and _is_number(committed):
        if abs(new - committed) > _PIXEL * max(scale, abs(committed)):
            yield f"{place}: {committed} in the notebook, now {new}"
    elif new != committed:
        yield f"{place}: {committed!r} in the notebook, now {new!r}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
