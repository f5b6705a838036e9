"""Kernels of a ResNet-18 and a vision transformer: time and memory on this machine."""

from benchmarks.case import Case
from benchmarks.finite import OURS

TITLE = "Real models"
KIND = "time"
NAMES = {"resnet": "ResNet-18", "vit": "vision transformer"}
SIZES = {"pseudo": 256, "full": 32}
WIDTHS = {"resnet": 64, "vit": 192}
MEMORY = "8GiB"


def _case(model: str, output: str) -> Case:
    n = SIZES[output]
    kind = "pseudo-NTK" if output == "pseudo" else "full NTK"
    return Case(
        id=f"{model}-{output}",
        title=f"{NAMES[model]}, {kind} of {n} pictures",
        sides=(OURS,),
        parameters={
            "model": model,
            "output": output,
            "n": n,
            "k": 10,
            "width": WIDTHS[model],
            "memory": MEMORY,
        },
        quick={"n": 3, "width": 6},
        rounds=1,
        repetitions=1,
    )


CASES = tuple(_case(model, output) for model in NAMES for output in SIZES)
