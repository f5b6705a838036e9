"""What is minimised: named losses or a user's own, summed over examples and then scaled."""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk import checks
from ntk.errors import InvalidTypeError, InvalidValueError

Loss = Callable[[Array, Array], Array]
"""A function ``loss(outputs, y)`` whose entries, one or many an example, are added up."""

LossScale = Literal["sum", "mean"]


def squared(outputs: Array, y: Array) -> Array:
    r"""Half the squared residuals, :math:`\tfrac12 (f - y)^2`, entry by entry."""
    return 0.5 * (outputs - y) ** 2


def cross_entropy(outputs: Array, y: Array) -> Array:
    r"""Softmax cross-entropy, :math:`-\sum_a y_a \log \operatorname{softmax}(f)_a`, an example."""
    return -jnp.sum(y * jax.nn.log_softmax(outputs, axis=-1), axis=-1)


LOSSES: dict[str, Loss] = {"squared": squared, "cross_entropy": cross_entropy}


def scaled(loss: Loss, loss_scale: LossScale, examples: int, size: int) -> Loss:
    """Return the loss of a batch, an unbiased estimate of the loss of all examples.

    Parameters
    ----------
    loss : callable
        The loss whose entries are added up.
    loss_scale : {"sum", "mean"}
        ``"mean"`` divides by ``size``.
    examples, size : int
        How many examples there are in all, and how many targets: ``len(y)`` and ``y.size``.
    """

    def total(outputs: Array, y: Array) -> Array:
        factor = examples / len(y) / (size if loss_scale == "mean" else 1)
        return factor * jnp.sum(loss(outputs, y))

    return total


def check_loss(loss: Any, outputs: Any, y: Array) -> Loss:
    """Return the loss as a function; raise if it does not fit outputs and targets.

    Parameters
    ----------
    loss : str or callable
        What the user asked for.
    outputs : ShapeDtypeStruct
        What the model returns.
    y : Array
        The targets, of the same shape.
    """
    if not callable(loss):
        checks.choice("loss", loss, LOSSES)
        loss = LOSSES[loss]
    if loss is cross_entropy:
        _check_probabilities(y)
    value = jax.eval_shape(loss, outputs, y)
    if not (hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.floating)):
        raise InvalidTypeError(
            "loss(outputs, y) must return one floating array, entries to be added up; got "
            f"{getattr(value, 'dtype', type(value).__name__)}"
        )
    found: Loss = loss
    return found


def _check_probabilities(y: Array) -> None:
    if y.shape[-1] < 2:
        raise InvalidValueError(
            "cross_entropy needs at least two outputs, one a class: the softmax of a single one "
            f"is always 1; got y of shape {y.shape}"
        )
    if not checks.is_concrete(y):
        return
    values = np.asarray(y, np.float64)
    if values.min() < 0 or np.abs(values.sum(axis=-1) - 1).max() > 1e-3:
        raise InvalidValueError(
            "y must hold probabilities for cross_entropy, rows that are not negative and sum to "
            f"1; got entries from {values.min():.3g} to {values.max():.3g}. From class numbers: "
            "jax.nn.one_hot(labels, classes), not centred"
        )
