"""The loop: steps of an optimiser, compiled once, with a look at the parameters in between."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.dynamics.losses import Loss
from ntk.dynamics.trajectory import LossScale
from ntk.errors import InvalidTypeError
from ntk.extras import load
from ntk.model import Model
from ntk.training.objective import scaled
from ntk.training.record import observer


@dataclass(frozen=True)
class Plan:
    """Everything that is not an array: what a compilation depends on.

    Attributes
    ----------
    f, loss, loss_scale
        The model and what is minimised.
    optimizer : GradientTransformation, callable, or None
        The optimiser, or what makes one from a learning rate; plain descent if ``None``.
    batch_size : int or None
        Examples a step; all of them if ``None``.
    names : frozenset of str
        What is recorded.
    features, measure : callable or None
        The user's own functions of ``(params, x)`` and of ``params``.
    every : int or None
        Steps between two records if that is one number.
    rest : int
        Steps after the last record.
    """

    f: Model
    loss: Loss
    loss_scale: LossScale
    optimizer: Any
    batch_size: int | None
    names: frozenset[str]
    features: Any
    measure: Any
    every: int | None
    rest: int


class State(NamedTuple):
    """What is carried from step to step."""

    params: Any
    optimizer: Any
    step: Array
    highest: Array
    diverged_at: Array


def schedule(at: np.ndarray, steps: int) -> tuple[np.ndarray, int | None, int]:
    """Return the steps before each record, the one number that they are, and those after."""
    gaps = np.diff(at, prepend=0)
    lengths = set(gaps[gaps > 0].tolist())
    return gaps, lengths.pop() if len(lengths) == 1 else None, steps - int(at[-1])


def run(plan: Plan, *arguments: Any) -> tuple[State, dict[str, Any]]:
    """Return the final state and the stacked records, by a program that is kept for next time."""
    try:
        program = _prepared(plan)
    except TypeError:  # something in it cannot be hashed: compiled anew at each call
        program = _prepared.__wrapped__(plan)
    return program(*arguments)


@lru_cache(maxsize=64)
def _prepared(plan: Plan) -> Callable[..., tuple[State, dict[str, Any]]]:
    return jax.jit(partial(_run, plan))


def _run(
    plan: Plan,
    params: Any,
    data: tuple[Any, Array, Any],
    learning_rate: Array,
    key: Any,
    gaps: Array,
) -> tuple[State, dict[str, Any]]:
    x, y, _ = data
    total = scaled(plan.loss, plan.loss_scale, len(y), y.size)
    optimizer = make_optimizer(plan.optimizer, learning_rate)
    observe = observer(plan.names, plan.f, total, plan.features, plan.measure, params, data)

    def step(_: Any, state: State) -> State:
        rows, targets = x, y
        if plan.batch_size is not None:
            chosen = batch(key, state.step, len(y), plan.batch_size)
            rows, targets = jax.tree.map(lambda leaf: leaf[chosen], (x, y))

        def objective(current: Any) -> Array:
            return total(plan.f(current, rows), targets)

        value, gradient = jax.value_and_grad(objective)(state.params)
        updates, memory = optimizer.update(
            gradient, state.optimizer, state.params, value=value, grad=gradient, value_fn=objective
        )
        moved = jax.tree.map(lambda p, u: jnp.asarray(p + u, p.dtype), state.params, updates)
        first = (state.diverged_at < 0) & ~jnp.isfinite(value)
        return State(
            moved,
            memory,
            state.step + 1,
            jnp.maximum(state.highest, value),
            jnp.where(first, state.step, state.diverged_at),
        )

    def advance(state: State, gap: Array) -> Any:
        if plan.every is None:
            return jax.lax.fori_loop(0, gap, step, state)
        # A fixed number of steps can be differentiated backwards, a traced one cannot.
        many = partial(jax.lax.fori_loop, 0, plan.every, step)
        return jax.lax.cond(gap > 0, many, lambda state: state, state)

    def until_next(state: State, gap: Array) -> tuple[State, dict[str, Any]]:
        state = advance(state, gap)
        return state, observe(state.params)

    value = jax.eval_shape(lambda p: total(plan.f(p, x), y), params)
    start = State(
        params,
        optimizer.init(params),
        jnp.zeros((), jnp.int32),
        jnp.full((), -jnp.inf, value.dtype),
        jnp.full((), -1, jnp.int32),
    )
    state, records = jax.lax.scan(until_next, start, gaps)
    return jax.lax.fori_loop(0, plan.rest, step, state) if plan.rest else state, records


def batch(key: Any, step: Array, examples: int, size: int) -> Array:
    """Return the examples of a step: each epoch goes through them in an order of its own."""
    steps_an_epoch = examples // size
    epoch, position = jnp.divmod(step, steps_an_epoch)
    order = jax.random.permutation(jax.random.fold_in(key, epoch), examples)
    return jax.lax.dynamic_slice_in_dim(order, position * size, size)


def make_optimizer(optimizer: Any, learning_rate: Any) -> Any:
    """Return the optax transformation, plain gradient descent by default.

    Raises
    ------
    MissingExtraError
        If optax is not installed.
    InvalidTypeError
        If it is no optimiser.
    """
    optax = load("optax", "training")
    made = optax.sgd if optimizer is None else optimizer
    if callable(made):
        made = made(learning_rate)
    if not isinstance(made, optax.GradientTransformation):
        raise InvalidTypeError(
            "optimizer must be an optax.GradientTransformation such as optax.adam(1e-3), or a "
            f"function from a learning rate to one such as optax.adam, got {optimizer!r}"
        )
    return optax.with_extra_args_support(made)
