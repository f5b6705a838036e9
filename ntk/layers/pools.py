"""Layers that bring positions together: pools, and the flattening before a readout."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from ntk.errors import ShapeError
from ntk.layers.base import Params, WithoutParameters, description, static
from ntk.layers.windows import Window, check_window
from ntk.state import State, own_positions


class _Pool(WithoutParameters):
    """A layer that is linear in its input's positions."""

    single_variances: ClassVar[bool] = True
    reads_variances: ClassVar[bool] = False


@description
class _WindowPool(_Pool):
    """A sum over windows, times a factor."""

    mixes_positions: ClassVar[bool] = True
    window: tuple[int, ...] = static()
    _: KW_ONLY
    strides: tuple[int, ...] | None = static(default=None)
    padding: str = static(default="VALID")

    def __post_init__(self) -> None:
        """Check the window; the strides default to it."""
        strides = self.window if self.strides is None else self.strides
        window = check_window(self.window, strides, self.padding)
        object.__setattr__(self, "window", window.shape)
        object.__setattr__(
            self, "strides", None if window.strides == window.shape else window.strides
        )

    def _geometry(self) -> Window:
        return Window(self.window, self.strides or self.window, self.padding)

    def _factor(self) -> float:
        return 1.0

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the layer on a batch ``(n, *positions, channels)``."""
        del params
        window, x = self._geometry(), jnp.asarray(x)
        total: Array = jax.lax.reduce_window(
            window.pad(x),
            np.zeros((), x.dtype),  # a traced zero would hide that this is a sum, and its gradient
            jax.lax.add,
            (1, *window.shape, 1),
            (1, *window.strides, 1),
            "VALID",
        )
        return self._factor() * total

    def propagate(self, state: State) -> State:
        """Sum over windows at either position of each pair."""
        window, factor, axes = self._geometry(), self._factor() ** 2, len(state.positions)
        return _pooled(state, lambda array: factor * window.sum_apart(array, axes))


@description
class AvgPool(_WindowPool):
    r"""The average over windows, :math:`f_p(x) = \frac{1}{|W|} \sum_{q \in W} x_{p + q}`.

    With zeros beyond the edges (``padding="SAME"``) these count, as in neural-tangents.

    Parameters
    ----------
    window : sequence of int
        Size of the window along each spatial axis.
    strides : sequence of int, optional
        Steps of the window; the window itself if omitted.
    padding : {"VALID", "SAME", "CIRCULAR"}
        None, zeros, or the input again beyond its edges.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        If a number is out of range, lengths differ, or the padding is unknown.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.AvgPool((2, 2)).apply((), jnp.ones((1, 28, 28, 3))).shape
    (1, 14, 14, 3)
    """

    def _factor(self) -> float:
        return 1.0 / self._geometry().size


@description
class SumPool(_WindowPool):
    r"""The sum over windows, :math:`f_p(x) = \sum_{q \in W} x_{p + q}`.

    Parameters
    ----------
    window : sequence of int
        Size of the window along each spatial axis.
    strides : sequence of int, optional
        Steps of the window; the window itself if omitted.
    padding : {"VALID", "SAME", "CIRCULAR"}
        None, zeros, or the input again beyond its edges.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        If a number is out of range, lengths differ, or the padding is unknown.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> float(ntk.SumPool((2, 2)).apply((), jnp.ones((1, 2, 2, 1)))[0, 0, 0, 0])
    4.0
    """


@description
class GlobalAvgPool(_Pool):
    r"""The average over all positions, :math:`f(x) = \frac{1}{|P|} \sum_p x_p`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.GlobalAvgPool().apply((), jnp.ones((5, 4, 4, 3))).shape
    (5, 3)
    """

    mixes_positions: ClassVar[bool] = True

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Average a batch ``(n, *positions, channels)`` over its positions."""
        del params
        x = jnp.asarray(x)
        _require_positions(x.shape[1:-1])
        return x.mean(axis=tuple(range(1, x.ndim - 1)))

    def propagate(self, state: State) -> State:
        r"""Average over all pairs, :math:`K \mapsto |P|^{-2} \sum_{p p'} K_{p p'}`."""
        _require_positions(state.positions)
        axes = tuple(range(-2 * len(state.positions), 0))
        pooled = _pooled(state, lambda array: array.mean(axis=axes))
        return dataclasses.replace(pooled, paired=False, paired_variances=False)


@description
class Flatten(_Pool):
    r"""All positions and channels as one vector of features.

    The readout that follows has a weight for each, so that in the limit positions do not meet:
    :math:`K \mapsto |P|^{-1} \sum_p K_{pp}`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.Flatten().apply((), jnp.ones((5, 4, 4, 3))).shape
    (5, 48)
    """

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Return the batch as ``(n, features)``."""
        del params
        x = jnp.asarray(x)
        return x.reshape(x.shape[0], -1)

    def needs_pairs(self) -> bool | None:
        """Positions do not meet here, nor later."""
        return False

    def propagate(self, state: State) -> State:
        """Average over positions, each with itself."""
        k, count = len(state.positions), math.prod(state.positions)

        def average(array: Array, paired: bool) -> Array:
            if paired:
                lead = array.shape[: array.ndim - 2 * k]
                flat = array.reshape(math.prod(lead), *array.shape[array.ndim - 2 * k :])
                array = own_positions(flat, k).reshape(*lead, *state.positions)
            return array.mean(axis=tuple(range(-k, 0)))

        if not k:
            return state
        return dataclasses.replace(
            state,
            cov=average(state.cov, state.paired),
            tangent=None if state.tangent is None else average(state.tangent, state.paired),
            var1=average(state.var1, state.paired_variances),
            var2=average(state.var2, state.paired_variances),
            features=state.features * count,
            # Positions with different variances: a mixture of Gaussians.
            gaussian=state.gaussian and count == 1,
            gap=None,
            paired=False,
            paired_variances=False,
        )


def _pooled(state: State, pool: Callable[[Array], Array]) -> State:
    """Apply a linear map of pairs of positions to all arrays of a state."""
    cov = pool(state.cov)
    if state.paired_variances:
        var1, var2 = pool(state.var1), pool(state.var2)
    else:
        # Nothing will read them: were it wrong, a NaN would show it.
        positions = cov.shape[2 : 2 + (cov.ndim - 2) // 2]
        var1, var2 = (jnp.full((n, *positions), jnp.nan, cov.dtype) for n in cov.shape[:2])
    return dataclasses.replace(
        state,
        cov=cov,
        tangent=None if state.tangent is None else pool(state.tangent),
        var1=var1,
        var2=var2,
        gap=None,
    )


def _require_positions(positions: tuple[int, ...]) -> None:
    if not positions:
        raise ShapeError(
            "a pool needs inputs with positions, (n, *positions, channels), and got (n, features); "
            "put it before Flatten and give images, not points"
        )
