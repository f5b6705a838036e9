"""Logarithmic axes, and the power laws that slopes are compared with."""

from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from ntk.errors import InvalidValueError

Real = float | int


def scaling_axes(ax: Axes, x: ArrayLike, *, xlabel: str = "width $n$", ylabel: str = "") -> None:
    """Make both axes logarithmic, with a tick at each value that was measured and no other.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    x : array_like
        The measured values of the parameter, positive.
    xlabel, ylabel : str
        What the axes show.

    Raises
    ------
    InvalidValueError
        If a value is not positive.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from ntk.companion import figures
    >>> fig, ax = plt.subplots()
    >>> figures.scaling_axes(ax, [64, 256, 1024], ylabel="error")
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['64', '256', '1024']
    >>> plt.close(fig)
    """
    values = np.asarray(x, dtype=float)
    if not (values > 0).all():
        raise InvalidValueError(f"x: got {values.tolist()}, expected positive values only.")
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    ax.set_xticks(values, labels=[f"{value:g}" for value in values])
    ax.xaxis.set_minor_locator(NullLocator())


def slope_guide(
    ax: Axes,
    slope: Real,
    *,
    through: tuple[Real, Real],
    to: Real,
    label: str | None = None,
    label_at: Real = 0.5,
) -> Line2D:
    r"""Draw a power law :math:`y_0 (x / x_0)^a` as a thin grey line to compare slopes with.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw; both axes logarithmic.
    slope : float
        The exponent :math:`a`.
    through : tuple of float
        Where the line begins, :math:`(x_0, y_0)`, both positive.
    to : float
        The abscissa where it ends, positive.
    label : str, optional
        Written beside the line; by default the slope, as in "slope −1/2".
    label_at : float
        Where along the line: 0 at its beginning, 1 at its end.

    Returns
    -------
    matplotlib.lines.Line2D
        The line; it has no entry in the legend.

    Raises
    ------
    InvalidValueError
        If the axes are not logarithmic, or a number is not positive and finite.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from ntk.companion import figures
    >>> fig, ax = plt.subplots()
    >>> _ = ax.loglog([64, 1024], [1, 0.1])
    >>> figures.slope_guide(ax, -0.5, through=(64, 2.0), to=1024).get_ydata().tolist()
    [2.0, 0.5]
    >>> plt.close(fig)
    """
    if ax.get_xscale() != "log" or ax.get_yscale() != "log":
        raise InvalidValueError(
            f"ax: got {ax.get_xscale()} and {ax.get_yscale()} axes, expected both to be log; "
            "call ax.set(xscale='log', yscale='log') first."
        )
    x0, y0 = through
    numbers = np.array([x0, y0, to], dtype=float)
    if not (np.isfinite(numbers).all() and (numbers > 0).all() and np.isfinite(slope)):
        raise InvalidValueError(
            f"through and to: got {through!r} and {to!r} (slope {slope!r}), expected finite "
            "numbers, positive ones for the points."
        )
    y1 = y0 * (to / x0) ** slope
    (line,) = ax.plot([x0, to], [y0, y1], color="#606060", linewidth=1.0, linestyle=(0, (5, 3)))
    ax.annotate(
        f"slope {_fraction(slope)}" if label is None else label,
        (x0 * (to / x0) ** label_at, y0 * (y1 / y0) ** label_at),
        xytext=(-4 if slope > 0 else 4, 4),
        textcoords="offset points",
        ha="right" if slope > 0 else "left",
        color="#606060",
        fontsize="small",
    )
    return line


def _fraction(slope: Real) -> str:
    """Return the slope as a simple fraction if it is one, with a proper minus sign."""
    simple = Fraction(slope).limit_denominator(4)
    text = str(simple) if abs(simple - slope) < 1e-12 else f"{slope:g}"
    return text.replace("-", "−")
