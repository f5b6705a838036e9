"""How time and memory of an empirical kernel grow with inputs, outputs and width."""

from benchmarks.case import Case
from benchmarks.cases.empirical import MLP
from benchmarks.finite import OURS, PEER

TITLE = "Growth of empirical kernels with inputs, outputs and width"
KIND = "time"
SIZES = {"n": (50, 100, 200, 400), "k": (3, 6, 12, 24), "width": (256, 512, 1024, 2048)}
FIXED = {**MLP, "n": 100}


def _case(name: str, value: int) -> Case:
    return Case(
        id=f"{name}-{value}",
        title=f"{name} = {value:,}",
        sides=(OURS, PEER),
        parameters={**FIXED, name: value},
        quick={"d": 5, "n": 6, "k": 3, "width": 8, name: 2 + value // 100},
        rounds=2,
    )


CASES = tuple(_case(name, value) for name, values in SIZES.items() for value in values)
