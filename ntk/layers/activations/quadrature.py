r"""An activation of which only the function is known: Hermite coefficients, or quadrature."""

import sys
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.checks import levels_outside, rounding
from ntk.errors import InvalidTypeError, NTKWarning
from ntk.layers.activations.elementwise import Expectations, Geometric
from ntk.layers.activations.polar import SMOOTH, Function, polar_duals
from ntk.layers.activations.smoothness import find_kink, slope
from ntk.layers.base import description, static
from ntk.layers.pair import Entry, Pair, root

BLOCK, BLOCKS = 16, 512
"""How many Hermite coefficients are added at once, and how often at most."""


@description
class Activation(Geometric):
    r"""Any smooth function of one's own, by quadrature.

    For variances up to about 4 (of a function as smooth as the hyperbolic tangent) the duals are
    sums over Hermite coefficients (Daniely et al. 2016, section 4),

    .. math:: \mathbb E[\sigma\sigma'] &= \sum_k a_k(v_1)\, a_k(v_2)\, \rho^k, \\
              a_k(v) &= \mathbb E\, \sigma(\sqrt v\, z)\, h_k(z),

    found for each input once. For pairs of which the coefficients have not died out it is an
    integral in polar coordinates, at a hundred times the cost.

    What is left out is below 1e-12 (float64) or 1e-6 (float32) of :math:`\sqrt{K(x, x) K(x',
    x')}` for standard deviations up to 100, and 1e-8 up to 1e6, if the function has its features
    near zero, at a scale of 1, and is smooth on the scale of :math:`|x|` further out. A function
    that oscillates for ever needs a standard deviation below some 3.

    Parameters
    ----------
    fn : callable
        A smooth function of an array, elementwise, in JAX. Two activations are equal if their
        functions are: define it once, or every ``lambda`` compiles anew.

    Raises
    ------
    InvalidTypeError
        If it is not callable, not hashable, or does not keep the shape of its argument.

    Warns
    -----
    NTKWarning
        If the function or its derivative jumps. A jump at zero costs time and a few digits, one
        elsewhere the accuracy.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> net = ntk.mlp(2, activation=ntk.Activation(jnp.tanh))
    >>> one = jnp.asarray(1.0)
    >>> round(float(ntk.Activation(jnp.tanh).dual(one, one, one)), 5)
    0.39429
    """

    fn: Callable[[Any], Any] = static()

    def __post_init__(self) -> None:
        """Check the function, and warn if it has a kink."""
        if not callable(self.fn):
            raise InvalidTypeError(
                f"fn must be a function such as jnp.tanh, got {self.fn!r}; "
                'for an activation with a name use the name, as in ntk.mlp(3, activation="tanh")'
            )
        try:
            hash(self.fn)
        except TypeError as error:
            raise InvalidTypeError(
                f"fn must be hashable, so that compiled kernels are found again ({error}); "
                "a plain function is"
            ) from None
        _warn_if_kinked(self.fn)

    def __repr__(self) -> str:
        """Print with the function's name."""
        return f"Activation({getattr(self.fn, '__name__', repr(self.fn))})"

    def function(self, x: Array) -> Array:
        """Evaluate the function."""
        return jnp.asarray(self.fn(x))

    def expectations(self, pair: Pair) -> Expectations:
        """Return both duals: the series, and the integral for those pairs that need it."""
        functions = self.function, slope(self.function)
        duals, known = _series(functions, pair, _cosine(pair))
        shape = duals[0].shape
        found: tuple[Entry, Entry] = jax.lax.cond(
            jnp.all(known),
            lambda: duals,
            lambda: polar_duals(*functions, pair, SMOOTH, (jnp.broadcast_to(known, shape), *duals)),
        )
        return Expectations(_with_slope_at_zero(pair, *found), found[1])


def _with_slope_at_zero(pair: Pair, dual: Entry, derivative: Entry) -> Entry:
    """Give the dual its derivative by the covariance, of which the cosine of a zero has none."""
    zero = (pair.var1 <= 0) | (pair.var2 <= 0)
    change = pair.cov - jax.lax.stop_gradient(pair.cov)
    return dual + jnp.where(zero, jax.lax.stop_gradient(derivative), 0.0) * change


@cache
def _warn_if_kinked(fn: Callable[[Any], Any]) -> None:
    with jax.ensure_compile_time_eval():
        found = jax.eval_shape(fn, jnp.zeros((2, 3)))
    if getattr(found, "shape", None) != (2, 3):
        raise InvalidTypeError(
            "fn must be elementwise: an array of shape (2, 3) gave "
            f"{getattr(found, 'shape', type(found).__name__)}"
        )
    kink = find_kink(fn)
    if kink is not None:
        what = "derivative of the function" if kink.order else "function"
        warnings.warn(
            f"the {what} {getattr(fn, '__name__', fn)!r} jumps near x = {kink.place:.3g}: "
            "quadrature for smooth functions is inaccurate there. Use an activation with a closed "
            "dual (ntk.Relu, ntk.ABRelu, ntk.RectifiedMonomial, ntk.Sign), or derive "
            "ntk.layers.Elementwise and give both duals",
            NTKWarning,
            stacklevel=levels_outside(sys._getframe()),
        )


def _cosine(pair: Pair) -> Entry:
    inverse1, inverse2 = (
        jnp.where(v > 0, jax.lax.rsqrt(jnp.where(v > 0, v, 1.0)), 0.0)
        for v in (pair.var1, pair.var2)
    )
    return pair.cov * inverse1 * inverse2


def _series(
    functions: tuple[Function, Function], pair: Pair, cosine: Entry
) -> tuple[tuple[Entry, Entry], Array]:
    r"""Return :math:`\sum_k a_k(v_1)\, a_k(v_2)\, \rho^k`, and where nothing is missing."""
    dtype = pair.cov.dtype
    point, half, weighted = (jnp.asarray(part, dtype) for part in _trapezoid())
    # One row for each function: first the values on the left input's grid, then on the right's.
    values = [
        jnp.stack([f(root(v)[..., None] * point) * weighted for f in functions])
        for v in (pair.var1, pair.var2)
    ]
    wholes = [jnp.sum(value**2, axis=-1) / STEP for value in values]
    eps = rounding(dtype)

    def polynomial(carry: tuple[Array, Array], order: Array) -> tuple[tuple[Array, Array], Array]:
        last, before = carry
        following = (point * last - jnp.sqrt(order) * before) / jnp.sqrt(order + 1.0)
        return (following, last), last

    def add(carry: Any, block: Any) -> tuple[Any, None]:
        def add_block() -> Any:
            duals, power, recursion, left, _ = carry
            orders = block * BLOCK + jnp.arange(BLOCK, dtype=dtype)
            recursion, table = jax.lax.scan(polynomial, recursion, orders)
            one, two = (
                jnp.matmul(value, table.T, precision=jax.lax.Precision.HIGHEST) for value in values
            )
            for k in range(BLOCK):
                duals = duals + one[..., k] * two[..., k] * power
                power = power * cosine
            shares = [jnp.sum(a**2, axis=-1) for a in (one, two)]
            left = [rest - share for rest, share in zip(left, shares, strict=True)]
            # Parseval's sum tells what is missing, down to its rounding; the last share goes on.
            over = [
                jnp.all((jnp.abs(rest) <= 32 * eps * whole) & (share <= 0.25 * eps * whole), 0)
                for rest, share, whole in zip(left, shares, wholes, strict=True)
            ]
            return duals, power, recursion, left, over

        ended = jnp.all(carry[-1][0]) | jnp.all(carry[-1][1])
        return jax.lax.cond(ended, lambda: carry, add_block), None

    shape = jnp.broadcast_shapes(*(part.shape for part in (cosine, pair.var1, pair.var2)))
    start = (
        jnp.zeros((2, *shape), dtype),
        jnp.ones(shape, dtype),
        (half, jnp.zeros_like(half)),
        wholes,
        [jnp.zeros(whole.shape[1:], bool) for whole in wholes],
    )
    blocks = jnp.arange(BLOCKS, dtype=dtype)
    duals, *_, over = jax.lax.scan(jax.checkpoint(add), start, blocks)[0]
    return (duals[0], duals[1]), over[0] | over[1]


STEP = 0.02
"""Of the trapezoidal rule, exact to rounding for smooth functions times a Gaussian."""


def _trapezoid() -> tuple[Any, Any, Any]:
    """Return points, roots of the normal density, and the same as weights.

    Half of the weight goes with the polynomials, which would overflow without it.
    """
    point = STEP * np.arange(-625, 626)
    half = np.exp(-0.25 * point**2) / (2.0 * np.pi) ** 0.25
    return point, half, STEP * half
