"""What a step descends: the loss of a batch, scaled so that it stands for all of the data."""

from collections.abc import Callable

from jax import Array

from ntk.dynamics.losses import Loss
from ntk.dynamics.trajectory import LossScale


def scaled(
    loss: Loss, loss_scale: LossScale, examples: int, size: int
) -> Callable[[Array, Array], Array]:
    """Return the loss of a batch as an estimate, on average right, of the loss of all examples.

    Parameters
    ----------
    loss : callable
        A function ``loss(f, y)`` with one number for the examples that it gets.
    loss_scale : {"sum", "mean"}
        ``"mean"`` divides by ``size``.
    examples, size : int
        How many examples there are in all, and how many targets: ``len(y)`` and ``y.size``.
    """

    def total(f: Array, y: Array) -> Array:
        factor = examples / len(y) / (size if loss_scale == "mean" else 1)
        return factor * loss(f, y)

    return total
