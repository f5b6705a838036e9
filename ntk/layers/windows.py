"""Windows that slide over positions: how they are padded, and sums of covariances over them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk import checks
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError

PADDINGS = ("SAME", "VALID", "CIRCULAR")


@dataclass(frozen=True)
class Window:
    """The geometry of a convolution or a pool.

    Parameters
    ----------
    shape, strides : tuple of int
        One number for each spatial axis.
    padding : {"SAME", "VALID", "CIRCULAR"}
        Zeros so that the result has ``ceil(size / stride)`` positions; none; or the other edge.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str

    @property
    def size(self) -> int:
        """How many positions a window covers."""
        return math.prod(self.shape)

    def require_fit(self, positions: Sequence[int]) -> None:
        """Raise unless the window fits these positions."""
        self.margins(positions)

    def margins(self, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """Return how far the windows reach beyond each edge, after checking that they fit."""
        if len(sizes) != len(self.shape):
            raise ShapeError(
                f"window {self.shape} slides over {len(self.shape)} axes, but the input has "
                f"{len(sizes)} spatial axes {tuple(sizes)}; inputs are (n, *positions, channels)"
            )
        too_large = self.padding == "VALID" and any(
            w > s for w, s in zip(self.shape, sizes, strict=True)
        )
        if too_large:
            raise ShapeError(
                f"window {self.shape} is larger than the input's positions {tuple(sizes)}; "
                "use a smaller window or padding='SAME'"
            )
        how = "VALID" if self.padding == "VALID" else "SAME"
        found: Sequence[tuple[int, int]] = jax.lax.padtype_to_pads(
            sizes, self.shape, self.strides, how
        )
        margins = [(int(before), int(after)) for before, after in found]
        if self.padding == "CIRCULAR" and any(
            max(m) > s for m, s in zip(margins, sizes, strict=True)
        ):
            raise ShapeError(
                f"window {self.shape} goes more than once around the input's positions "
                f"{tuple(sizes)}; use a smaller window"
            )
        return margins

    def pad(self, x: Array) -> Array:
        """Pad the spatial axes of a batch ``(n, *positions, channels)``."""
        margins = [(0, 0), *self.margins(x.shape[1:-1]), (0, 0)]
        return jnp.pad(x, margins, mode="wrap" if self.padding == "CIRCULAR" else "constant")

    def sum_together(self, array: Array, axes: int, *, paired: bool) -> Array:
        """Sum over windows in which both positions of a pair move together.

        Parameters
        ----------
        array : Array, shape (..., *positions) or (..., *positions, *positions)
            Covariances.
        axes : int
            How many axes the positions have.
        paired : bool
            Whether ``array`` holds pairs of positions.
        """
        first = range(array.ndim - axes * (2 if paired else 1), array.ndim)[:axes]
        return self._sum(array, [[axis, axis + axes] if paired else [axis] for axis in first])

    def sum_apart(self, array: Array, axes: int) -> Array:
        """Sum over windows at either position of each pair, ``(..., *positions, *positions)``."""
        first = range(array.ndim - 2 * axes, array.ndim - axes)
        once = self._sum(array, [[axis] for axis in first])
        return self._sum(once, [[axis + axes] for axis in first])

    def _sum(self, array: Array, groups: list[list[int]]) -> Array:
        margins = self.margins([array.shape[group[0]] for group in groups])
        # One axis after the other: three and three additions for a window of nine.
        for group, window, stride, margin in zip(
            groups, self.shape, self.strides, margins, strict=True
        ):
            array = self._slide(array, group, window, stride, margin)
        return array

    def _slide(
        self, array: Array, axes: list[int], window: int, stride: int, margin: tuple[int, int]
    ) -> Array:
        pads = [(0, 0)] * array.ndim
        for axis in axes:
            pads[axis] = margin
        padded = jnp.pad(array, pads, mode="wrap" if self.padding == "CIRCULAR" else "constant")
        steps = [stride if axis in axes else 1 for axis in range(array.ndim)]
        last = padded.shape[axes[0]] - window  # where the last window begins, at most

        def shifted(offset: int) -> Array:
            start = [offset if axis in axes else 0 for axis in range(array.ndim)]
            limit = [
                last + offset + 1 if axis in axes else size
                for axis, size in enumerate(padded.shape)
            ]
            return jax.lax.slice(padded, start, limit, steps)

        total = shifted(0)
        for offset in range(1, window):
            total = total + shifted(offset)
        return total


def check_window(
    window: Sequence[int] | int, strides: Sequence[int] | int | None, padding: str
) -> Window:
    """Check the arguments of a layer with a window; strides default to 1.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        If a number is not a positive whole number, the lengths differ, or the padding is unknown.
    """
    shape = _sizes("window", window)
    steps = (1,) * len(shape) if strides is None else _sizes("strides", strides)
    if len(steps) == 1 and isinstance(strides, int):
        steps = steps * len(shape)
    if len(steps) != len(shape):
        raise ShapeError(
            f"strides must have one number for each axis of the window {shape}, got {steps}"
        )
    if not isinstance(padding, str):
        raise InvalidTypeError(
            f"padding must be one of {', '.join(map(repr, PADDINGS))}, got {padding!r}"
        )
    checks.choice("padding", padding, PADDINGS)
    return Window(shape, steps, padding)


def _sizes(name: str, value: Any) -> tuple[int, ...]:
    if isinstance(value, int | np.integer):
        return (checks.positive_integer(name, value),)
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidTypeError(
            f"{name} must be a sequence of whole numbers such as (3, 3), got {value!r}"
        )
    if not value:
        raise InvalidValueError(f"{name} must have at least one number, got none")
    return tuple(checks.positive_integer(f"{name}[{i}]", size) for i, size in enumerate(value))
