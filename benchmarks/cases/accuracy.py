"""Single precision against double: where the kernels of close points lose digits."""

import numpy as np

from benchmarks import networks
from benchmarks.case import Case, Parameters, Side, Work, normal_points

TITLE = "Accuracy in single precision"
KIND = "accuracy"
SEPARATIONS = (1e-2, 1e-3, 1e-4)


def points(p: Parameters) -> np.ndarray:
    """Return distinct points of several norms, copies of them, and near-copies of three distances.

    All are float32 numbers, so that both precisions start from the very same inputs.
    """
    n, d = p["n"], p["d"]
    norms = np.geomspace(0.1, 10.0, n)[:, None].astype(np.float32)
    base = normal_points(n, d) * norms
    shift = normal_points(n, d, seed=1) * norms
    near = [base + np.float32(eps) * shift for eps in SEPARATIONS]
    return np.concatenate([base, base, *near]).astype(np.float32)


def classes(p: Parameters) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return rows and columns of each kind of pair, by the name that a reader sees."""
    n = p["n"]
    one = np.arange(n)
    rows, columns = np.triu_indices(n, 1)
    whole = np.arange(n * (2 + len(SEPARATIONS)))
    return {
        "diagonal": (whole, whole),
        "duplicates": (one, one + n),
        **{
            f"near-duplicates, {eps:g} apart": (one, one + n * (2 + k))
            for k, eps in enumerate(SEPARATIONS)
        },
        "ordinary pairs": (rows, columns),
    }


def ours(p: Parameters) -> Work:
    """Compute our kernel in the precision of the process."""
    import jax
    import jax.numpy as jnp

    import ntk

    net, x = networks.description(p), points(p)
    on_device = jnp.asarray(x, dtype=jnp.result_type(float))
    return Work([x], lambda: jax.block_until_ready(ntk.kernel(net, on_device, get="ntk")))


def peer(p: Parameters) -> Work:
    """Compute the peer's kernel, compiled as a whole."""
    import jax

    kernel, x = jax.jit(networks.peer_kernel(p), static_argnames="get"), points(p)
    return Work([x], lambda: jax.block_until_ready(kernel(x, None, get="ntk")))


SIDES = (
    Side("ours", "ntk", ours),
    Side("peer", "neural-tangents, jit", peer, "peer"),
    Side("reference", "ntk, float64", ours, x64=True),
)


def _case(activation: str, title: str, depth: int, sigma_w: float) -> Case:
    return Case(
        id=f"{activation}-depth-{depth}",
        title=f"{title}, depth {depth}",
        sides=SIDES,
        parameters={
            "activation": activation,
            "depth": depth,
            "n": 200,
            "d": 100,
            "sigma_w": sigma_w,
            "sigma_b": 0.1,
        },
        quick={"n": 8, "d": 5},
    )


CASES = (
    _case("relu", "ReLU", 3, 2**0.5),
    _case("relu", "ReLU", 10, 2**0.5),
    _case("erf", "erf", 3, 1.5),
    _case("gelu", "GELU", 3, 2**0.5),
)
