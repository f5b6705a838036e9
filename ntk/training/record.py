"""What a training leaves behind: the final parameters, and what was seen on the way."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from ntk.empirical import empirical_ntk
from ntk.errors import InvalidValueError
from ntk.layers import Serial
from ntk.model import Model
from ntk.pytrees import register

RECORDS = ("outputs", "loss", "kernel", "weights", "features")


@register
@dataclasses.dataclass(frozen=True)
class Movement:
    """How far something is from its start, at each record.

    Attributes
    ----------
    distance : Array, shape (r,), or a pytree of these
        Frobenius norm of the change.
    relative : like ``distance``
        The same over the Frobenius norm of the start: infinite if that is zero and has changed.
    """

    distance: Any
    relative: Any


@register
@dataclasses.dataclass(frozen=True)
class TrainingRecord:
    r"""What :func:`ntk.train` returns; ``r`` records, and ``None`` for what was not recorded.

    Attributes
    ----------
    params : pytree of Array
        The parameters after the last step.
    steps : Array, shape (r,)
        The steps after which a record was made.
    times : Array, shape (r,)
        The same in units of flow time, ``learning_rate * steps``.
    loss : Array, shape (r,)
        The loss on all training points, scaled.
    outputs : Array, shape (r, n, k)
        Outputs on the training points.
    outputs_test : Array, shape (r, m, k)
        Outputs on the test points.
    kernel_drift : Array, shape (r,)
        :math:`\|\hat\Theta_t - \hat\Theta_0\|_F / \|\hat\Theta_0\|_F` on the training points, of
        the empirical kernel averaged over outputs.
    weight_movement : Movement
        Of each parameter array: pytrees like ``params``.
    feature_movement : Movement
        Of the features on the training points.
    measured : pytree of Array, leading axis r
        What the user's own ``measure`` returned.
    highest_loss : Array, shape ()
        The largest loss of a batch before any step.
    diverged_at : Array, shape ()
        The first step before which the loss was not finite; -1 if there is none.
    """

    params: Any
    steps: Int[Array, "*seeds r"]
    times: Float[Array, "*seeds r"]
    loss: Float[Array, "*seeds r"] | None
    outputs: Float[Array, "..."] | None
    outputs_test: Float[Array, "..."] | None
    kernel_drift: Float[Array, "*seeds r"] | None
    weight_movement: Movement | None
    feature_movement: Movement | None
    measured: Any
    highest_loss: Float[Array, "*seeds"]
    diverged_at: Int[Array, "*seeds"]


def last_hidden(f: Any) -> Callable[[Any, Any], Array]:
    """Return the features of a description's ``apply``: what goes into its last layer.

    Raises
    ------
    InvalidValueError
        If ``f`` is not the method ``apply`` of a :class:`ntk.Serial` of two layers or more.
    """
    net = getattr(f, "__self__", None)
    if not isinstance(net, Serial) or f != net.apply or len(net.layers) < 2:
        raise InvalidValueError(
            "the features of f are not known, since f is not the apply of an ntk.Serial of "
            "several layers; pass features=, a function of (params, x)"
        )
    hidden = Serial(*net.layers[:-1])
    return lambda params, x: hidden.apply(params[:-1], x)


def observer(
    names: frozenset[str],
    f: Model,
    total: Callable[[Array, Array], Array],
    features: Any,
    measure: Any,
    start: Any,
    data: tuple[Any, Array, Any],
) -> Callable[[Any], dict[str, Any]]:
    """Return the function that looks at parameters and gives the fields of a record."""
    x, y, x_test = data
    kernel0 = empirical_ntk(f, start, x) if "kernel" in names else None
    features0 = None
    if "features" in names:
        features = last_hidden(f) if features is None else features
        features0 = features(start, x)

    def observe(params: Any) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        if names & {"outputs", "loss"}:
            outputs = f(params, x)
            seen["loss"] = total(outputs, y) if "loss" in names else None
        if "outputs" in names:
            seen["outputs"] = outputs
            seen["outputs_test"] = None if x_test is None else f(params, x_test)
        if kernel0 is not None:
            seen["kernel_drift"] = _relative(empirical_ntk(f, params, x), kernel0)
        if "weights" in names:
            seen["weight_movement"] = Movement(
                jax.tree.map(_distance, params, start), jax.tree.map(_relative, params, start)
            )
        if features0 is not None:
            now = features(params, x)
            seen["feature_movement"] = Movement(
                _distance(now, features0), _relative(now, features0)
            )
        if measure is not None:
            seen["measured"] = measure(params)
        return seen

    return observe


def _distance(now: Array, before: Array) -> Array:
    return jnp.sqrt(jnp.sum((now - before) ** 2))


def _relative(now: Array, before: Array) -> Array:
    change = _distance(now, before)
    # What starts at zero and stays there has not moved.
    return jnp.where(change == 0, 0.0, change / jnp.sqrt(jnp.sum(before**2)))
