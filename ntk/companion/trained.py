"""Many networks of one width, trained side by side, and what a formula has to say of them."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from numpy.typing import ArrayLike, NDArray

from ntk.dynamics.trajectory import LossScale
from ntk.empirical import empirical_ntk
from ntk.errors import InvalidValueError, ShapeError
from ntk.layers import Layer
from ntk.model import Model
from ntk.training import train

Values = NDArray[np.float64]
Moment = Literal["mean", "std", "covariance"]
Numbers = ArrayLike | float | int


class Trained(NamedTuple):
    """What :func:`train_many` returns.

    Attributes
    ----------
    outputs : NDArray, shape (members, records, points)
        Outputs on the training points and behind them the test points.
    kernels : NDArray, shape (members, points, points)
        Empirical tangent kernels at the start, or ``None``.
    displacements : NDArray, shape (members, P)
        How far each parameter has moved in the end, or ``None``.
    """

    outputs: Values
    kernels: Values | None
    displacements: Values | None


def antisymmetric(net: Layer) -> Model:
    r"""Return two copies of a network, one subtracted from the other.

    .. math:: f(\theta, \theta'; x) = \tfrac{1}{\sqrt 2}
              \bigl( g(\theta; x) - g(\theta'; x) \bigr)

    From :math:`\theta' = \theta` it starts at the zero function, with the tangent kernel of
    :math:`g`, the mean of two equal ones (the doubling trick of Chizat et al.
    2019).

    Parameters
    ----------
    net : Layer
        The description of :math:`g`.

    Returns
    -------
    callable
        A function of ``((params, params), x)``.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> net = ntk.mlp(depth=1, width=8)
    >>> params = net.init(jax.random.key(0), (2,))
    >>> antisymmetric(net)((params, params), jnp.ones((3, 2))).tolist()
    [[0.0], [0.0], [0.0]]
    """

    def difference(pair: Any, x: Any) -> Array:
        first, second = pair
        halves: Array = net.apply(first, x) - net.apply(second, x)
        return halves / 2**0.5

    return difference


def train_many(
    net: Layer,
    x: ArrayLike,
    y: ArrayLike,
    *,
    members: int,
    learning_rate: float,
    at: Any,
    x_test: ArrayLike | None = None,
    loss_scale: LossScale = "sum",
    from_zero: bool = False,
    targets_from_start: bool = False,
    kernels: bool = False,
    displacements: bool = False,
    seed: int = 0,
    at_once: int = 32,
) -> Trained:
    r"""Train many networks that differ in their start only, by full-batch descent.

    Parameters
    ----------
    net : Layer
        The description, with one output.
    x, y : array_like, shapes (n, d) and (n, 1)
        Training data; their dtype is that of the computation.
    members : int
        How many networks.
    learning_rate : float
        The rate; after ``s`` steps the time of the flow is ``learning_rate * s``.
    at : sequence of int
        After which numbers of steps to record; the last one ends the training.
    x_test : array_like, shape (m, d), optional
        Further points at which outputs are recorded.
    loss_scale : {"sum", "mean"}
        As for :func:`ntk.train`.
    from_zero : bool, default False
        Whether to train the :func:`antisymmetric` network, whose outputs start at zero.
    targets_from_start : bool, default False
        Whether ``y`` is what to add to the outputs at the start: the same as to train the network
        centred, minus its own start, towards ``y``.
    kernels, displacements : bool, default False
        Whether to return these as well.
    seed : int
        Of all starts.
    at_once : int, default 32
        How many networks share the memory, at most.

    Returns
    -------
    Trained
        In float64.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> x, y = jnp.eye(2), jnp.ones((2, 1))
    >>> net = ntk.mlp(depth=1, width=16, activation="erf")
    >>> found = train_many(net, x, y, members=6, learning_rate=0.5, at=[0, 10], at_once=3)
    >>> found.outputs.shape
    (6, 2, 2)
    """
    # A rest would be compiled as a second program.
    at_once = max(k for k in range(1, min(at_once, members) + 1) if members % k == 0)
    x, y = jnp.asarray(x), jnp.asarray(y)
    points = x if x_test is None else jnp.concatenate([x, jnp.asarray(x_test)])
    when = tuple(int(step) for step in at)
    program = _program(
        net, when, loss_scale, from_zero, targets_from_start, kernels, displacements, at_once
    )
    keys = jax.random.split(jax.random.key(seed), members)
    found = program(keys, x, y, points, learning_rate)
    return Trained(*jax.tree.map(lambda part: np.asarray(part, np.float64), found))


@lru_cache(maxsize=8)
def _program(
    net: Layer,
    when: tuple[int, ...],
    loss_scale: LossScale,
    from_zero: bool,
    targets_from_start: bool,
    kernels: bool,
    displacements: bool,
    at_once: int,
) -> Callable[..., tuple[Any, ...]]:
    """Compile for one kind of network; other data, rates and seeds use the same program."""
    f = antisymmetric(net) if from_zero else net.apply

    def member(key: Array, x: Array, y: Array, points: Array, rate: Array) -> tuple[Any, ...]:
        start = net.init(key, x.shape[1:], dtype=x.dtype)
        start = (start, start) if from_zero else start
        run = train(
            f,
            start,
            x,
            y + f(start, x) if targets_from_start else y,
            learning_rate=rate,
            steps=when[-1],
            at=when,
            loss_scale=loss_scale,
            record=(),
            measure=lambda params: f(params, points),
        )
        moved = ravel_pytree(jax.tree.map(jnp.subtract, run.params, start))[0]
        return (
            run.measured[..., 0],
            empirical_ntk(f, start, points) if kernels else None,
            moved if displacements else None,
        )

    def all_members(keys: Array, *data: Array) -> tuple[Any, ...]:
        each: tuple[Any, ...] = jax.lax.map(
            lambda key: member(key, *data), keys, batch_size=at_once
        )
        return each

    return jax.jit(all_members)


def decay_rates(
    steps: ArrayLike, components: ArrayLike, learning_rate: float, window: Numbers
) -> Values:
    r"""Fit the eigenvalue by which descent shrinks each component of the residual.

    Descent with a constant kernel multiplies the component along an eigenvector by
    :math:`1 - \eta\lambda` a step. A line through the origin is fitted to
    :math:`\log \lvert c_s / c_0 \rvert` over the steps of the window; with its slope :math:`b`

    .. math:: \lambda = \frac{1 - e^{b}}{\eta} .

    Parameters
    ----------
    steps : array_like, shape (r,)
        The steps of the records; the first is 0.
    components : array_like, shape (..., r, modes)
        Components of the residual.
    learning_rate : float
        The rate :math:`\eta`.
    window : array_like, shape (modes,) or ()
        The last step that counts for each component.

    Returns
    -------
    NDArray, shape (..., modes)

    Raises
    ------
    InvalidValueError
        If the records do not start at step 0, or a window holds no further one.

    Examples
    --------
    >>> import numpy as np
    >>> residuals = np.array([[4.0], [2.0], [1.0]])  # halved by each step
    >>> decay_rates(np.arange(3), residuals, 0.1, 2)
    array([5.])
    """
    when, values = np.asarray(steps, float), np.asarray(components, float)
    counted = when[:, None] <= np.broadcast_to(window, values.shape[-1:])
    if when[0] != 0 or (counted.sum(axis=0) < 2).any():
        raise InvalidValueError(
            f"steps must start at 0 and have another one in every window, got {when.tolist()}"
        )
    logarithms = np.log(np.abs(values / values[..., :1, :]))
    weighted = np.where(counted, when[:, None], 0.0)
    slopes = (weighted * logarithms).sum(axis=-2) / (weighted**2).sum(axis=0)
    return np.asarray(-np.expm1(slopes) / learning_rate)


def moment(samples: ArrayLike, kind: Moment) -> tuple[Values, Values]:
    r"""Return a moment of replicates along axis 0, and its standard error.

    The error is that of a mean of independent terms, without the assumption that they are normal:
    of the samples themselves, or of the products of their deviations from the mean. That of the
    standard deviation follows by the delta method, :math:`\delta s = \delta(s^2) / 2s`.

    Parameters
    ----------
    samples : array_like, shape (members, ...)
        Replicates; for the covariance ``(members, ..., points)``.
    kind : {"mean", "std", "covariance"}
        Which one.

    Returns
    -------
    tuple of NDArray
        Shapes ``(...)``, or ``(..., points, points)`` for the covariance.

    Raises
    ------
    ShapeError
        If there are fewer than two replicates.

    Examples
    --------
    >>> import numpy as np
    >>> moment(np.array([[1.0], [3.0]]), "mean")
    (array([2.]), array([1.]))
    """
    values = np.asarray(samples, float)
    if values.ndim == 0 or len(values) < 2:
        raise ShapeError(f"samples must hold two replicates or more, got shape {values.shape}")
    count = len(values)
    if kind == "mean":
        error = values.std(axis=0, ddof=1) / count**0.5
        return np.asarray(values.mean(axis=0)), np.asarray(error)
    centred = values - values.mean(axis=0)
    others = centred[..., None, :] if kind == "covariance" else centred
    terms = (centred[..., None] if kind == "covariance" else centred) * others
    terms = terms * count / (count - 1)
    mean, error = terms.mean(axis=0), terms.std(axis=0, ddof=1) / count**0.5
    if kind == "covariance":
        return mean, error
    deviation = np.sqrt(mean)
    return np.asarray(deviation), np.asarray(error / (2 * deviation))


def beyond_bias(
    narrow: ArrayLike, wide: ArrayLike, predicted: Numbers, kind: Moment = "mean"
) -> Values:
    r"""Return by how many standard errors a moment misses a limit more than the width explains.

    If a moment of networks of width :math:`n` is off by :math:`c / n`, then the moments at
    :math:`n` and :math:`2n` differ by :math:`c / 2n`, which is the bias that is left at
    :math:`2n`. So

    .. math:: \frac{\lvert m_{2n} - p \rvert - \lvert m_{2n} - m_n \rvert}{\mathrm{SE}(m_{2n})}

    should not exceed a few.

    Parameters
    ----------
    narrow, wide : array_like, shape (members, ...)
        Replicates at width :math:`n` and :math:`2n`.
    predicted : array_like
        The limit :math:`p` of the moment.
    kind : {"mean", "std", "covariance"}
        Which moment.

    Returns
    -------
    NDArray, of the shape of the moment

    Raises
    ------
    ShapeError
        If there are fewer than two replicates, or the shapes do not match.

    Examples
    --------
    >>> import numpy as np
    >>> narrow, wide = np.array([0.0, 2.0]), np.array([1.0, 3.0])
    >>> beyond_bias(narrow, wide, 5.0)  # 3 off, of which 1 is bias; the error is 1
    array(2.)
    """
    limit = np.asarray(predicted, float)
    (before, _), (value, error) = moment(narrow, kind), moment(wide, kind)
    if before.shape != value.shape or limit.shape not in ((), value.shape):
        raise ShapeError(
            f"narrow, wide and predicted must fit, got moments of shape {before.shape}, "
            f"{value.shape} and predicted of shape {limit.shape}"
        )
    return np.asarray((np.abs(value - limit) - np.abs(value - before)) / error)
