"""Fully-connected networks on every side, and what the machine itself could do at best."""

from typing import Any

import numpy as np

from benchmarks.case import Parameters, Side, UnavailableError, Work, largest_divisor, normal_points

PEER_ACTIVATIONS = {"relu": "Relu", "erf": "Erf", "gelu": "Gelu"}
# Rows and columns of the limit's tile: two float32 arrays of it fit a core's second cache.
LIMIT_TILE = 256


def points(p: Parameters) -> np.ndarray:
    """Return the inputs of a case."""
    return normal_points(p["n"], p["d"])


def description(p: Parameters) -> Any:
    """Return our description of the network."""
    import ntk
    from ntk.errors import NTKError

    try:
        ntk.mlp(1, activation=p["activation"])  # the name is all that can be wrong here
    except NTKError:
        reason = f"ntk {ntk.__version__} has no activation {p['activation']!r}"
        raise UnavailableError(reason) from None
    return ntk.mlp(
        p["depth"], activation=p["activation"], sigma_w=p["sigma_w"], sigma_b=p["sigma_b"]
    )


def peer_kernel(p: Parameters) -> Any:
    """Return the peer's kernel function of the same network."""
    from neural_tangents import stax

    dense = {"W_std": p["sigma_w"], "b_std": p["sigma_b"], "parameterization": "ntk"}
    layers = []
    for _ in range(p["depth"]):
        layers += [stax.Dense(512, **dense), getattr(stax, PEER_ACTIVATIONS[p["activation"]])()]
    return stax.serial(*layers, stax.Dense(1, **dense))[2]


def ours(p: Parameters) -> Work:
    """Compute our kernel of a symmetric set of inputs."""
    import jax

    import ntk

    net, x = description(p), points(p)
    on_device = jax.numpy.asarray(x)
    return Work([x], lambda: jax.block_until_ready(ntk.kernel(net, on_device, get="ntk")))


def peer(p: Parameters) -> Work:
    """Compute the peer's kernel, compiled as a whole."""
    import jax

    kernel, x = jax.jit(peer_kernel(p), static_argnames="get"), points(p)
    on_device = jax.numpy.asarray(x)
    return Work([x], lambda: jax.block_until_ready(kernel(on_device, None, get="ntk")))


def peer_eager(p: Parameters) -> Work:
    """Call the peer's kernel function as its documentation does, without a `jit` around it."""
    import jax

    kernel, x = peer_kernel(p), points(p)
    on_device = jax.numpy.asarray(x)
    return Work([x], lambda: jax.block_until_ready(kernel(on_device, None, get="ntk")))


def peer_batched(p: Parameters) -> Work:
    """Compute the peer's kernel in its own batches, whose arrays fit the cache better."""
    import jax
    import neural_tangents as nt

    size = largest_divisor(p["n"], 500)
    kernel, x = nt.batch(peer_kernel(p), batch_size=size, store_on_device=True), points(p)
    on_device = jax.numpy.asarray(x)
    return Work([x], lambda: jax.block_until_ready(kernel(on_device, None, get="ntk")))


def limit(p: Parameters) -> Work:
    """Compute one matrix product of the inputs, and one fused pass a layer over half of the pairs.

    A pass reads and writes two numbers a pair and does the least that a layer could, one
    multiplication and one addition on each, on a tile that stays in the cache. No kernel that goes
    layer by layer through all pairs can be faster than that by much; the name is a yardstick's.
    """
    import jax
    import jax.numpy as jnp

    x = points(p)
    on_device = jnp.asarray(x)
    tile = min(LIMIT_TILE, p["n"])
    passes = round(p["depth"] * p["n"] * (p["n"] + 1) / 2 / tile**2)
    start = jnp.full((tile, tile), 0.5, jnp.float32)
    product = jax.jit(lambda a: a @ a.T)

    @jax.jit
    def elementwise(cov: Any, tangent: Any, count: Any) -> Any:
        def one(_: Any, both: Any) -> Any:
            c, t = both
            return 0.9 * c + 0.1, 0.5 * t + c

        return jax.lax.fori_loop(0, count, one, (cov, tangent))

    count = jnp.asarray(passes)
    return Work(
        [x], lambda: jax.block_until_ready((product(on_device), elementwise(start, start, count)))
    )


OURS = Side("ours", "ntk", ours)
PEER = Side("peer", "neural-tangents, jit", peer, "peer")
PEER_EAGER = Side("peer-eager", "neural-tangents, no jit", peer_eager, "peer")
PEER_BATCHED = Side("peer-batched", "neural-tangents, nt.batch", peer_batched, "peer")
LIMIT = Side("limit", "the machine's limit", limit, compared=False)
