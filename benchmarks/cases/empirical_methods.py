"""The three methods of the empirical kernel beside each other, and what is taken by itself."""

from benchmarks.case import Case
from benchmarks.cases.empirical import CONV, MLP, QUICK, TRANSFORMER
from benchmarks.finite import METHODS, OURS

TITLE = "Methods for empirical kernels"
KIND = "time"
NETWORKS = {
    "mlp": ("fully-connected, n = 100", {**MLP, "n": 100}),
    "conv": ("convolutional, n = 32", CONV),
    "transformer": ("transformer, n = 32", TRANSFORMER),
}
OUTPUTS = {"full": "all pairs of outputs", "mean": "mean over outputs"}


def _case(network: str, output: str) -> Case:
    title, parameters = NETWORKS[network]
    return Case(
        id=f"{network}-{output}",
        title=f"{title}, {OUTPUTS[output]}",
        sides=(OURS, *METHODS),
        parameters={**parameters, "output": output},
        quick=QUICK[network],
        against="jacobian",
        rounds=1,
    )


CASES = tuple(_case(network, output) for network in NETWORKS for output in OUTPUTS)
