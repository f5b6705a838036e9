"""The two kinds of curve: theory and experiment."""

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from ntk.companion.figures.style import COLOURS, MARKERS
from ntk.errors import InvalidValueError, ShapeError

Bars = Literal["standard_error", "percentiles"]


def theory(
    ax: Axes, x: ArrayLike, y: ArrayLike, *, label: str | None = "theory", **keywords: Any
) -> Line2D:
    """Draw a prediction: a solid black line, below the markers of an experiment.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    x, y : array_like
        Points of the curve, `(n,)` each.
    label : str, optional
        Its name in the legend.
    **keywords
        Passed to :meth:`matplotlib.axes.Axes.plot`; a second theory in the same axes takes
        another `linestyle`.

    Returns
    -------
    matplotlib.lines.Line2D
        The line.

    Raises
    ------
    ShapeError
        If `x` and `y` are not two vectors of the same length.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from ntk.companion import figures
    >>> fig, ax = plt.subplots()
    >>> figures.theory(ax, [1, 2], [1.0, 0.5]).get_color()
    'black'
    >>> plt.close(fig)
    """
    abscissa, ordinate = np.asarray(x), np.asarray(y)
    if abscissa.ndim != 1 or abscissa.shape != ordinate.shape:
        raise ShapeError(
            f"y: got shape {ordinate.shape} for x of shape {abscissa.shape}, "
            "expected two vectors of the same length."
        )
    style = {"color": "black", "linestyle": "-", "zorder": 2.0, **keywords}
    (line,) = ax.plot(abscissa, ordinate, label=label, **style)
    return line


def experiment(
    ax: Axes,
    x: ArrayLike,
    values: ArrayLike,
    *,
    label: str | None = "experiment",
    i: int = 0,
    bars: Bars = "standard_error",
    **keywords: Any,
) -> ErrorbarContainer:
    r"""Draw measurements: coloured markers with error bars over seeds.

    The legend says what the bars are, so that no reader has to guess: with `"standard_error"` the
    markers are means and the bars one standard error :math:`s/\sqrt m` to either side (:math:`s`
    with divisor :math:`m - 1`, over :math:`m` seeds); with `"percentiles"` the markers are
    medians and the bars run from the 5th to the 95th percentile.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    x : array_like
        Where the measurements were made, `(n,)`.
    values : array_like
        Measurements `(seeds, n)`; `(n,)` for single ones, drawn without bars.
    label : str, optional
        Its name in the legend, to which the meaning of the bars is added; None for no entry.
    i : int
        The number of this experiment in the figure: it chooses colour and marker.
    bars : {"standard_error", "percentiles"}
        What the error bars show.
    **keywords
        Passed to :meth:`matplotlib.axes.Axes.errorbar`.

    Returns
    -------
    matplotlib.container.ErrorbarContainer
        Markers and bars.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or there are fewer than two seeds.
    InvalidValueError
        If a value is not finite, or the kind of bars is unknown.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from ntk.companion import figures
    >>> fig, ax = plt.subplots()
    >>> errors = np.random.default_rng(0).normal(size=(20, 3))
    >>> figures.experiment(ax, [64, 128, 256], errors, label="ReLU").get_label()
    'ReLU (mean ± SE, 20 seeds)'
    >>> plt.close(fig)
    """
    abscissa, ordinate = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
    if abscissa.ndim != 1 or ordinate.ndim not in (1, 2) or ordinate.shape[-1] != abscissa.size:
        raise ShapeError(
            f"values: got shape {ordinate.shape} for x of shape {abscissa.shape}, "
            f"expected (seeds, {abscissa.size}) or ({abscissa.size},)."
        )
    if not np.isfinite(ordinate).all():
        raise InvalidValueError(
            f"values: {np.count_nonzero(~np.isfinite(ordinate))} entries are not finite; "
            "a seed that failed must be dealt with before it is drawn."
        )
    if ordinate.ndim == 1:
        centre, below_above, meaning = ordinate, None, ""
    else:
        centre, below_above, meaning = summary(ordinate, bars)
    style = {**marker_style(i), **keywords}
    name = None if label is None else f"{label}{meaning}"
    return ax.errorbar(abscissa, centre, yerr=below_above, label=name, **style)


def marker_style(i: int) -> dict[str, Any]:
    """Return what matplotlib draws the markers of experiment number `i` with."""
    return {
        "color": COLOURS[i % len(COLOURS)],
        "marker": MARKERS[i % len(MARKERS)],
        "linestyle": "none",
        "elinewidth": 1.2,
        "zorder": 3.0,
    }


def summary(values: Any, bars: Bars) -> tuple[Any, Any, str]:
    """Return the centre, the bars below and above it, and what they are."""
    seeds = len(values)
    if seeds < 2:
        raise ShapeError(
            f"values: got {seeds} seed, expected at least 2 for error bars; "
            "pass a vector to draw single measurements."
        )
    if bars == "standard_error":
        error = values.std(axis=0, ddof=1) / np.sqrt(seeds)
        return values.mean(axis=0), (error, error), f" (mean ± SE, {seeds} seeds)"
    if bars == "percentiles":
        low, centre, high = np.percentile(values, [5, 50, 95], axis=0)
        return centre, (centre - low, high - centre), f" (median, 5–95 %, {seeds} seeds)"
    raise InvalidValueError(f"bars: got {bars!r}, expected 'standard_error' or 'percentiles'.")
