"""Convolutional networks on images: with a global pool, which needs all pairs of positions."""

from typing import Any

import numpy as np

from benchmarks.case import Case, Parameters, Side, Work

TITLE = "Convolutional networks"
KIND = "time"


def images(p: Parameters) -> np.ndarray:
    """Return standard normal images ``(n, size, size, channels)``, the same on every side."""
    shape = p["n"], p["size"], p["size"], p["channels"]
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def ours(p: Parameters) -> Work:
    """Compute our kernel of a symmetric set of images."""
    import jax

    import ntk

    layers: list[Any] = []
    for _ in range(p["depth"]):
        conv = ntk.Conv(64, (3, 3), sigma_w=p["sigma_w"], sigma_b=p["sigma_b"])
        layers += [conv, ntk.Relu()]
    top = ntk.GlobalAvgPool() if p["top"] == "pool" else ntk.Flatten()
    net = ntk.Serial(*layers, top, ntk.Dense(1, sigma_w=p["sigma_w"], sigma_b=p["sigma_b"]))
    x = images(p)
    on_device = jax.numpy.asarray(x)
    return Work([x], lambda: jax.block_until_ready(ntk.kernel(net, on_device, get="ntk")))


def _peer_kernel(p: Parameters) -> Any:
    from neural_tangents import stax

    scales = {"W_std": p["sigma_w"], "b_std": p["sigma_b"], "parameterization": "ntk"}
    layers = []
    for _ in range(p["depth"]):
        layers += [stax.Conv(64, (3, 3), padding="SAME", **scales), stax.Relu()]
    top = stax.GlobalAvgPool() if p["top"] == "pool" else stax.Flatten()
    return stax.serial(*layers, top, stax.Dense(1, **scales))[2]


def peer(p: Parameters) -> Work:
    """Compute the peer's kernel, compiled as a whole: memory grows with the square of ``n``."""
    import jax

    kernel, x = jax.jit(_peer_kernel(p), static_argnames="get"), images(p)
    on_device = jax.numpy.asarray(x)
    return Work([x], lambda: jax.block_until_ready(kernel(on_device, None, get="ntk")))


def peer_batched(p: Parameters) -> Work:
    """Compute the peer's kernel in its own batches: memory is bounded, the symmetry not used."""
    import jax
    import neural_tangents as nt

    kernel = nt.batch(_peer_kernel(p), batch_size=p["peer_batch"], store_on_device=True)
    x = images(p)
    on_device = jax.numpy.asarray(x)
    return Work([x], lambda: jax.block_until_ready(kernel(on_device, None, get="ntk")))


OURS = Side("ours", "ntk", ours)
PEER = Side("peer", "neural-tangents, jit", peer, "peer")
PEER_BATCHED = Side("peer-batched", "neural-tangents, nt.batch", peer_batched, "peer")


def _case(top: str, size: int, n: int, sides: tuple[Side, ...], **options: Any) -> Case:
    channels = 3 if size == 16 else 1
    words = {"pool": "global average pool", "flatten": "flattened"}
    return Case(
        id=f"{top}-{size}",
        title=f"{words[top]}, {size}×{size}×{channels}, n = {n}",
        sides=sides,
        parameters={
            "top": top,
            "size": size,
            "channels": channels,
            "n": n,
            "depth": 5,
            "sigma_w": 2**0.5,
            "sigma_b": 0.1,
            # One pair of images at a time with a pool, whose pairs of positions fill a cache.
            "peer_batch": 1 if top == "pool" else 10,
        },
        quick={"size": 4, "n": 4, "depth": 2, "peer_batch": 2},
        **options,
    )


BOTH = (OURS, PEER, PEER_BATCHED)
# Twelve images: compiled as a whole the peer takes 5.9 GiB for forty, and in batches a second for
# eight pairs.
CASES = (
    _case("pool", 16, 12, BOTH, aim=35.0, least=25.0, rounds=2),
    _case("flatten", 16, 200, BOTH, aim=3.0, rounds=2),
    _case("pool", 28, 100, (OURS,), rounds=1, repetitions=1),
    _case("flatten", 28, 500, (OURS,), rounds=1),
)
