"""Normalisation of each example by its own second moment."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError
from ntk.layers.base import Layer, Params, description, static
from ntk.state import State, own_positions


@description
class LayerNorm(Layer):
    r"""Each example less its mean, divided by its standard deviation (Ba et al. 2016).

    .. math:: y = \frac{x - \bar x}{\sqrt{\overline{(x - \bar x)^2} + \epsilon}},

    where the bar is an average over ``axis``. There is no learned scale or offset. In the limit
    of infinite width the average over features is an expectation: zero for the mean, since the
    input comes from weights, and :math:`K(x, x)` for the square, so that

    .. math:: K(x, x') \mapsto \frac{K(x, x')}
              {\sqrt{(\bar K(x, x) + \epsilon)(\bar K(x', x') + \epsilon)}}

    and :math:`T` alike: the gradient through the averages vanishes with the width (Yang 2020,
    "Tensor Programs II", appendix). The bar averages over the positions in ``axis``.

    Parameters
    ----------
    axis : int or sequence of int, default -1
        Axes of the batch ``(n, *positions, features)`` to average over: the last one, and any of
        the positions, such as ``(1, 2, 3)`` for whole images.
    eps : float, default 1e-12
        What is added to the variance.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If ``axis`` or ``eps`` is no number, the features are not among the axes, or the batch is.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> net = ntk.Serial(ntk.Dense(64, sigma_w=3.0), ntk.LayerNorm())
    >>> round(ntk.kernel(net, jnp.ones((1, 5)), get="nngp").item(), 6)
    1.0
    """

    axis: tuple[int, ...] | int = static(default=-1)
    eps: Any = 1e-12

    def __post_init__(self) -> None:
        """Check the axes and the number."""
        axis: Any = self.axis
        axes = (axis,) if isinstance(axis, int | np.integer) else axis
        if isinstance(axes, str) or not isinstance(axes, Sequence):
            raise InvalidTypeError(
                f"axis must be a whole number or a sequence of these, got {self.axis!r}"
            )
        for axis in axes:
            if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
                raise InvalidTypeError(f"axis must hold whole numbers, got {axis!r}")
        if 0 in axes:
            raise InvalidValueError(
                "axis must not hold 0, the batch: an example is normalised by itself; got "
                f"{self.axis!r}"
            )
        plain = tuple(int(axis) for axis in axes)
        object.__setattr__(self, "axis", plain[0] if len(plain) == 1 else plain)
        object.__setattr__(self, "eps", checks.scale("eps", self.eps))

    def _axes(self, ndim: int) -> tuple[int, ...]:
        """Return the axes of a batch, counted from its front and in order."""
        axes = (self.axis,) if isinstance(self.axis, int) else self.axis
        for axis in axes:
            if not -ndim < axis < ndim:
                raise ShapeError(
                    f"axis {axis} is not there: the batch has the axes 0 to {ndim - 1}, "
                    "(n, *positions, features)"
                )
        found = sorted(axis % ndim for axis in axes)
        if len(set(found)) < len(found):
            raise InvalidValueError(f"axis names one axis of {ndim} twice: {axes}")
        if ndim - 1 not in found:
            raise InvalidValueError(
                f"axis must hold the features, axis -1 or {ndim - 1}, got {self.axis!r}: without "
                "them each feature is divided by a random number, and the limit is not Gaussian"
            )
        return tuple(found)

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Return no parameters."""
        del key, dtype  # nothing is random
        self._axes(1 + len(in_shape))
        return ()

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Normalise each example of a batch."""
        del params
        x = jnp.asarray(x)
        axes = self._axes(x.ndim)
        apart = x - x.mean(axis=axes, keepdims=True)
        square: Array = jnp.mean(apart * apart, axis=axes, keepdims=True)
        return apart / jnp.sqrt(square + self.eps)

    def propagate(self, state: State) -> State:
        """Divide by the standard deviations of rows and columns."""
        if not state.gaussian:
            raise InvalidValueError(
                "LayerNorm has a limit where its input has mean zero over infinitely many "
                "features, right after weights such as ntk.Dense or ntk.Conv (or sums and pools "
                "of these); put one between"
            )
        k = len(state.positions)
        spatial = [axis - 1 for axis in self._axes(k + 2)[:-1]]
        inverse1, inverse2 = (
            self._inverse(var, state, spatial) for var in (state.var1, state.var2)
        )
        # With all pairs of positions, rows have the first and columns the second of each.
        late = k if state.paired else 0
        rows = inverse1.reshape(inverse1.shape[0], 1, *inverse1.shape[1:], *[1] * late)
        columns = inverse2.reshape(1, inverse2.shape[0], *[1] * late, *inverse2.shape[1:])
        scale = rows * columns

        def normalised(var: Array, inverse: Array) -> Array:
            if not state.paired:
                return var * inverse**2
            first = inverse.reshape(inverse.shape + (1,) * k)
            return var * first * inverse.reshape(inverse.shape[:1] + (1,) * k + inverse.shape[1:])

        return dataclasses.replace(
            state,
            cov=scale * state.cov,
            tangent=None if state.tangent is None else scale * state.tangent,
            var1=normalised(state.var1, inverse1),
            var2=normalised(state.var2, inverse2),
            gap=None if state.gap is None else scale * state.gap,
        )

    def _inverse(self, var: Array, state: State, spatial: list[int]) -> Array:
        r"""Return :math:`(\bar K + \epsilon)^{-1/2}` at each position."""
        own = own_positions(var, len(state.positions)) if state.paired else var
        mean = own.mean(axis=tuple(1 + axis for axis in spatial), keepdims=True)
        total = jnp.broadcast_to(mean, own.shape) + self.eps
        positive = total > 0  # eps may be zero, and an input too
        inverse: Array = jnp.where(positive, 1.0 / jnp.sqrt(jnp.where(positive, total, 1.0)), 0.0)
        return inverse
