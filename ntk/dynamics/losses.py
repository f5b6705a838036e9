"""Losses by name: sums over all examples and outputs, from optax, with checks of the targets."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk import checks
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError
from ntk.extras import load

Loss = Callable[[Array, Array], Array]
"""A function ``loss(f, y)`` of outputs and targets, both ``(n, k)``, with one number as result."""


def squared(f: Array, y: Array) -> Array:
    r"""Half the sum of squares, :math:`\tfrac12 \sum (f - y)^2`."""
    total: Array = load("optax", "training").l2_loss(f, y).sum()
    return total


def cross_entropy(f: Array, y: Array) -> Array:
    r"""Softmax cross-entropy, :math:`-\sum y \log \operatorname{softmax} f` over each row."""
    total: Array = load("optax", "training").softmax_cross_entropy(f, y).sum()
    return total


def logistic(f: Array, y: Array) -> Array:
    r"""Logistic loss of labels :math:`\pm 1`, :math:`\sum \log(1 + e^{-y f})`."""
    total: Array = load("optax", "training").sigmoid_binary_cross_entropy(f, 0.5 * (1.0 + y)).sum()
    return total


def huber(f: Array, y: Array) -> Array:
    r"""Huber loss, :math:`\sum h(f - y)` with :math:`h(r) = r^2 / 2` up to 1, then linear."""
    total: Array = load("optax", "training").huber_loss(f, y, delta=1.0).sum()
    return total


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "huber": huber,
    "logistic": logistic,
    "squared": squared,
}


def find_loss(loss: Any, y: Array) -> Loss:
    """Return a loss by name, or a user's own, once targets and result have been looked at."""
    if isinstance(loss, str):
        checks.choice("loss", loss, LOSSES)
        _check_targets(loss, y)
        return LOSSES[loss]
    if not callable(loss):
        raise InvalidTypeError(
            f"loss must be a name or a function loss(f, y), got {type(loss).__name__}"
        )
    value = jax.eval_shape(loss, y, y)
    if getattr(value, "shape", None) != ():
        raise ShapeError(
            f"loss(f, y) must return one number for all examples, got shape "
            f"{getattr(value, 'shape', type(value).__name__)}; take its sum"
        )
    own: Loss = loss
    return own


def _check_targets(loss: str, y: Array) -> None:
    if loss == "cross_entropy" and y.shape[1] < 2:
        raise ShapeError(
            f"y must have a column for each class, at least two, for loss='cross_entropy'; got "
            f"shape {y.shape}. For labels in one column use jax.nn.one_hot(labels, classes), or "
            "loss='logistic' with y = -1 and 1"
        )
    if not checks.is_concrete(y):
        return
    values = np.asarray(y)
    if loss == "cross_entropy" and not (
        (values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=1e-3)
    ):
        raise InvalidValueError(
            "y must hold probabilities for loss='cross_entropy': each row at least 0 and with sum "
            f"1, such as one-hot labels; got rows with sums {values.sum(axis=1)[:3]} ..."
        )
    if loss == "logistic" and not (np.abs(values) == 1).all():
        odd = values[np.abs(values) != 1][0]
        raise InvalidValueError(
            f"y must be -1 or 1 for loss='logistic', got {odd}; labels 0 and 1 become 2 * y - 1"
        )


def downhill(loss: Loss, scale: Any, y: Array, _: Array, f: Array) -> Array:
    """Return minus the gradient of a loss with respect to the outputs."""
    gradient: Array = jax.grad(loss)(f, y)
    return jnp.negative(scale * gradient)
