"""Fully-connected networks with biases: time, memory, and the distance to the machine's limit."""

from benchmarks.case import Case
from benchmarks.networks import LIMIT, OURS, PEER, PEER_BATCHED, PEER_EAGER

TITLE = "Fully-connected networks"
KIND = "time"
SIDES = (OURS, PEER, PEER_BATCHED, PEER_EAGER, LIMIT)


def _case(
    activation: str, depth: int, sigma_w: float, *, aim: float, least: float | None = None
) -> Case:
    names = {"relu": "ReLU", "erf": "erf", "gelu": "GELU"}
    return Case(
        id=f"{activation}-depth-{depth}",
        title=f"{names[activation]}, depth {depth}",
        sides=SIDES,
        parameters={
            "activation": activation,
            "depth": depth,
            "n": 5000,
            "d": 100,
            "sigma_w": sigma_w,
            "sigma_b": 0.1,
        },
        quick={"n": 60, "d": 8},
        aim=aim,
        least=least,
    )


CASES = (
    _case("relu", 3, 2**0.5, aim=15.0, least=12.0),
    _case("relu", 10, 2**0.5, aim=35.0, least=28.0),
    _case("erf", 3, 1.5, aim=3.0),
    _case("gelu", 3, 2**0.5, aim=3.0),
)
