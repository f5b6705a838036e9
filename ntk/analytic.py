"""The limiting kernels of a description: what to compute, and the tiles it is computed in."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, overload

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.errors import InvalidTypeError
from ntk.inputs import input_state
from ntk.layers.base import Layer, Limit
from ntk.layers.repeat import fold
from ntk.state import Kernel

TILE = 512
"""Rows and columns of a tile: three float32 arrays of this size fit a processor's cache."""

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
    x1: Num[ArrayLike, "n1 d"],
    x2: Num[ArrayLike, "n2 d"] | None = None,
    *,
    get: Part | tuple[Part, ...] | list[Part] = ("nngp", "ntk"),
) -> Kernel | Float[Array, "n1 n2"]:
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
    x1 : ArrayLike, shape (n1, d)
        Inputs.
    x2 : ArrayLike, shape (n2, d), optional
        Inputs for the columns; ``x1`` if omitted, and the result is then exactly symmetric.
    get : "nngp", "ntk" or a sequence of these
        Which kernels. One word returns the matrix itself.

    Returns
    -------
    Kernel or Array
        ``Kernel(nngp, ntk)`` of ``(n1, n2)`` arrays in the inputs' dtype, a part not asked for
        being ``None``; or one array.

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
    a = checks.points("x1", x1)
    b = None
    if x2 is not None:
        b = checks.points("x2", x2)
        checks.same_features("x1", a, "x2", b)
        a, b = _common_dtype(a, b)
    result: Kernel = _kernel(fold(net.limit(), a.dtype), a, b, wanted)
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
    def tile(rows: Array, columns: Array, shift: Any) -> list[Array]:
        state = net.propagate(input_state(rows, columns, shift, tangent="ntk" in wanted))
        parts = {"nngp": state.cov}
        if state.tangent is not None:
            parts["ntk"] = state.tangent
        return [parts[name] for name in wanted]

    found = dict(zip(wanted, _over_tiles(tile, x1, x2, len(wanted)), strict=True))
    return Kernel(found.get("nngp"), found.get("ntk"))


def _over_tiles(
    tile: Callable[..., list[Array]], x1: Array, x2: Array | None, parts: int
) -> list[Array]:
    """Fill the result tile by tile; of a symmetric one, compute the upper half only."""
    symmetric = x2 is None
    columns = x1 if x2 is None else x2
    n1, n2 = x1.shape[0], columns.shape[0]
    (height, many1), (width, many2) = map(_split, (n1, n2))
    if many1 == many2 == 1:
        return [_mirror(part, symmetric) for part in tile(x1, columns, 0 if symmetric else None)]

    # Tiles of equal size need no padding: the last ones overlap those before by a few rows. The
    # last on the diagonal comes last of all, so that what the overlap holds is symmetric too.
    grid = [(i, j) for i in range(many1) for j in range(many2) if not symmetric or i <= j]

    def fill(results: list[Array], ij: Array) -> tuple[list[Array], None]:
        i = jnp.minimum(ij[0] * height, n1 - height)
        j = jnp.minimum(ij[1] * width, n2 - width)
        block = tile(
            jax.lax.dynamic_slice_in_dim(x1, i, height),
            jax.lax.dynamic_slice_in_dim(columns, j, width),
            j - i if symmetric else None,
        )
        if symmetric:
            block = [jnp.where(i == j, _mirror(part, True), part) for part in block]
            results = _put(results, [part.T for part in block], j, i)
        return _put(results, block, i, j), None

    empty = [jnp.zeros((n1, n2), x1.dtype) for _ in range(parts)]
    return jax.lax.scan(fill, empty, jnp.asarray(grid))[0]


def _split(n: int) -> tuple[int, int]:
    """Return the size of the tiles and how many there are."""
    many = -(-n // TILE)
    return -(-n // many), many


def _put(results: list[Array], block: list[Array], row: Array, column: Array) -> list[Array]:
    return [
        jax.lax.dynamic_update_slice(result, part, (row, column))
        for result, part in zip(results, block, strict=True)
    ]


def _mirror(part: Array, symmetric: bool) -> Array:
    return jnp.triu(part) + jnp.triu(part, 1).T if symmetric else part
