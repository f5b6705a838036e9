"""Taylor expansion of a model in its parameters."""

from typing import Any

import jax
from jax import Array

from ntk.errors import InvalidTypeError
from ntk.model import Model


def linearize(f: Model, params: Any) -> Model:
    r"""First-order expansion of a model around given parameters.

    .. math:: f_\text{lin}(\theta, x) = f(\theta_0, x)
              + \partial_\theta f(\theta_0, x) \cdot (\theta - \theta_0)

    (Lee et al. 2019, section 2). Its tangent kernel is that of ``f`` at ``params``, whatever
    the parameters it is evaluated at.

    Parameters
    ----------
    f : callable
        A model ``f(params, x) -> (n, k)``.
    params : pytree of Array
        The point of expansion.

    Returns
    -------
    callable
        ``f_lin(params, x)``, to be used wherever ``f`` can be.

    Raises
    ------
    InvalidTypeError
        If ``f`` cannot be called, or the returned model gets parameters of another structure.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> f_lin = ntk.linearize(lambda w, x: x * w**2, jnp.asarray(1.0))
    >>> float(f_lin(jnp.asarray(1.5), jnp.ones((1, 1)))[0, 0])
    2.0
    """
    if not callable(f):
        raise InvalidTypeError(f"f must be a function f(params, x), got {type(f).__name__}")

    def f_lin(new_params: Any, x: Any) -> Array:
        got: Any = jax.tree.structure(new_params)
        expected: Any = jax.tree.structure(params)
        if got != expected:
            raise InvalidTypeError(
                f"params must have the structure of the point of expansion, {expected}; got {got}"
            )
        step = jax.tree.map(lambda new, old: new - old, new_params, params)
        value, change = jax.jvp(lambda p: f(p, x), (params,), (step,))
        total: Array = value + change
        return total

    return f_lin
