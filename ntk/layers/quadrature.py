r"""An activation of which only the function is known: Hermite coefficients, or quadrature."""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.checks import rounding
from ntk.errors import InvalidTypeError, NTKWarning
from ntk.layers.base import description, static
from ntk.layers.elementwise import Expectations, Geometric
from ntk.layers.pair import Entry, Pair, root
from ntk.layers.polar import mapped_duals
from ntk.layers.smoothness import find_kink, slope

TERMS, BLOCK = 512, 32
"""How many Hermite coefficients there are, and how many are summed (or skipped) at once."""


@description
class Activation(Geometric):
    r"""Any smooth function of one's own, by quadrature.

    For variances up to about 4 (of a function as smooth as the hyperbolic tangent) the duals are
    sums over Hermite coefficients (Daniely et al. 2016, section 4),

    .. math:: \mathbb E[\sigma\sigma'] = \sum_k a_k(v_1)\, a_k(v_2)\, \rho^k, \qquad
              a_k(v) = \mathbb E\, \sigma(\sqrt v\, z)\, h_k(z),

    found for each input once. For pairs of which the coefficients have not died out it is an
    integral in polar coordinates (:mod:`ntk.layers.polar`), at a hundred times the cost.

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
        derivative = slope(self.function)
        rows = [(_expand(f, pair.var1), _expand(f, pair.var2)) for f in (self.function, derivative)]
        cosine = _cosine(pair)
        dual, slopes = (_series(one, two, cosine) for one, two in rows)
        known = _died_out(*rows[0]) & _died_out(*rows[1])
        dual, slopes = jax.lax.cond(
            jnp.all(known),
            lambda: (dual, slopes),
            lambda: mapped_duals(
                self.function, derivative, pair, (jnp.broadcast_to(known, dual.shape), dual, slopes)
            ),
        )
        return Expectations(dual, slopes)


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
            stacklevel=5,
        )


def _cosine(pair: Pair) -> Entry:
    inverse1, inverse2 = (
        jnp.where(v > 0, jax.lax.rsqrt(jnp.where(v > 0, v, 1.0)), 0.0)
        for v in (pair.var1, pair.var2)
    )
    return pair.cov * inverse1 * inverse2


def _expand(function: Callable[[Array], Array], var: Array) -> Array:
    r"""Return :math:`a_k(v)`, with the axis of :math:`k` first."""
    point, table = _hermite_table()
    values = function(root(var)[..., None] * jnp.asarray(point, var.dtype))
    found = jnp.matmul(values, jnp.asarray(table, var.dtype), precision=jax.lax.Precision.HIGHEST)
    return jnp.moveaxis(found, -1, 0)


def _died_out(one: Array, two: Array) -> Array:
    """Whether the last block of either expansion is no more than rounding."""
    limit = 4 * rounding(one.dtype)
    last, total = ([jnp.sum(a[start:] ** 2, axis=0) for a in (one, two)] for start in (-BLOCK, 0))
    return (last[0] <= limit * total[0]) & (last[1] <= limit * total[1])


def _series(one: Array, two: Array, cosine: Array) -> Array:
    r"""Return :math:`\sum_k a_k b_k \rho^k` by Horner's rule, without the blocks that vanish."""

    def blocks(a: Array) -> tuple[Array, Array]:
        grouped = a.reshape(TERMS // BLOCK, BLOCK, *a.shape[1:])[::-1]
        share = jnp.sum(grouped**2, axis=1) / jnp.maximum(
            jnp.sum(a**2, axis=0), jnp.finfo(a.dtype).tiny
        )
        return grouped, jnp.max(share.reshape(len(grouped), -1), axis=1)

    (ones, share1), (twos, share2) = blocks(one), blocks(two)
    shape = jnp.broadcast_shapes(one.shape[1:], two.shape[1:], cosine.shape)

    def add(total: Array, item: Any) -> tuple[Array, None]:
        a, b, matters = item

        def horner() -> Array:
            value = total
            for k in reversed(range(BLOCK)):
                value = value * cosine + a[k] * b[k]
            return value

        return jax.lax.cond(matters, horner, lambda: total), None

    # Blocks are skipped from the top, as long as they are below the rounding of the sum.
    small = rounding(one.dtype) ** 2
    matters = jnp.cumsum(share1 * share2 > small**2) > 0
    start = jnp.zeros(shape, one.dtype)
    return jax.lax.scan(add, start, (ones, twos, matters))[0]


@cache
def _hermite_table() -> tuple[Any, Any]:
    r"""Return points and weights times normalised Hermite polynomials.

    The trapezoidal rule, which for smooth functions times a Gaussian is exact to rounding. The
    polynomials overflow, but not the Hermite functions that have half of the weight each.
    """
    point = np.linspace(-12.5, 12.5, 401)
    functions = np.empty((TERMS, len(point)))
    functions[0] = np.exp(-0.25 * point**2) / (2.0 * np.pi) ** 0.25
    functions[1] = point * functions[0]
    for k in range(1, TERMS - 1):
        functions[k + 1] = (point * functions[k] - k**0.5 * functions[k - 1]) / (k + 1) ** 0.5
    return point, ((point[1] - point[0]) * functions[0] * functions).T
