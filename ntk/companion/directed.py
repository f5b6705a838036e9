"""Training of the parameters along any direction in function space, as an equation in time."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from ntk.dynamics.function_flow import Direction
from ntk.errors import InvalidValueError, ShapeError
from ntk.model import Model


def directed_flow(
    f: Model,
    params: Any,
    x: Any,
    direction: Direction,
    *,
    time: Float[ArrayLike, ""],
    steps: int,
    records: int,
    observe: Callable[[Any], Any],
) -> Any:
    r"""Let the parameters follow a direction of the outputs, and look at them on the way.

    .. math:: \dot\theta = \sum_i J(x_i)^\top d_t(x_i),

    the training of Jacot et al. 2018, Theorem 2, with the sum over the data instead of their
    mean; :class:`ntk.DirectionFlow` is its limit. With :math:`d_t = y - f_t` it is gradient flow
    of squared loss, with other residuals that of other losses; but a direction need not descend
    anything.

    Parameters
    ----------
    f : callable
        A model ``f(params, x) -> (n, k)``.
    params : pytree of Array
        Where it starts.
    x : Array
        Training inputs, ``n`` of them.
    direction : callable
        ``direction(t, f)`` of the time and the training outputs ``(n, k)``: an array ``(n, k)``.
    time : float
        How long.
    steps : int
        Steps of the solver, the classical Runge-Kutta method of order 4. It is stable while step
        times eigenvalue of the kernel stays below 2.7.
    records : int
        How often to look, at equal distances, besides the start; a divisor of ``steps``.
    observe : callable
        What to look at, a function of the parameters.

    Returns
    -------
    pytree of Array, leading axis ``records + 1``
        What was seen, at the start first.

    Raises
    ------
    ShapeError
        If the direction does not have the shape of the outputs.
    InvalidValueError
        If ``records`` does not divide ``steps``.

    Notes
    -----
    :func:`ntk.companion.descent.parameter_flow` chooses its steps and is more accurate. This
    one compiles in a fraction of the time, and each width is a program of its own.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> one = jnp.ones((1, 1))
    >>> turning = lambda t, f: jnp.cos(t) * one
    >>> w = directed_flow(
    ...     lambda w, x: w * x, 0.0, one, turning,
    ...     time=jnp.pi / 2, steps=8, records=1, observe=lambda w: w,
    ... )
    >>> w.round(3).tolist()
    [0.0, 1.0]
    """

    def velocity(t: Array, theta: Any) -> Any:
        outputs, pull_back = jax.vjp(lambda p: f(p, x), theta)
        push = direction(t, outputs)
        if jnp.shape(push) != outputs.shape:
            raise ShapeError(
                f"direction(t, f) must return the shape of the outputs, {outputs.shape}; got "
                f"{jnp.shape(push)}"
            )
        return pull_back(push.astype(outputs.dtype))[0]

    step = time / steps

    def advance(s: Array, theta: Any) -> Any:
        t = s * step
        k1 = velocity(t, theta)
        k2 = velocity(t + step / 2, _ahead(theta, step / 2, k1))
        k3 = velocity(t + step / 2, _ahead(theta, step / 2, k2))
        k4 = velocity(t + step, _ahead(theta, step, k3))
        mean = jax.tree.map(lambda a, b, c, d: (a + 2 * b + 2 * c + d) / 6, k1, k2, k3, k4)
        return _ahead(theta, step, mean)

    def until_next(theta: Any, record: Array) -> tuple[Any, Any]:
        theta = jax.lax.fori_loop(record * gap, (record + 1) * gap, advance, theta)
        return theta, observe(theta)

    gap, rest = divmod(steps, records)
    if rest:
        raise InvalidValueError(
            f"steps must be a multiple of records={records}, got {steps}; take {steps - rest}"
        )
    start = jax.tree.map(jnp.asarray, params)
    _, seen = jax.lax.scan(until_next, start, jnp.arange(records))
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), observe(start), seen)


def _ahead(theta: Any, step: Any, velocity: Any) -> Any:
    return jax.tree.map(lambda a, v: jnp.asarray(a + step * v, a.dtype), theta, velocity)
