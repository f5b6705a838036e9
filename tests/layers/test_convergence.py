"""Finite networks converge to their limits: a slope of -1/2 on logarithmic axes, for each layer."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk

SEEDS = 400
POINTS, SEQUENCES, IMAGES, BATCH = (3, 4), (2, 5, 3), (2, 4, 4, 2), (8, 9)
WEIGHTS = {"sigma_w": 1.4, "sigma_b": 0.3}


def dense(width: int) -> ntk.Dense:
    return ntk.Dense(width, **WEIGHTS)


def conv(width: int, window: int = 3, **how) -> ntk.Conv:
    return ntk.Conv(width, (window,), **WEIGHTS, **how)


# Each ends in features, of which a readout makes the network.
NETS: dict[str, tuple[tuple[int, ...], Callable[[int], list]]] = {
    "dense": (POINTS, lambda n: [dense(n), ntk.Relu(), dense(n), ntk.Relu()]),
    "SAME, flatten": (
        SEQUENCES,
        lambda n: [conv(n), ntk.Relu(), conv(n, strides=(2,)), ntk.Relu(), ntk.Flatten()],
    ),
    "VALID, global pool": (
        IMAGES,
        lambda n: [
            ntk.Conv(n, (2, 2), padding="VALID", **WEIGHTS),
            ntk.Relu(),
            ntk.Conv(n, (2, 2), strides=(2, 1), padding="VALID", **WEIGHTS),
            ntk.Relu(),
            ntk.GlobalAvgPool(),
        ],
    ),
    "CIRCULAR, average pool": (
        SEQUENCES,
        lambda n: [
            conv(n, padding="CIRCULAR"),
            ntk.Relu(),
            ntk.AvgPool((2,), strides=(1,)),
            conv(n, padding="CIRCULAR"),
            ntk.Erf(),
            ntk.Flatten(),
        ],
    ),
    "transposed, sum pool": (
        SEQUENCES,
        lambda n: [
            ntk.ConvTranspose(n, (3,), strides=(2,), **WEIGHTS),
            ntk.Erf(),
            ntk.SumPool((3,)),
            conv(n),
            ntk.Erf(),
            ntk.GlobalAvgPool(),
        ],
    ),
    "residual": (
        POINTS,
        lambda n: [
            dense(n),
            ntk.Residual(ntk.Serial(ntk.Relu(), dense(n))),
            ntk.Residual(ntk.Serial(ntk.Erf(), dense(n))),
            ntk.Relu(),
        ],
    ),
    "parallel sum": (
        POINTS,
        lambda n: [
            dense(n),
            ntk.Relu(),
            ntk.ParallelSum(dense(n), ntk.Serial(dense(n), ntk.Erf(), dense(n))),
            ntk.Relu(),
        ],
    ),
    "layer norm": (
        POINTS,
        lambda n: [dense(n), ntk.LayerNorm(), ntk.Relu(), dense(n), ntk.LayerNorm(), ntk.Erf()],
    ),
    "layer norm over space": (
        SEQUENCES,
        lambda n: [conv(n), ntk.LayerNorm((1, 2)), ntk.Relu(), conv(n), ntk.GlobalAvgPool()],
    ),
    "attention": (
        SEQUENCES,
        lambda n: [
            dense(n),
            ntk.Relu(),
            ntk.SelfAttention(heads=1, key_dim=n, sigma_b=0.3),
            ntk.Relu(),
            ntk.Flatten(),
        ],
    ),
    "recurrent": (
        SEQUENCES,
        lambda n: [ntk.Recurrent(n, activation="erf", sigma_w=1.2, sigma_b=0.3)],
    ),
    # In use, without masks: before a readout its kernel is that of the network without it.
    "dropout": (POINTS, lambda n: [dense(n), ntk.Relu(), dense(n), ntk.Relu(), ntk.Dropout(0.3)]),
    "batch norm before": (
        BATCH,
        lambda n: [dense(n), ntk.Erf(), dense(n), ntk.BatchNorm(eps=0.1), ntk.Relu()],
    ),
    "batch norm after": (
        BATCH,
        # The error of the limit by draws must be well below that of the networks.
        lambda n: [
            dense(n),
            ntk.Erf(),
            dense(n),
            ntk.Relu(),
            ntk.BatchNorm(eps=0.1, draws=2**16),
        ],
    ),
}
FOUR = dict.fromkeys(("dense", "attention", "recurrent"), (32, 64, 128, 256))


def deviations(body: Callable[[int], list], x, width: int, limit) -> np.ndarray:
    """Return how far each seed's NNGP and NTK are off relative to the limit, and from a wrong one.

    The wrong one is half as large again: its two rows come last.
    """
    net = ntk.Serial(*body(width), ntk.Dense(1))

    def one_network(params):
        features = ntk.Serial(*net.layers[:-1]).apply(params[:-1], x)
        tangent = ntk.empirical_ntk(
            net.apply, params, x, method="jacobian", coupled=x.shape == BATCH
        )
        found = features @ features.T / features.shape[1], tangent
        return jnp.stack(
            [
                jnp.linalg.norm(k - factor * e) / jnp.linalg.norm(e)
                for factor in (1.0, 1.5)
                for k, e in zip(found, limit, strict=True)
            ]
        )

    # In NTK parametrisation all parameters are standard normal; NumPy draws them faster.
    shapes = jax.eval_shape(lambda key: net.init(key, x.shape[1:]), jax.random.key(0))
    rng = np.random.default_rng(width)
    several = jax.jit(jax.vmap(one_network))
    found = [
        several(jax.tree.map(lambda s: rng.standard_normal((20, *s.shape), np.float32), shapes))
        for _ in range(SEEDS // 20)
    ]
    return np.concatenate(found).astype(np.float64).T


def slope(widths, values) -> tuple[float, float]:
    """Return the 99 % bootstrap interval of the slope of the median over seeds.

    Not of the mean square: a channel's standard deviation over a batch may be close to zero, and
    the square of what is divided by it has no variance.
    """
    drawn = np.random.default_rng(0).integers(SEEDS, size=(1000, len(widths), SEEDS))
    resampled = values[np.arange(len(widths))[:, None], drawn]
    x = np.log(widths) - np.log(widths).mean()
    slopes = np.log(np.median(resampled, -1)) @ x / (x @ x)
    return tuple(np.quantile(slopes, [0.005, 0.995]))


@pytest.mark.parametrize("name", NETS)
def test_deviation_falls_as_the_root_of_the_width(name):
    shape, body = NETS[name]
    x = jnp.asarray(np.random.default_rng(0).standard_normal(shape), jnp.float32)
    widths = FOUR.get(name, (32, 256))
    limit = ntk.kernel(ntk.Serial(*body(widths[-1]), ntk.Dense(1)), x)
    found = np.stack([deviations(body, x, width, limit) for width in widths], axis=1)
    intervals = [slope(widths, values) for values in found]
    for low, high in intervals[:2]:
        assert -0.65 < low < high < -0.35
    for low, high in intervals[2:]:
        assert not -0.65 < low < high < -0.35
