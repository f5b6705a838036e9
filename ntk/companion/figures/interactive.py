"""Figures with a slider: Plotly on the site and in a notebook, a picture on paper."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ntk.companion.figures.panel import Panel
from ntk.companion.figures.plot import MIME, Axis, plot
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError

Real = float | int
Limits = tuple[Real, Real]
Log = Literal["", "x", "y", "xy"]

# The panels of the twin share the width of the column.
_MOST_PANELS = 3


class Interactive:
    """A figure with a slider, as the result of a notebook's cell shows it.

    It is the Plotly figure, of MIME type ``application/vnd.plotly.v1+json``, together with its
    static twin, a PNG. Made by :func:`interactive`.

    Parameters
    ----------
    parameter : str
        What the slider turns.
    labels : sequence of str
        Its values, as they are written.
    plot : dict
        The Plotly figure.
    twin : matplotlib.figure.Figure
        The picture for paper and for pages without scripts.
    """

    def __init__(
        self, parameter: str, labels: Sequence[str], plot: dict[str, Any], twin: Figure
    ) -> None:
        self.parameter, self.labels, self.plot, self.twin = parameter, tuple(labels), plot, twin

    def __repr__(self) -> str:
        """Return what a terminal shows."""
        ends = f"{self.labels[0]} to {self.labels[-1]}"
        return f"<figure with a slider: {self.parameter}, {len(self.labels)} values, {ends}>"

    def png(self) -> bytes:
        """Return the static twin, the same bytes each time."""
        buffer = io.BytesIO()
        self.twin.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        del include, exclude
        picture = base64.b64encode(self.png()).decode("ascii")
        return {MIME: self.plot, "image/png": picture, "text/plain": repr(self)}


def interactive(
    draw: Callable[[Panel, Any], None],
    values: Sequence[Any],
    *,
    parameter: str,
    xlabel: str,
    ylabel: str,
    start: int | None = None,
    shown: Sequence[int] | None = None,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    log: Log = "",
) -> Interactive:
    """Make a figure with a slider: the same curves for each value of a parameter.

    On the site the slider is one of the browser's own, for keyboard, touch and screen readers; in a
    notebook it is Plotly's. Where no script runs there is the static twin, a few values side by
    side. The caption and the alt text are those of the cell, as for any figure. Both drawings write
    their texts, so that these are plain: ``"width n"``, not ``"width $n$"``.

    Parameters
    ----------
    draw : callable
        ``draw(panel, value)`` adds curves with :meth:`Panel.theory`, :meth:`Panel.line` and
        :meth:`Panel.experiment`, the same ones for each value, in the same order.
    values : sequence
        The values of the parameter, two or more, written by ``f"{value:g}"``; texts as they are.
    parameter : str
        Its name, such as ``"width n"``.
    xlabel, ylabel : str
        What the axes show.
    start : int, optional
        Which value comes first, counted from 0; by default the one in the middle.
    shown : sequence of int, optional
        Up to three values for the static twin; by default the first, the start and the last.
    xlim, ylim : tuple of float, optional
        Ends of the axes; by default they hold every curve at every value, so that axes stand still.
    log : {"", "x", "y", "xy"}
        Which axes are logarithmic.

    Returns
    -------
    Interactive
        The figure, to be the last line of a cell.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    InvalidTypeError, InvalidValueError, ShapeError
        If there are fewer than two values, an index is out of range, a text has a dollar sign,
        `draw` draws other curves at one value than at another, or a logarithm is impossible.

    Examples
    --------
    >>> import numpy as np
    >>> from ntk.companion import figures
    >>> x = np.linspace(0, 1, 20)
    >>> figures.interactive(
    ...     lambda panel, power: panel.theory(x, x**power, label="power"),
    ...     [1, 2, 3],
    ...     parameter="exponent p",
    ...     xlabel="x",
    ...     ylabel="f(x)",
    ... )
    <figure with a slider: exponent p, 3 values, 1 to 3>
    """
    labels = [value if isinstance(value, str) else f"{value:g}" for value in values]
    if len(labels) < 2:
        raise InvalidValueError(f"values: got {len(labels)}, a slider needs at least two.")
    for name, text in (("parameter", parameter), ("xlabel", xlabel), ("ylabel", ylabel)):
        _require_plain(name, text)
    first = _index("start", len(labels) // 2 if start is None else start, len(labels))
    panels = [_drawn(draw, value) for value in values]
    _require_the_same(panels, labels)
    axes = (
        Axis(xlabel, _limits("xlim", xlim, panels, "x" in log), "x" in log),
        Axis(ylabel, _limits("ylim", ylim, panels, "y" in log), "y" in log),
    )
    chosen = [0, first, len(labels) - 1] if shown is None else list(shown)
    places = sorted({_index("shown", place, len(labels)) for place in chosen})
    if not 0 < len(places) <= _MOST_PANELS:
        raise InvalidValueError(f"shown: got {chosen}, expected one to {_MOST_PANELS} places.")
    figure = plot([panel.curves for panel in panels], labels, parameter, first, axes)
    symbol = parameter.rpartition(" ")[2]
    titled = [(f"{symbol} = {labels[place]}", panels[place]) for place in places]
    return Interactive(parameter, labels, figure, _twin(titled, axes))


def _drawn(draw: Callable[[Panel, Any], None], value: Any) -> Panel:
    panel = Panel()
    draw(panel, value)
    for curve in panel.curves:
        _require_plain("label", curve.label)
    return panel


def _require_plain(name: str, text: str) -> None:
    if not isinstance(text, str):
        raise InvalidTypeError(f"{name}: got {type(text).__name__}, expected a text.")
    if "$" in text:
        raise InvalidValueError(
            f"{name}: got {text!r}; two programs draw it, of which one knows no formulas between "
            "dollar signs. Write Greek letters and signs as characters: 'σ', 'Θ', '≤'."
        )


def _require_the_same(panels: Sequence[Panel], labels: Sequence[str]) -> None:
    wanted = [curve.role for curve in panels[0].curves]
    if not wanted:
        raise InvalidValueError(f"draw: it drew nothing at {labels[0]}; call panel.theory(...).")
    for panel, label in zip(panels, labels, strict=True):
        found = [curve.role for curve in panel.curves]
        if found != wanted:
            raise ShapeError(
                f"draw: at {label} it drew {found}, at {labels[0]} {wanted}; a slider moves the "
                "same curves, so draw each of them at every value, with the same label."
            )


def _index(name: str, place: Any, count: int) -> int:
    if isinstance(place, bool) or not isinstance(place, int | np.integer):
        raise InvalidTypeError(f"{name}: got {place!r}, expected a place counted from 0.")
    if not 0 <= place < count:
        raise InvalidValueError(f"{name}: got {place}, expected 0 to {count - 1}.")
    return int(place)


def _limits(
    name: str, given: Limits | None, panels: Sequence[Panel], log: bool
) -> tuple[float, float]:
    """Return the ends of an axis, with a little room around what is drawn unless they are given."""
    curves = [curve for panel in panels for curve in panel.curves]
    if given is not None:
        low, high = float(given[0]), float(given[1])
    elif name == "xlim":
        low = min(float(curve.x.min()) for curve in curves)
        high = max(float(curve.x.max()) for curve in curves)
    else:
        bars = [np.zeros_like(c.y) if c.error is None or log else c.error for c in curves]
        low = min(float((c.y - bar).min()) for c, bar in zip(curves, bars, strict=True))
        high = max(float((c.y + bar).max()) for c, bar in zip(curves, bars, strict=True))
    if not (np.isfinite([low, high]).all() and (low > 0 or not log) and low <= high):
        kind = "positive ones, for a logarithm" if log else "finite ones, the lower first"
        raise InvalidValueError(f"{name}: got {low:g} and {high:g}, expected {kind}.")
    if given is not None:
        return low, high
    if log:
        return low / 1.1, high * 1.1
    room = 0.04 * (high - low) or 1.0
    return low - room, high + room


def _twin(titled: Sequence[tuple[str, Panel]], axes: tuple[Axis, Axis]) -> Figure:
    """Draw a few values side by side; no window of pyplot's, which would be shown once more."""
    width, height = mpl.rcParams["figure.figsize"]
    figure = Figure(figsize=(width, 0.8 * height))
    FigureCanvasAgg(figure)
    grid = figure.subplots(1, len(titled), sharex=True, sharey=True, squeeze=False)[0]
    for ax, (title, panel) in zip(grid, titled, strict=True):
        for curve in panel.curves:
            curve.draw(ax)
        ax.set(title=title, xlabel=axes[0].label, xlim=axes[0].limits, ylim=axes[1].limits)
        ax.set(xscale=axes[0].scale, yscale=axes[1].scale)
    grid[0].set_ylabel(axes[1].label)
    lines, names = grid[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=min(3, len(names)))
    return figure
