"""The limiting kernels of a description: what to compute, and the tiles it is computed in."""

import dataclasses
import math
from functools import partial
from typing import Any, Literal, overload

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.errors import InvalidTypeError, NTKError
from ntk.inputs import input_state
from ntk.layers.base import Layer, Limit
from ntk.layers.repeat import fold
from ntk.state import Kernel
from ntk.tiles import mirrored, over_tiles

Part = Literal["nngp", "ntk"]


@overload
def kernel(
    net: Layer, x1: ArrayLike, x2: ArrayLike | None = None, *, get: Part
) -> Float[Array, "n1 n2"]: ...
@overload
def kernel(
    net: Layer,
    x1: ArrayLike,
    x2: ArrayLike | None = None,
    *,
    get: tuple[Part, ...] | list[Part] = ...,
) -> Kernel: ...
def kernel(
    net: Layer,
    x1: Num[ArrayLike, "n1 *positions d"],
    x2: Num[ArrayLike, "n2 *positions d"] | None = None,
    *,
    get: Part | tuple[Part, ...] | list[Part] = ("nngp", "ntk"),
) -> Kernel | Float[Array, "n1 n2 *pairs"]:
    r"""Limiting NNGP and NTK of a network description, for all pairs of inputs.

    For each dense layer and activation :math:`\sigma` (Jacot et al. 2018, Proposition 1 and
    Theorem 1; Lee et al. 2018)

    .. math:: \Sigma \mapsto \sigma_w^2\, \mathbb E_{(u, v) \sim \mathcal N(0, \Sigma)}
              [\sigma(u) \sigma(v)] + \sigma_b^2, \qquad
              \Theta \mapsto \sigma_w^2\, \Theta\, \mathbb E[\dot\sigma(u) \dot\sigma(v)]
              + \Sigma,

    starting from :math:`\Sigma = \sigma_w^2 \langle x, x' \rangle / d + \sigma_b^2 = \Theta`.

    Parameters
    ----------
    net : Layer
        A description such as ``ntk.mlp(...)`` or ``ntk.Serial(...)``.
    x1 : ArrayLike, shape (n1, d) or (n1, *positions, channels)
        Inputs: points, images ``(n1, H, W, C)`` or sequences ``(n1, T, d)``.
    x2 : ArrayLike, of the same shape but ``n2``, optional
        Inputs for the columns; ``x1`` if omitted, and the result is then exactly symmetric.
    get : "nngp", "ntk" or a sequence of these
        Which kernels. One word returns the matrix itself.

    Returns
    -------
    Kernel or Array
        ``Kernel(nngp, ntk)`` of ``(n1, n2)`` arrays in the inputs' dtype, a part not asked for
        being ``None``; or one array. A network that keeps its inputs' positions, without
        ``Flatten`` or a global pool, gives ``(n1, n2, *positions, *positions)``.

    Raises
    ------
    InvalidTypeError
        If ``net`` is not a description.
    ShapeError, InvalidValueError
        If inputs have the wrong rank, no rows, different features, a NaN or an infinity.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> net = ntk.mlp(depth=1, activation="relu", sigma_w=2**0.5)
    >>> K = ntk.kernel(net, jnp.asarray([[1.0, 1.0], [1.0, -1.0]]))
    >>> K.nngp.shape, round(float(K.ntk[0, 0]), 4), round(float(K.ntk[0, 1]), 4)
    ((2, 2), 4.0, 0.6366)
    """
    if not isinstance(net, Layer):
        raise InvalidTypeError(
            f"net must be a description such as ntk.mlp(depth=3), got {type(net).__name__}; "
            "for a function f(params, x) use ntk.empirical_ntk(f, params, x)"
        )
    wanted = _parts(get)
    a = checks.inputs("x1", x1)
    b = None
    if x2 is not None:
        b = checks.inputs("x2", x2)
        checks.same_features("x1", a, "x2", b)
        a, b = _common_dtype(a, b)
    try:
        result: Kernel = _kernel(fold(net.limit(), a.dtype), a, b, wanted)
    except NTKError:
        # Once more layer by layer: that error says where it comes from.
        probe = partial(_tile, net, wanted, shift=0, batches=(1,))
        jax.eval_shape(probe, a[:1], (a if b is None else b)[:1])
        raise
    if isinstance(get, str):
        part: Array = getattr(result, get)
        return part
    return result


def _parts(get: Any) -> tuple[str, ...]:
    parts = (get,) if isinstance(get, str) else tuple(get)
    for part in parts or ("",):
        checks.choice("get", part, Kernel._fields)
    return tuple(part for part in Kernel._fields if part in parts)


def _common_dtype(a: Array, b: Array) -> tuple[Array, Array]:
    dtype = jnp.promote_types(a.dtype, b.dtype)
    return a.astype(dtype), b.astype(dtype)


@partial(jax.jit, static_argnums=3)
def _kernel(net: Limit, x1: Array, x2: Array | None, wanted: tuple[str, ...]) -> Kernel:
    if net.couples_batch:
        found = _whole(net, wanted, x1, x2)
    else:
        # One pair of inputs has this many entries on its way.
        entries = math.prod(x1.shape[1:-1]) ** (2 if _paired(net, x1) else 1)
        found = over_tiles(partial(_tile, net, wanted), x1, x2, entries)
    parts = dict(zip(wanted, found, strict=True))
    return Kernel(parts.get("nngp"), parts.get("ntk"))


def _whole(net: Limit, wanted: tuple[str, ...], x1: Array, x2: Array | None) -> list[Array]:
    """Return the matrices of a network in which all examples of an input set meet.

    Both sets are rows and columns of one tile: its blocks are those of each set with itself, which
    such layers read, and of one with the other, which is the result.
    """
    every, n1 = (x1 if x2 is None else jnp.concatenate([x1, x2])), len(x1)
    sizes = (n1,) if x2 is None else (n1, len(x2))
    found = _tile(net, wanted, every, every, 0, sizes)
    return mirrored(found) if x2 is None else [part[:n1, n1:] for part in found]


def _tile(
    net: Limit,
    wanted: tuple[str, ...],
    rows: Array,
    columns: Array,
    shift: Any,
    batches: tuple[int, ...] | None = None,
) -> list[Array]:
    paired = _paired(net, rows)
    own = paired and (net.needs_paired_variances() or not net.single_variances)
    begin = partial(input_state, tangent="ntk" in wanted, paired=paired, paired_variances=own)
    state = net.propagate(dataclasses.replace(begin(rows, columns, shift), batches=batches))
    parts = {"nngp": state.cov}
    if state.tangent is not None:
        parts["ntk"] = state.tangent
    return [parts[name] for name in wanted]


def _paired(net: Limit, x: Array) -> bool:
    return x.ndim > 2 and net.needs_pairs() is not False
