"""The transposed convolution of generators: it makes images larger."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from ntk.errors import ShapeError
from ntk.layers.base import Params, description
from ntk.layers.conv import Sliding, slide
from ntk.layers.weights import scaled
from ntk.layers.windows import Window


@dataclass(frozen=True)
class SpreadWindow:
    """The geometry of a transposed convolution: zeros between positions, then a window.

    Parameters
    ----------
    shape, strides : tuple of int
        One number for each spatial axis.
    padding : {"SAME", "VALID", "CIRCULAR"}
        See :class:`ConvTranspose`.
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
        if len(positions) != len(self.shape):
            raise ShapeError(
                f"window {self.shape} slides over {len(self.shape)} axes, but the input has "
                f"{len(positions)} spatial axes {tuple(positions)}; "
                "inputs are (n, *positions, channels)"
            )
        around = [w > s * p for w, s, p in zip(self.shape, self.strides, positions, strict=True)]
        if self.padding == "CIRCULAR" and any(around):
            raise ShapeError(
                f"window {self.shape} goes more than once around the result of the input's "
                f"positions {tuple(positions)}; use a smaller window"
            )

    def spread(self, array: Array, *firsts: int) -> Array:
        """Put zeros between the positions and around them, on axes that begin at each of these."""
        inner = [(0, 0, 0)] * array.ndim
        around = [(0, 0)] * array.ndim
        for first in firsts:
            for i, (size, stride) in enumerate(zip(self.shape, self.strides, strict=True)):
                before, after = margins(size, stride, self.padding)
                # The wrapped image has zeros behind the last position too.
                wrapped = stride - 1 if self.padding == "CIRCULAR" else 0
                inner[first + i] = (0, wrapped, stride - 1)
                around[first + i] = (before, after - wrapped)
        spread = jax.lax.pad(array, jnp.zeros((), array.dtype), inner)
        return jnp.pad(spread, around, mode="wrap" if self.padding == "CIRCULAR" else "constant")

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
        last = array.ndim - axes
        wide = self.spread(array, *((last - axes, last) if paired else (last,)))
        window = Window(self.shape, (1,) * axes, "VALID")
        return window.sum_together(wide, axes, paired=paired)


@description
class ConvTranspose(Sliding):
    r"""A convolution over the input with :math:`s - 1` zeros between its positions.

    With the window :math:`W`, :math:`C` input channels and the strides :math:`s`,

    .. math:: f_{p c}(x) = \frac{\sigma_w}{\sqrt{C\, |W|}} \sum_{q \in W,\ r:\ s r = p + q}
              \sum_{c'} w_{q c' c}\, x_{r c'} + \sigma_b\, b_c,

    laid out as :func:`jax.lax.conv_transpose` has it. The scale is that of the whole window, as
    in :class:`ntk.Conv` and in neural-tangents, although a stride leaves part of it on zeros.

    Parameters
    ----------
    channels : int
        Number of output channels.
    window : sequence of int
        Size of the window along each spatial axis.
    strides : sequence of int, optional
        How many times larger each axis becomes; 1 if omitted.
    padding : {"SAME", "VALID", "CIRCULAR"}
        With ``"SAME"`` and ``"CIRCULAR"`` the result has ``size * stride`` positions, with
        ``"VALID"`` all that the window reaches.
    sigma_w : float, default 1.0
        Standard deviation of the weights, before the division.
    sigma_b : float or None, default None
        Standard deviation of the bias; ``None`` means that there is no bias parameter.
    parametrization : {"ntk", "standard", "mup"}
        Where the scale stands, see :class:`ntk.Dense`.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        If a number is out of range, lengths differ, or a word is unknown.

    Examples
    --------
    >>> import jax, ntk
    >>> layer = ntk.ConvTranspose(8, (4, 4), strides=(2, 2))
    >>> params = layer.init(jax.random.key(0), (7, 7, 16))
    >>> layer.apply(params, jax.numpy.ones((5, 7, 7, 16))).shape
    (5, 14, 14, 8)
    """

    def geometry(self) -> SpreadWindow:
        """Return how the window slides."""
        return SpreadWindow(self.window, self.steps, self.padding)

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the layer on a batch ``(n, *positions, C_in)``."""
        x, weight = jnp.asarray(x), params["weight"]
        self.require_fit(x.shape[1:-1])
        if x.shape[-1] != weight.shape[-2]:
            raise ShapeError(
                f"x must have {weight.shape[-2]} channels, as many as the parameters were drawn "
                f"for; got shape {x.shape}"
            )
        y = slide(self.geometry().spread(x, 1), weight, (1,) * len(self.window))
        return scaled(y, params, self.sigma_w, self.sigma_b, self.parametrization)


def margins(size: int, stride: int, padding: str) -> tuple[int, int]:
    """Return how far one axis of the spread input is padded, as :func:`jax.lax.conv_transpose`.

    Parameters
    ----------
    size, stride : int
        Of the window.
    padding : {"SAME", "VALID", "CIRCULAR"}
        See :class:`ConvTranspose`.
    """
    if padding == "VALID":
        return size - 1, size - 1 + max(stride - size, 0)
    both = size + stride - 2
    before = size - 1 if stride > size - 1 else -(-both // 2)
    return before, both - before
