"""Least squares to the end: damped Gauss-Newton steps, which are those of least norm."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from ntk.model import Model


def levenberg_marquardt(
    f: Model, params: Any, x: Any, y: Float[Array, "n k"], *, steps: int
) -> Any:
    r"""Minimise squared residuals by damped Gauss-Newton steps (Levenberg 1944, Marquardt 1963).

    .. math:: \theta' = \theta - J^\top (J J^\top + \mu)^{-1} r

    A step that lowers the loss is taken and the damping :math:`\mu` divided by 3, another one is
    refused and the damping multiplied by 4. For small damping a step is the shortest that solves
    the linearised problem, so that for a linear model it leads to where descent from the same
    start ends; but a hard problem does not make it slow.

    Parameters
    ----------
    f : callable
        A model ``f(params, x) -> (n, k)``.
    params : pytree of Array
        Where it starts.
    x : Array, leading axis n
        Inputs.
    y : Array, shape (n, k)
        Targets.
    steps : int
        How many steps, those refused included.

    Returns
    -------
    pytree of Array
        The parameters.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> one = jnp.ones((1, 1))
    >>> w = levenberg_marquardt(lambda w, x: x * w**2, jnp.asarray(3.0), one, 4 * one, steps=20)
    >>> round(float(w), 4)
    2.0
    """
    start, unravel = ravel_pytree(jax.tree.map(jnp.asarray, params))

    def residual(theta: Array) -> Array:
        return (f(unravel(theta), x) - y).reshape(-1)

    def step(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        theta, damping = state
        r, J = residual(theta), jax.jacrev(residual)(theta)
        damped = J @ J.T + damping * jnp.eye(len(r), dtype=r.dtype)
        moved = theta - J.T @ jnp.linalg.solve(damped, r)
        # A NaN is no improvement either.
        better = jnp.sum(residual(moved) ** 2) < jnp.sum(r**2)
        damping = jnp.where(better, damping / 3, damping * 4)
        return (jnp.where(better, moved, theta), damping), None

    K = jax.jacrev(residual)(start)
    damping = jnp.mean(jnp.sum(K**2, axis=1))
    (end, _), _ = jax.lax.scan(step, (start, damping), None, length=steps)
    return unravel(end)
