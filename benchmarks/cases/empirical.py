"""Empirical kernels of finite networks, all pairs of outputs: time, memory, matrix products."""

from benchmarks.case import Case
from benchmarks.finite import LIMIT, OURS, PEER, PEER_DEFAULT, PEER_VECTOR

TITLE = "Empirical kernels"
KIND = "time"
MLP = {"model": "mlp", "width": 512, "depth": 3, "k": 10, "n": 200, "d": 784}
CONV = {"model": "conv", "channels": 32, "depth": 3, "side": 16, "k": 10, "n": 32}
TRANSFORMER = {
    "model": "transformer", "width": 64, "depth": 2, "heads": 4, "tokens": 16, "d": 48,
    "k": 10, "n": 32,
}  # fmt: skip
QUICK = {
    "mlp": {"width": 16, "n": 8, "d": 5, "k": 3},
    "conv": {"channels": 4, "side": 4, "n": 5, "k": 3},
    "transformer": {"width": 8, "heads": 2, "tokens": 3, "d": 5, "n": 5, "k": 3},
}

CASES = (
    Case(
        id="mlp",
        title="fully-connected, width 512, depth 3, n = 200",
        sides=(OURS, PEER, LIMIT),
        parameters=MLP,
        quick=QUICK["mlp"],
        aim=1.5,
    ),
    # By itself, since a call takes a minute and 8 GB.
    Case(
        id="mlp-default",
        title="the same, its default",
        sides=(OURS, PEER_DEFAULT),
        parameters=MLP,
        quick=QUICK["mlp"],
        against="peer-default",
        aim=100.0,
        rounds=1,
    ),
    Case(
        id="conv",
        title="convolutional, 32 channels, depth 3, 16 × 16, n = 32",
        sides=(OURS, PEER, PEER_DEFAULT, PEER_VECTOR),
        parameters=CONV,
        quick=QUICK["conv"],
        aim=1.0,
    ),
    Case(
        id="transformer",
        title="transformer, width 64, 2 blocks, 16 tokens, n = 32",
        sides=(OURS, PEER, PEER_DEFAULT, PEER_VECTOR),
        parameters=TRANSFORMER,
        quick=QUICK["transformer"],
        aim=1.0,
    ),
)
