"""The curves that a figure with a slider shows at one value of its parameter, kept for drawing."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from ntk.companion.figures.curves import marker_style, summary, theory
from ntk.companion.figures.style import COLOURS
from ntk.errors import InvalidValueError, ShapeError

Floats = NDArray[np.float64]
Kind = Literal["theory", "line", "experiment"]


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve: theory and line are lines, an experiment is markers.

    Parameters
    ----------
    kind : {"theory", "line", "experiment"}
        What it is.
    x, y : ndarray
        Its points, `(n,)` each.
    label : str
        Its name in the legend.
    i : int
        The number of the colour, and of the marker.
    error : ndarray, optional
        Half the length of the bars.
    dashed : bool
        Whether a line is dashed.
    """

    kind: Kind
    x: Floats
    y: Floats
    label: str
    i: int = 0
    error: Floats | None = None
    dashed: bool = False

    @property
    def role(self) -> tuple[Kind, str, int, bool, bool]:
        """What has to be the same at every value of the parameter."""
        return (self.kind, self.label, self.i, self.error is None, self.dashed)

    def draw(self, ax: Axes) -> None:
        """Draw the curve with matplotlib."""
        dash: dict[str, Any] = {"linestyle": "--"} if self.dashed else {}
        colour = COLOURS[self.i % len(COLOURS)]
        if self.kind == "theory":
            theory(ax, self.x, self.y, label=self.label, **dash)
        elif self.kind == "line":
            ax.plot(self.x, self.y, label=self.label, color=colour, **dash)
        else:
            ax.errorbar(self.x, self.y, yerr=self.error, label=self.label, **marker_style(self.i))


class Panel:
    """Collects the curves of one value of the parameter; `interactive` passes it to `draw`.

    Examples
    --------
    >>> panel = Panel()
    >>> panel.theory([0, 1], [1.0, 2.0])
    >>> [curve.label for curve in panel.curves]
    ['theory']
    """

    def __init__(self) -> None:
        self.curves: list[Curve] = []

    def theory(
        self, x: ArrayLike, y: ArrayLike, *, label: str = "theory", dashed: bool = False
    ) -> None:
        """Add a prediction, black in the light theme and white in the dark one.

        Parameters
        ----------
        x, y : array_like
            Points of the curve, `(n,)` each.
        label : str
            Its name in the legend, plain text.
        dashed : bool
            Whether the line is dashed, as a second theory is.

        Raises
        ------
        ShapeError, InvalidValueError
            If `x` and `y` are not two vectors of the same length, of finite numbers.
        """
        self.curves.append(Curve("theory", *_points(x, y), label, dashed=dashed))

    def line(
        self, x: ArrayLike, y: ArrayLike, *, label: str, i: int = 0, dashed: bool = False
    ) -> None:
        """Add a coloured line, such as one random function.

        Parameters
        ----------
        x, y : array_like
            Points of the curve, `(n,)` each.
        label : str
            Its name in the legend, plain text.
        i : int
            The number of its colour.
        dashed : bool
            Whether it is dashed.

        Raises
        ------
        ShapeError, InvalidValueError
            As for :meth:`theory`.
        """
        self.curves.append(Curve("line", *_points(x, y), label, i, dashed=dashed))

    def experiment(
        self, x: ArrayLike, values: ArrayLike, *, label: str = "experiment", i: int = 0
    ) -> None:
        """Add measurements: markers, with bars of one standard error if there are several seeds.

        Parameters
        ----------
        x : array_like
            Where the measurements were made, `(n,)`.
        values : array_like
            Measurements `(seeds, n)`; `(n,)` for single ones, without bars.
        label : str
            Its name in the legend, to which the meaning of the bars is added.
        i : int
            The number of its colour and marker.

        Raises
        ------
        ShapeError, InvalidValueError
            As for :meth:`theory`, or if there is one seed only.
        """
        measured = np.asarray(values, dtype=np.float64)
        error: Floats | None = None
        if measured.ndim == 2:
            measured, (error, _), meaning = summary(measured, "standard_error")
            label += meaning
        self.curves.append(Curve("experiment", *_points(x, measured), label, i, error))


def _points(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    abscissa, ordinate = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if abscissa.ndim != 1 or abscissa.shape != ordinate.shape:
        raise ShapeError(
            f"y: got shape {ordinate.shape} for x of shape {abscissa.shape}, "
            "expected two vectors of the same length."
        )
    if not (np.isfinite(abscissa).all() and np.isfinite(ordinate).all()):
        raise InvalidValueError("x and y: some entries are not finite; leave those points out.")
    return abscissa, ordinate
