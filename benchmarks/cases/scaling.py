"""How time and memory grow with the number of inputs and with depth."""

from benchmarks.case import Case
from benchmarks.networks import OURS, PEER, PEER_BATCHED

TITLE = "Scaling in the number of inputs and in depth"
KIND = "time"
SIZES = (100, 300, 1000, 3000, 9000)
DEPTHS = (1, 3, 10, 30)
_NET = {"activation": "relu", "d": 100, "sigma_w": 2**0.5, "sigma_b": 0.1}


def _case(name: str, title: str, n: int, depth: int, quick: dict[str, int]) -> Case:
    return Case(
        id=name,
        title=title,
        sides=(OURS, PEER, PEER_BATCHED),
        parameters={**_NET, "n": n, "depth": depth},
        quick={"d": 8, **quick},
        rounds=2,
    )


CASES = (
    *(_case(f"inputs-{n}", f"ReLU, depth 3, n = {n:,}", n, 3, {"n": n // 50 + 1}) for n in SIZES),
    *(_case(f"depth-{k}", f"ReLU, depth {k}, n = 2,000", 2000, k, {"n": 40}) for k in DEPTHS),
)
