"""Training of a finite network: what is asked for, checked, and handed to the loop."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Num, PRNGKeyArray

from ntk import checks
from ntk.dynamics.losses import Loss, find_loss
from ntk.dynamics.trajectory import LossScale
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError
from ntk.model import Model, check_outputs, check_params
from ntk.training.loop import Plan, run, schedule
from ntk.training.objective import scaled
from ntk.training.record import RECORDS, TrainingRecord, last_hidden
from ntk.training.stability import warn_if_diverged


def train(
    f: Model,
    params: Any,
    x: Any,
    y: Num[ArrayLike, "..."],
    *,
    learning_rate: ArrayLike,
    steps: int,
    loss: str | Loss = "squared",
    loss_scale: LossScale = "sum",
    optimizer: Any = None,
    batch_size: int | None = None,
    key: PRNGKeyArray | None = None,
    at: ArrayLike | Sequence[int | float] | None = None,
    record: str | Sequence[str] = ("outputs", "loss"),
    x_test: Any = None,
    features: Callable[[Any, Any], Array] | None = None,
    measure: Callable[[Any], Any] | None = None,
) -> TrainingRecord:
    r"""Train a finite network by gradient descent, and look at it on the way.

    A step of plain descent is :math:`\theta_{s+1} = \theta_s - \eta \nabla \mathcal L(\theta_s)`;
    after :math:`s` steps of rate :math:`\eta` the time of gradient flow is :math:`t = \eta s`, up
    to an error of first order in :math:`\eta`. The loss is the one of :class:`ntk.GradientFlow`,

    .. math:: \mathcal L = \tfrac12 \sum_i \| f(\theta, x_i) - y_i \|^2,

    or another, so that ``GradientFlow(K, y, loss_scale=...).train(result.times, f0)`` is the
    curve that belongs to the record. All is compiled as one program, which is kept for further
    calls with the same functions and shapes; it traces under ``jit``, ``vmap`` and ``grad``
    (backwards if the records are evenly spaced). An ensemble is a ``vmap`` over parameters and
    keys, see the last example.

    Parameters
    ----------
    f : callable
        A model ``f(params, x) -> (n, k)``: ours, Flax's, Equinox's, anyone's.
    params : pytree of floating Array
        Where it starts.
    x : Array or pytree of Array, leading axis n
        Training inputs.
    y : ArrayLike, of the shape of ``f(params, x)``
        Targets; for ``"cross_entropy"`` probabilities of the classes.
    learning_rate : float
        The rate :math:`\eta`, which is also the time that a step counts as.
    steps : int
        How many steps.
    loss : {"squared", "cross_entropy", "huber", "logistic"} or callable
        As for :class:`ntk.FunctionFlow`: a function ``loss(f, y)`` of outputs and targets returns
        one number, the sum over the examples that it gets.
    loss_scale : {"sum", "mean"}
        ``"mean"`` divides the loss, whichever it is, by ``y.size``.
    optimizer : optax.GradientTransformation, or a function from a rate to one, optional
        ``functools.partial(optax.sgd, momentum=0.9)`` gets ``learning_rate``;
        ``optax.adam(1e-3)`` has its own, and ``learning_rate`` is the unit of time only.
    batch_size : int, optional
        Examples a step, drawn without replacement, in a new order each epoch; an incomplete
        batch at the end of an epoch is left out. The loss of a batch is multiplied by
        ``n / batch_size``, so that its gradient is that of all data on average. All by default.
    key : PRNGKeyArray, optional
        Draws the batches; required with ``batch_size``.
    at : sequence of int or float, optional
        When to record, in ascending order: steps if they are integers, times (rounded to the
        nearest step) if they are floating. By default at the start and at the end.
    record : sequence of {"outputs", "loss", "kernel", "weights", "features"}
        What to record: see :class:`ntk.TrainingRecord`. The kernel costs one
        :func:`ntk.empirical_ntk` of the training points at each record.
    x_test : like ``x`` with leading axis m, optional
        Further inputs, whose outputs are recorded beside those of ``x``.
    features : callable, optional
        Whose movement ``"features"`` records: a function of ``(params, x)``. For the ``apply`` of
        a :class:`ntk.Serial` it is what goes into the last layer.
    measure : callable, optional
        Anything else: a function of the parameters, whose results are stacked.

    Returns
    -------
    TrainingRecord
        A pytree with the final parameters and the records.

    Raises
    ------
    MissingExtraError
        If optax is not installed.
    InvalidTypeError, ShapeError, InvalidValueError
        If ``y`` does not have the shape of the outputs, parameters are not floating, a number is
        out of range, a word unknown, or something is not finite.

    Warns
    -----
    UnstableLearningRateWarning
        If the loss stops being finite, or ends ten times above its start; the message names the
        step and the largest stable learning rate. Under ``jit`` and ``vmap``, where numbers are
        not known, look at ``diverged_at``.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> x = jnp.asarray([[1.0, 0.5], [-0.5, 1.0], [1.0, 1.0]])
    >>> y = jnp.asarray([[1.0], [-1.0], [0.0]])
    >>> net = ntk.mlp(depth=1, width=64)
    >>> params = net.init(jax.random.key(0), (2,))
    >>> result = ntk.train(net.apply, params, x, y, learning_rate=0.1, steps=40, at=[0, 20, 40])
    >>> result.outputs.shape, result.times.round(3).tolist()
    ((3, 3, 1), [0.0, 2.0, 4.0])
    >>> bool(result.loss[2] < result.loss[0])
    True

    Ten networks at once, each with batches of its own:

    >>> def one(key):
    ...     for_params, for_batches = jax.random.split(key)
    ...     params = net.init(for_params, (2,))
    ...     return ntk.train(
    ...         net.apply, params, x, y, learning_rate=0.1, steps=40,
    ...         batch_size=2, key=for_batches,
    ...     )
    >>> ensemble = jax.vmap(one)(jax.random.split(jax.random.key(1), 10))
    >>> ensemble.outputs.shape  # networks, records, points, outputs
    (10, 2, 3, 1)
    """
    if not callable(f):
        raise InvalidTypeError(f"f must be a function f(params, x), got {type(f).__name__}")
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.result_type(leaf)), params)
    check_params(params)
    outputs_each = check_outputs(f, params, "x", x)
    if x_test is not None and check_outputs(f, params, "x_test", x_test) != outputs_each:
        raise ShapeError("f returns another number of outputs on x_test than on x")
    outputs = jax.eval_shape(f, params, x)
    targets = _check_targets(y, outputs)
    checks.choice("loss_scale", loss_scale, ("sum", "mean"))
    function = find_loss(loss, targets)
    rate = _check_rate(learning_rate)
    steps = checks.positive_integer("steps", steps)
    when = _check_at(at, steps, rate)
    names = _check_record(record, f, features)
    gaps, every, rest = schedule(when, steps)
    plan = Plan(
        f,
        function,
        loss_scale,
        optimizer,
        _check_batch(batch_size, len(targets), key),
        names,
        features,
        measure,
        every,
        rest,
    )
    state, seen = run(plan, params, (x, targets, x_test), rate, key, jnp.asarray(gaps))
    fields = dict.fromkeys(
        [
            *("loss", "outputs", "outputs_test", "kernel_drift"),
            *("weight_movement", "feature_movement", "measured"),
        ]
    )
    training = TrainingRecord(
        params=state.params,
        steps=jnp.asarray(when),
        times=jnp.asarray(rate * when),
        highest_loss=state.highest,
        diverged_at=state.diverged_at,
        **{**fields, **seen},
    )
    total = scaled(function, loss_scale, len(targets), targets.size)
    warn_if_diverged(training, f, params, x, targets, total, optimizer is None)
    return training


def _check_targets(y: Any, outputs: Any) -> Array:
    targets = checks.as_array("y", y)
    if targets.shape != outputs.shape:
        flat = targets.shape == outputs.shape[:1]
        hint = (
            "; for one output use y[:, None], for class numbers jax.nn.one_hot(y, classes)"
            if flat
            else ""
        )
        raise ShapeError(
            f"y must have the shape of f(params, x), {outputs.shape}, got {targets.shape}{hint}"
        )
    checks.require_finite("y", targets)
    return targets.astype(outputs.dtype)


def _check_rate(learning_rate: Any) -> Any:
    rate = checks.number("learning_rate", learning_rate)
    if checks.is_concrete(rate) and not (np.ndim(rate) == 0 and 0 < float(rate) < np.inf):
        raise InvalidValueError(f"learning_rate must be positive and finite, got {rate}")
    return rate


def _check_at(at: Any, steps: int, rate: Any) -> np.ndarray:
    if at is None:
        return np.asarray([0, steps])
    if not checks.is_concrete(at):
        raise InvalidTypeError("at must be known when the program is compiled, got a traced array")
    when = np.atleast_1d(np.asarray(at))
    if when.ndim != 1 or when.size == 0 or not np.issubdtype(when.dtype, np.number):
        raise ShapeError(f"at must be a sequence of steps or times, got {at!r}")
    if not np.issubdtype(when.dtype, np.integer):
        if not checks.is_concrete(rate):
            raise InvalidTypeError(
                "at holds times, which need a learning_rate that is known when the program is "
                "compiled; give steps, as integers"
            )
        if not np.isfinite(when).all():
            raise InvalidValueError(f"at must hold finite times, got {when.tolist()}")
        when = np.rint(when / float(rate)).astype(int)
    if when[0] < 0 or when[-1] > steps or (np.diff(when) < 0).any():
        raise InvalidValueError(
            f"at must ascend from 0 to at most steps = {steps}; got, in steps, {when.tolist()}"
        )
    return when


def _check_record(record: Any, f: Any, features: Any) -> frozenset[str]:
    names = (record,) if isinstance(record, str) else tuple(record)
    for name in names:
        checks.choice("record", name, RECORDS)
    if features is not None:
        return frozenset({*names, "features"})
    if "features" in names:
        last_hidden(f)  # raises if it is not known what they are
    return frozenset(names)


def _check_batch(size: Any, examples: int, key: Any) -> int | None:
    if size is None:
        return None
    each = checks.positive_integer("batch_size", size)
    if each > examples:
        raise InvalidValueError(
            f"batch_size must be at most the number of examples, {examples}, got {each}"
        )
    if key is None:
        raise InvalidTypeError(
            "key is missing: batches are drawn at random; pass key=jax.random.key(0)"
        )
    return each
