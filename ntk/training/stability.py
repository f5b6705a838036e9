"""When descent is stable: the curvature at the start, and the warning that quotes it."""

import sys
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk import checks
from ntk.dynamics.losses import Loss
from ntk.errors import UnstableLearningRateWarning
from ntk.model import Model
from ntk.training.record import TrainingRecord

ITERATIONS = 100


def stable_learning_rate(f: Model, params: Any, x: Any, y: Array, total: Loss) -> Array:
    r"""Return :math:`2 / \lambda_{\max}`, below which descent on the linearised model is stable.

    :math:`\lambda_{\max}` is the largest eigenvalue of :math:`J J^\top H`, with the Jacobian
    :math:`J` of the outputs and the Hessian :math:`H` of the loss in the outputs: of the scaled
    kernel, for squared loss. It is found by power iteration, which never forms a matrix and
    comes from below, so that the rate is rather too large, by a per cent or so.

    Parameters
    ----------
    f, params, x, y
        The model, where it is linearised, and the data.
    total : callable
        The scaled loss of outputs and targets.
    """
    outputs, push = jax.linearize(lambda p: f(p, x), params)
    pull = jax.linear_transpose(push, params)
    slope = jax.grad(total)

    def apply(_: Any, state: tuple[Array, Array]) -> tuple[Array, Array]:
        direction, _ = state
        curved = jax.jvp(lambda u: slope(u, y), (outputs,), (direction,))[1]
        image = push(*pull(curved))
        size = jnp.linalg.norm(image)
        return jnp.where(size > 0, image / size, direction), size

    draw = jax.random.normal(jax.random.key(0), outputs.shape, outputs.dtype)
    start = (draw / jnp.linalg.norm(draw), jnp.zeros((), outputs.dtype))
    top: Array = jax.lax.fori_loop(0, ITERATIONS, apply, start)[1]
    return 2.0 / top


def warn_if_diverged(
    training: TrainingRecord, f: Model, params: Any, x: Any, y: Array, total: Loss, plain: bool
) -> None:
    """Warn if the loss is not finite or has risen, and say which learning rate is stable.

    Traced results are not looked at: under ``jit`` and ``vmap`` the field ``diverged_at`` tells.
    """
    if not checks.is_concrete(training.diverged_at):
        return
    what = _what_happened(training)
    if what is None:
        return
    limit = jax.jit(lambda p: stable_learning_rate(f, p, x, y, total))(params)
    whose = "" if plain else ", for plain gradient descent,"
    warnings.warn(
        f"training diverged: {what}. At the start{whose} a learning_rate below about "
        f"{float(limit):.3g} is stable, 2 / lambda_max of the scaled kernel; the record is kept",
        UnstableLearningRateWarning,
        stacklevel=checks.levels_outside(sys._getframe()),
    )


def _what_happened(training: TrainingRecord) -> str | None:
    step = int(training.diverged_at)
    if step >= 0:
        return f"the loss is not finite from step {step} on"
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(training.params)]
    if not all(np.isfinite(leaf).all() for leaf in leaves):
        return "parameters are not finite after the last step"
    if training.loss is None or len(training.loss) < 2:
        return None
    first, last = float(training.loss[0]), float(training.loss[-1])
    # Noise of small batches moves a loss near its minimum, but not by orders of magnitude.
    if last > 10 * first > 0:
        return (
            f"the loss rose from {first:.3g} after step {int(training.steps[0])} to {last:.3g} "
            f"after step {int(training.steps[-1])}"
        )
    return None
