"""The differential equation of training in function space, solved by diffrax."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ntk import checks, extras
from ntk.errors import InvalidValueError

TOLERANCE = {"float64": 1e-9, "float32": 1e-5}
"""Absolute and relative error of one step, unless another is asked for."""


class Problem(NamedTuple):
    """What the equation is made of.

    Attributes
    ----------
    K : Array, shape (n, n) or (n, n, k, k)
        The kernel.
    f0 : Array, shape (n, k)
        Training outputs at time 0.
    rate : float or Array, shape ()
        Learning rate.
    momentum : float or Array, shape (), or None
        Without it the equation is of first order.
    """

    K: Array
    f0: Array
    rate: Any
    momentum: Any


def bind(function: Any, *arguments: Any) -> Any:
    """Fix the first arguments; JAX knows the arrays among them, as it does not in a closure."""
    return jax.tree_util.Partial(function, *arguments)  # type: ignore[no-untyped-call]


def load() -> Any:
    """Import diffrax, and optax beside it, or say how to get them."""
    extras.load("optax", "training")
    return extras.load("diffrax", "training")


def apply_kernel(K: Array, values: Float[Array, "*times n k"]) -> Float[Array, "*times m k"]:
    """Multiply a kernel, for all outputs alike or coupling them, with numbers on its points."""
    if K.ndim == 2:
        return K @ values
    return jnp.einsum("ijab,...jb->...ia", K, values)


def velocity(direction: Any, t: Array, state: Any, problem: Problem) -> Any:
    """Return the velocity of the dual coefficients, and their acceleration if there is momentum."""
    coefficients = state[0]
    push = problem.rate * direction(t, problem.f0 + apply_kernel(problem.K, coefficients))
    if problem.momentum is None:
        return (push,)
    return state[1], push - (1.0 - problem.momentum) * state[1]


def solve(
    direction: Any,
    problem: Problem,
    times: Float[Array, " times"],
    tolerance: float | None,
    solver: Any,
    max_steps: int,
) -> Float[Array, "times n k"]:
    """Return the dual coefficients at times in any order."""
    diffrax = load()
    if tolerance is None:
        tolerance = TOLERANCE.get(str(problem.K.dtype), 1e-3)
    zero = jnp.zeros_like(problem.f0)
    order = jnp.argsort(times)
    solution = diffrax.diffeqsolve(
        # A pytree and not a closure, so that the compiled solver serves the next call as well.
        diffrax.ODETerm(bind(velocity, direction)),
        diffrax.Tsit5() if solver is None else solver,
        t0=jnp.zeros((), times.dtype),
        t1=times[order[-1]],
        dt0=None,
        y0=(zero,) if problem.momentum is None else (zero, zero),
        args=problem,
        stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
        saveat=diffrax.SaveAt(ts=times[order]),
        max_steps=max_steps,
        throw=False,
    )
    failed = solution.result != diffrax.RESULTS.successful
    if checks.is_concrete(failed) and bool(np.asarray(failed)):
        raise InvalidValueError(
            f"the solver did not reach t = {float(times.max()):g} in max_steps={max_steps} steps "
            f"of tolerance {tolerance:g}: the equation is stiff if eigenvalues times time are "
            "large. Pass solver=diffrax.Kvaerno5(), a larger max_steps or a larger tolerance"
        )
    path: Array = solution.ys[0]
    return path[jnp.argsort(order)]
