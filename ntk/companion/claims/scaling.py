"""Measurements of one quantity along a parameter, several seeds at each value of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ntk.companion.claims.numerals import Floats, finite_array
from ntk.errors import InvalidValueError, ShapeError


@dataclass(frozen=True, eq=False)
class Scaling:
    """A quantity measured at several values of a parameter (a width, a step size).

    Parameters
    ----------
    x : array_like, shape (m,)
        Values of the parameter, all different.
    values : array_like, shape (m,) or (m, seeds)
        What was measured; one column for each seed.
    paired : bool
        Whether column ``j`` belongs to the same seed at every ``x`` (the same data, the same
        draw). Then a bootstrap draws columns, else it draws anew at every ``x``.

    Examples
    --------
    >>> Scaling([64, 128], [[0.5, 0.7], [0.2, 0.4]]).values.shape
    (2, 2)
    """

    x: Any
    values: Any
    paired: bool = False

    def __post_init__(self) -> None:
        x: Floats = finite_array(self.x, "x")
        values: Floats = finite_array(self.values, "values")
        if x.ndim != 1 or values.ndim not in (1, 2) or len(values) != len(x):
            raise ShapeError(
                f"x must have shape (m,) and values (m,) or (m, seeds), got {x.shape} and "
                f"{values.shape}; the parameter runs along axis 0, the seeds along axis 1"
            )
        if len(np.unique(x)) != len(x):
            raise InvalidValueError(f"x repeats a value: {x.tolist()}; put repeats into columns")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "values", values)
