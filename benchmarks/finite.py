"""Empirical kernels of finite networks on every side, and the matrix products that they need."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import models
from benchmarks.case import Parameters, Side, Work

# Numbers of the peer's `NtkImplementation`, which cannot be imported here.
JACOBIAN_CONTRACTION, NTK_VECTOR_PRODUCTS, STRUCTURED_DERIVATIVES = 1, 2, 3


def _on_device(p: Parameters) -> tuple[Any, Any, Any, list[np.ndarray]]:
    import jax

    f, params, x = models.build(p)
    inputs = [x, *map(np.asarray, jax.tree_util.tree_leaves(params))]
    return f, jax.device_put(params), jax.device_put(x), inputs


def _ours(method: Any) -> Callable[[Parameters], Work]:
    """Return our kernel, by one of its methods or by the one that it takes by itself."""

    def build(p: Parameters) -> Work:
        import jax

        import ntk
        from ntk.empirical.budget import compiled_bytes

        f, params, x, inputs = _on_device(p)
        how = {"output": p.get("output", "full"), "method": method, "memory": p.get("memory")}

        def kernel(params: Any, x: Any) -> Any:
            return ntk.empirical_ntk(f, params, x, **how)

        return Work(
            inputs,
            lambda: jax.block_until_ready(kernel(params, x)),
            planned=lambda: compiled_bytes(kernel, params, x),
        )

    return build


def _peer(implementation: int) -> Callable[[Parameters], Work]:
    """Return the peer's kernel of all pairs of outputs, compiled, examples one by one."""

    def build(p: Parameters) -> Work:
        import jax
        import neural_tangents as nt

        f, params, x, inputs = _on_device(p)
        kernel = jax.jit(
            nt.empirical_ntk_fn(f, trace_axes=(), vmap_axes=0, implementation=implementation)
        )
        return Work(inputs, lambda: jax.block_until_ready(kernel(x, None, params)))

    return build


def limit(p: Parameters) -> Work:
    """Compute the large matrix products of a fully-connected network's kernel, and nothing else.

    For each hidden layer: the forward pass, half of the Gram matrix of what goes in, half of that
    of the cotangents of every output, and from the second layer on the pass of these to the layer
    before. No way that contracts inputs and cotangents layer by layer does with less; the products
    of the readout, whose cotangents are unit vectors, are small.
    """
    import jax
    import jax.numpy as jnp

    *_, inputs = _on_device(p)
    draw = np.random.default_rng(0)
    rows = p["n"] * p["k"]
    widths = [p["d"], *[p["width"]] * p["depth"]]

    def normal(*shape: int) -> Any:
        return jnp.asarray(draw.standard_normal(shape), jnp.float32)

    layers = [
        (normal(p["n"], i), normal(i, o), normal(rows, o)) for i, o in itertools.pairwise(widths)
    ]

    @jax.jit
    def products(layers: Any) -> Any:
        made = []
        for number, (before, weight, cotangents) in enumerate(layers):
            made += [before @ weight, before[: p["n"] // 2] @ before.T]
            made += [cotangents[: rows // 2] @ cotangents.T]
            made += [cotangents @ weight.T] if number else []
        return made

    return Work(inputs, lambda: jax.block_until_ready(products(layers)))


OURS = Side("ours", "ntk", _ours("auto"))
METHODS = tuple(
    Side(name, f"`{name}`", _ours(name)) for name in ("structured", "jacobian", "vector_products")
)
PEER = Side(
    "peer", "neural-tangents, structured derivatives", _peer(STRUCTURED_DERIVATIVES), "peer"
)
PEER_DEFAULT = Side(
    "peer-default", "neural-tangents, its default", _peer(JACOBIAN_CONTRACTION), "peer"
)
PEER_VECTOR = Side(
    "peer-vector", "neural-tangents, NTK-vector products", _peer(NTK_VECTOR_PRODUCTS), "peer"
)
LIMIT = Side("limit", "its matrix products alone", limit, compared=False)
