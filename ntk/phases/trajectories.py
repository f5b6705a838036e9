"""Lengths and correlation of a pair of inputs, layer by layer."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.phases.mean_field import MeanField, correlations, lengths


class Trajectory(NamedTuple):
    """A pair of inputs on its way through the layers.

    Attributes
    ----------
    length1, length2 : Array, shape (depth + 1, ...)
        Variances of the preactivations, from the first layer on.
    correlation : Array, shape (depth + 1, ...)
        Their correlation.
    """

    length1: Array
    length2: Array
    correlation: Array


def trajectory(
    field: MeanField,
    q1: Num[ArrayLike, "..."],
    q2: Num[ArrayLike, "..."],
    c: Num[ArrayLike, "..."],
    depth: int,
) -> Trajectory:
    r"""Apply the maps of lengths and correlations again and again.

    .. math:: q_i^{(\ell + 1)} = V(q_i^{(\ell)}), \qquad
              c^{(\ell + 1)} = C(c^{(\ell)}; q_1^{(\ell)}, q_2^{(\ell)}),

    as in Poole et al. 2016, section 2.

    Parameters
    ----------
    field : MeanField
        The layer.
    q1, q2 : ArrayLike
        Variances of the first preactivations, arrays that broadcast.
    c : ArrayLike
        Their correlation.
    depth : int
        How many more layers.

    Returns
    -------
    Trajectory
        Each part with a leading axis of ``depth + 1``.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a number is out of range.

    Examples
    --------
    >>> import ntk
    >>> field = ntk.phases.MeanField("relu", sigma_w=2**0.5)
    >>> path = ntk.phases.trajectory(field, 1.0, 1.0, 0.0, depth=2)
    >>> [round(float(c), 4) for c in path.correlation]  # every pair becomes parallel, slowly
    [0.0, 0.3183, 0.4937]
    """
    depth = checks.positive_integer("depth", depth)
    start = jnp.broadcast_arrays(lengths("q1", q1), lengths("q2", q2), correlations("c", c))
    dtype = jnp.result_type(*start)
    first: Any = tuple(part.astype(dtype) for part in start)
    parts = _iterate(field, first, depth)
    return Trajectory(*parts)


@partial(jax.jit, static_argnums=2)
def _iterate(field: MeanField, first: Any, depth: int) -> Any:
    def step(state: Any, _: None) -> Any:
        q1, q2, c = state
        after = field.length_map(q1), field.length_map(q2), field.correlation_map(c, q1, q2)
        # Rounding may carry a correlation over 1.
        after = (*after[:2], jnp.clip(after[2], -1.0, 1.0))
        state = tuple(new.astype(c.dtype) for new in after)
        return state, state

    later = jax.lax.scan(step, first, length=depth)[1]
    return [jnp.concatenate([a[None], b]) for a, b in zip(first, later, strict=True)]
