"""A figure with a slider as Plotly takes it: plain lists of rounded numbers, the same each time."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ntk.companion.figures.panel import Curve, Floats
from ntk.companion.figures.style import COLOURS, MARKERS
from ntk.errors import MissingExtraError

MIME = "application/vnd.plotly.v1+json"
"""The type under which notebooks keep a Plotly figure."""

# Between powers of ten Plotly writes a bare 2 or 5, which reads as another number. It does so on
# axes from one to seven powers long: fewer have plain numbers, more have powers only.
_SHORTEST, _LONGEST = 1, 7
_FEWEST_POWERS = 3
_DIGITS = 4
_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
_SHAPES = dict(zip(MARKERS, _SYMBOLS, strict=True))
_GRID = "rgba(128, 128, 128, 0.25)"
_STANDOFF = 12  # pixels from the numbers of an axis to its label


@dataclass(frozen=True)
class Axis:
    """One of the two axes.

    Parameters
    ----------
    label : str
        What it shows.
    limits : tuple of float
        Its ends.
    log : bool
        Whether it is logarithmic.
    """

    label: str
    limits: tuple[float, float]
    log: bool

    @property
    def scale(self) -> str:
        """The name of the scale, the same in matplotlib and in Plotly."""
        return "log" if self.log else "linear"


def plot(
    panels: Sequence[Sequence[Curve]],
    labels: Sequence[str],
    parameter: str,
    start: int,
    axes: tuple[Axis, Axis],
) -> dict[str, Any]:
    """Return the Plotly figure, checked by Plotly itself, as plain dictionaries and lists.

    Parameters
    ----------
    panels : sequence of sequences of Curve
        The curves for each value of the parameter, the same ones each time.
    labels : sequence of str
        The values as they are written.
    parameter : str
        What they are values of.
    start : int
        Which of them comes first.
    axes : tuple of Axis
        The horizontal and the vertical axis.

    Returns
    -------
    dict
        Traces at the start, layout with the slider, and for each value what changes.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    """
    try:
        import plotly.graph_objects as go
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "figures with a slider need plotly, which is not installed; "
            "install the extra: pip install 'ntk-companion[book]'"
        ) from error
    numbers = [[_numbers(curve, axes) for curve in panel] for panel in panels]
    first = numbers[start]
    data = [{**_style(curve), **points} for curve, points in zip(panels[start], first, strict=True)]
    frames = [
        {"name": label, "data": [_changes(*pair) for pair in zip(moved, first, strict=True)]}
        for label, moved in zip(labels, numbers, strict=True)
    ]
    spec = {"data": data, "layout": _layout(labels, parameter, start, axes), "frames": frames}
    go.Figure(spec)  # raises where a property is misspelt or has a wrong value
    return spec


def _style(curve: Curve) -> dict[str, Any]:
    colour = "black" if curve.kind == "theory" else COLOURS[curve.i % len(COLOURS)]
    shared = {"type": "scatter", "name": curve.label}
    if curve.kind == "experiment":
        shape = _SHAPES[MARKERS[curve.i % len(MARKERS)]]
        marker = {"color": colour, "symbol": shape, "size": 7}
        return {**shared, "mode": "markers", "marker": marker}
    dash = "dash" if curve.dashed else "solid"
    return {**shared, "mode": "lines", "line": {"color": colour, "dash": dash, "width": 2}}


def _numbers(curve: Curve, axes: tuple[Axis, Axis]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "x": _rounded(curve.x, axes[0].log),
        "y": _rounded(curve.y, axes[1].log),
    }
    if curve.error is not None:
        bars = {"type": "data", "array": _rounded(curve.error, axes[1].log), "thickness": 1.2}
        found["error_y"] = bars
    return found


def _changes(moved: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """Return what differs from the start; where nothing is drawn twice, nothing is stored twice."""
    return {name: value for name, value in moved.items() if value != first[name]}


def _rounded(values: Floats, log: bool) -> list[float]:
    """Return numbers to four digits: of the largest, or of each for a logarithmic axis."""
    if log:
        return [float(f"{value:.{_DIGITS}g}") for value in values]
    largest = max(map(abs, values.tolist()), default=0.0)
    # Digits of the largest, so that the rounding error of a zero is a zero.
    decimals = 0 if largest == 0 else _DIGITS - 1 - math.floor(math.log10(largest))
    return [round(value, decimals) + 0.0 for value in values.tolist()]


def _layout(
    labels: Sequence[str], parameter: str, start: int, axes: tuple[Axis, Axis]
) -> dict[str, Any]:
    stop = {"mode": "immediate", "transition": {"duration": 0}, "frame": {"duration": 0}}
    steps = [{"label": label, "method": "animate", "args": [[label], stop]} for label in labels]
    slider = {
        "active": start,
        "currentvalue": {"prefix": f"{parameter} = "},
        "pad": {"t": 45},
        "steps": steps,
    }
    return {
        "xaxis": _axis(axes[0]),
        "yaxis": _axis(axes[1]),
        # A finger that scrolls the page must not drag the plot.
        "dragmode": False,
        "font": {"color": "black", "size": 14},
        "height": 400,
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"b": 50, "l": 60, "r": 10, "t": 10},
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "showlegend": True,
        "sliders": [slider],
    }


def _axis(axis: Axis) -> dict[str, Any]:
    ends: Iterable[float] = axis.limits
    if axis.log:
        ends = [math.log10(end) for end in ends]
    return {
        "automargin": True,
        "fixedrange": True,
        "gridcolor": _GRID,
        "linecolor": "black",
        "range": [float(f"{end:.{_DIGITS}g}") for end in ends],
        "showline": True,
        "ticks": "outside",
        "title": {"text": axis.label, "standoff": _STANDOFF},
        "type": axis.scale,
        "zeroline": False,
        **(_ticks(axis.limits) if axis.log else {}),
    }


def _ticks(limits: tuple[float, float]) -> dict[str, Any]:
    """Return the ticks of a logarithmic axis that Plotly would label badly, all in full."""
    low, high = map(math.log10, limits)
    if not _SHORTEST <= high - low < _LONGEST:
        return {}
    powers = range(math.floor(low), math.floor(high) + 1)
    ticks = [float(f"1e{power}") for power in powers]
    if sum(limits[0] <= tick <= limits[1] for tick in ticks) < _FEWEST_POWERS:
        ticks = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    shown = [tick for tick in ticks if limits[0] <= tick <= limits[1]]
    texts = [f"{tick:g}" for tick in shown]
    return {"tickmode": "array", "tickvals": shown, "ticktext": texts}
