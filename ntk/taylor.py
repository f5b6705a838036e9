"""Taylor expansion of a model in its parameters."""

from collections.abc import Callable
from functools import reduce
from math import factorial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.errors import InvalidTypeError, InvalidValueError
from ntk.model import Model


def linearize(f: Model, params: Any) -> Model:
    r"""First-order expansion of a model around given parameters.

    .. math:: f_\text{lin}(\theta, x) = f(\theta_0, x)
              + \partial_\theta f(\theta_0, x) \cdot (\theta - \theta_0)

    (Lee et al. 2019, section 2). Its tangent kernel is that of ``f`` at ``params``, whatever
    the parameters it is evaluated at. It is :func:`ntk.taylor_expand` of degree 1.

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
    return taylor_expand(f, params, 1)


def taylor_expand(f: Model, params: Any, degree: int) -> Model:
    r"""Taylor polynomial of a model around given parameters.

    .. math:: f^{(d)}(\theta, x) &= \sum_{k=0}^d \frac1{k!}
              \frac{\partial^k}{\partial s^k} f(\theta_0 + s\,\delta, x) \Big|_{s=0}, \\
              \delta &= \theta - \theta_0.

    The remainder is of order :math:`\|\delta\|^{d+1}` where ``f`` is smooth. Degree 2 is the
    quadratic model of training, whose kernel moves (Bai and Lee 2020).

    Parameters
    ----------
    f : callable
        A model ``f(params, x) -> (n, k)``.
    params : pytree of Array
        The point of expansion.
    degree : int
        The degree :math:`d`, at least 0. Derivatives are forward mode within forward mode.
        Compiled, the polynomial costs about :math:`2 d` evaluations of ``f``, since equal
        derivatives are computed once; but the time of compilation doubles with each degree.

    Returns
    -------
    callable
        The polynomial as a model ``(params, x) -> (n, k)``, to be used wherever ``f`` can be.

    Raises
    ------
    InvalidTypeError
        If ``f`` cannot be called, the degree is not a whole number, or the returned model gets
        parameters of another structure.
    InvalidValueError
        If the degree is negative.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> quadratic = ntk.taylor_expand(lambda w, x: x * w**3, jnp.asarray(1.0), 2)
    >>> float(quadratic(jnp.asarray(1.5), jnp.ones((1, 1)))[0, 0])  # 1 + 3 / 2 + 3 / 4
    3.25
    """
    if not callable(f):
        raise InvalidTypeError(f"f must be a function f(params, x), got {type(f).__name__}")
    if isinstance(degree, bool) or not isinstance(degree, int):
        raise InvalidTypeError(f"degree must be a whole number, got {degree!r}")
    if degree < 0:
        raise InvalidValueError(f"degree must be at least 0, got {degree}")

    def polynomial(new_params: Any, x: Any) -> Array:
        got: Any = jax.tree.structure(new_params)
        expected: Any = jax.tree.structure(params)
        if got != expected:
            raise InvalidTypeError(
                f"params must have the structure of the point of expansion, {expected}; got {got}"
            )
        step = jax.tree.map(lambda new, old: new - old, new_params, params)
        terms = _derivatives(lambda p: f(p, x), params, step, degree)
        scaled = [term / factorial(k) if k > 1 else term for k, term in enumerate(terms)]
        return reduce(jnp.add, scaled)

    return polynomial


def _derivatives(
    g: Callable[[Any], Array], params: Any, step: Any, degree: int
) -> tuple[Array, ...]:
    """Return the value and the derivatives along a direction, up to the degree."""
    if degree == 0:
        return (g(params),)

    def lower(p: Any) -> tuple[Array, ...]:
        return _derivatives(g, p, step, degree - 1)

    value, change = jax.jvp(lower, (params,), (step,))
    return (*value, change[-1])
