"""A kernel larger than the memory: computed tile by tile into a folder."""

import re
from typing import Any

import jax
import jax.numpy as jnp

from ntk import checks
from ntk.checks import is_concrete
from ntk.empirical.api import Method
from ntk.empirical.budget import as_text, at_one_go, parse_memory
from ntk.empirical.method import like
from ntk.empirical.request import METHODS, Output, Request, Shapes, check_request, make_request
from ntk.empirical.tiles import build
from ntk.errors import InvalidTypeError, InvalidValueError
from ntk.model import Model
from ntk.store import TileStore, fingerprint


def stream_empirical_ntk(
    store: Any,
    f: Model,
    params: Any,
    x1: Any,
    x2: Any = None,
    *,
    output: Output | int = "mean",
    method: Method = "auto",
    memory: str | int = "1GiB",
) -> TileStore:
    """Empirical tangent kernel in a folder, for results that do not fit into memory.

    Tiles that are there already are not computed again: call it again after an interruption. With
    ``x2`` omitted, tiles above the diagonal alone are computed and kept.

    Parameters
    ----------
    store : str or Path
        The folder. It remembers what its tiles were computed from and refuses anything else.
    f, params, x1, x2, output, method
        As for :func:`ntk.empirical_ntk`; the examples of a batch must not be coupled.
    memory : str or int, default "1GiB"
        Bytes for one tile and its computation, which decide its size.

    Returns
    -------
    TileStore
        ``numpy.asarray(result)`` reads all of it, ``result.rows(i)`` one row of tiles and
        ``result.read(i, j)`` one tile.

    Raises
    ------
    NTKError
        As :func:`ntk.empirical_ntk` does, and if the folder holds something else.

    Examples
    --------
    >>> import tempfile, jax, jax.numpy as jnp, numpy as np, ntk
    >>> net = ntk.mlp(depth=1, width=32)
    >>> x = jax.random.normal(jax.random.key(0), (5, 3))
    >>> params = net.init(jax.random.key(1), (3,))
    >>> stored = stream_empirical_ntk(tempfile.mkdtemp(), net.apply, params, x)
    >>> np.asarray(stored).shape
    (5, 5)
    """
    checks.choice("method", method, ("auto", *METHODS))
    limit = parse_memory(memory)
    if limit is None:
        raise InvalidTypeError("memory must be given: it decides the size of a tile")
    check_request(f, params, x1, x2, output, coupled=False)
    if not all(map(is_concrete, jax.tree.leaves((params, x1, x2)))):
        raise InvalidTypeError(
            "stream_empirical_ntk writes files and cannot run under jit, vmap or grad; "
            "use empirical_ntk there"
        )
    request = make_request(f, params, x1, output, coupled=False)
    result = jax.eval_shape(build(request, "jacobian", None), params, x1, x2)
    digest = fingerprint(_program(f, params, x1), params, x1, x2, str(output))
    size, name = _tile(request, params, x1, x2, method, limit)
    folder = TileStore(store, result.shape, result.dtype, size, symmetric=x2 is None, digest=digest)
    compute = jax.jit(build(request, name, None))
    columns = x1 if x2 is None else x2
    for i, j in folder.missing():
        rows, here = folder.bounds(i, j)
        folder.write(i, j, compute(params, _some(x1, rows), _some(columns, here)))
    return folder


def _some(x: Any, where: range) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(leaf[where.start : where.stop]), x)


def _program(f: Model, params: Any, x: Any) -> tuple[str, list[Any]]:
    """Return what the model does, and the arrays that it closes over."""
    one = jax.tree.map(lambda leaf: leaf[:1], x)
    closed: Any = jax.make_jaxpr(f)(params, one)
    return re.sub(r" at 0x[0-9a-f]+", "", str(closed.jaxpr)), list(closed.consts)


def _tile(
    request: Request, params: Any, x1: Any, x2: Any, method: str, limit: int
) -> tuple[int, str]:
    """Return the largest tile, by halves, that is computed at one go within the memory."""
    params, x1, columns = Shapes.of(params, x1, x1 if x2 is None else x2).arguments()
    size = max(leaf.shape[0] for leaf in jax.tree.leaves((x1, columns)))

    def first(x: Any) -> Any:
        return jax.tree.map(
            lambda leaf: like((min(size, leaf.shape[0]), *leaf.shape[1:]), leaf.dtype), x
        )

    while True:
        name, taken = at_one_go(request, params, first(x1), first(columns), method, limit)
        if taken <= limit:
            return size, name
        if size == 1:
            raise InvalidValueError(
                f"memory={limit} ({as_text(limit)}) is too small: a tile of one example takes "
                f"{as_text(taken)}; at least memory={int(taken)} would do"
            )
        size = (size + 1) // 2
