"""Random masks, in training only."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.errors import InvalidValueError
from ntk.layers.base import Params, WithoutParameters, description
from ntk.state import State


@description
class Dropout(WithoutParameters):
    r"""Each entry is kept with probability :math:`q = 1 - \text{rate}` and divided by :math:`q`.

    :meth:`apply` is the network in use, without randomness: the identity. :meth:`mask` is one
    pass in training. The kernel is that of training, with masks that are independent for any two
    passes, also for two of the same example:

    .. math:: K(x, x') = \mathbb E[z(x) z(x')] \mapsto K(x, x'), \qquad
              v(x) = \mathbb E[z(x)^2] \mapsto v(x) / q.

    Only the variance of a single pass grows (Srivastava et al. 2014; Schoenholz et al. 2017 for
    what it does to correlations), and through the next weights and activation it changes all of
    :math:`K`. An entry times its mask is no Gaussian, so that weights must follow before the next
    activation.
    This is the kernel of the network averaged over its masks: positive semi-definite, and the
    same function of two inputs on and off the diagonal. The library neural-tangents differs on
    the diagonal of a training set alone, where it takes both passes with one mask and so adds
    that mask's noise.

    Parameters
    ----------
    rate : float
        The probability that an entry is dropped, at least 0 and less than 1.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is not.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> layer = ntk.Dropout(0.5)
    >>> sorted({float(y) for y in layer.mask(jax.random.key(0), jnp.ones(20))})
    [0.0, 2.0]
    >>> layer.apply((), jnp.ones(2)).tolist()
    [1.0, 1.0]
    """

    rate: Any

    def __post_init__(self) -> None:
        """Check the rate."""
        rate = checks.number("rate", self.rate)
        if isinstance(rate, float) and not 0 <= rate < 1:
            raise InvalidValueError(
                f"rate is the probability of dropping an entry, from 0 to below 1, got {rate}"
            )
        object.__setattr__(self, "rate", rate)

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Return the batch as it is."""
        del params
        return jnp.asarray(x)

    def mask(self, key: PRNGKeyArray, x: ArrayLike) -> Array:
        """Drop entries, as one pass in training does."""
        x = jnp.asarray(x)
        kept = jax.random.bernoulli(key, 1.0 - self.rate, x.shape)
        return jnp.where(kept, x / (1.0 - self.rate), 0.0)

    def propagate(self, state: State) -> State:
        """Let the variance of a pass grow, and with it the gap of each pair."""
        more = self.rate / (1.0 - self.rate)
        gap = state.gap
        if gap is not None:
            gap = (1.0 + more) * gap + more * jnp.abs(state.cov)

        def noisy(var: Array) -> Array:
            larger: Array = (1.0 + more) * var
            if not state.paired:
                return larger
            count = math.prod(state.positions)
            flat = var.reshape(len(var), count, count)
            own: Array = flat + more * flat * jnp.eye(count, dtype=var.dtype)
            return own.reshape(var.shape)

        return dataclasses.replace(
            state, var1=noisy(state.var1), var2=noisy(state.var2), gap=gap, gaussian=False
        )
