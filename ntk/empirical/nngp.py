"""The empirical NNGP kernel: second moments of a model's outputs over draws of its parameters."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.empirical.request import check_pair
from ntk.errors import InvalidTypeError, InvalidValueError
from ntk.model import Model, check_outputs, check_params, with_flat_outputs


class Estimate(NamedTuple):
    """A mean over draws and how far it may be off.

    Attributes
    ----------
    mean : Array
        Of the draws.
    standard_error : Array
        Standard deviation of the draws, divided by the root of their number.
    samples : int
        Number of draws.
    """

    mean: Array
    standard_error: Array
    samples: int


def empirical_nngp(
    f: Model, params: Any, x1: Any, x2: Any = None, *, output: str = "mean"
) -> Array:
    r"""Products of a model's outputs at given parameters.

    .. math:: \hat\Sigma_{ij} = \frac1k \sum_a f_a(\theta, x_i) f_a(\theta, x'_j)

    Its expectation over parameters is the NNGP kernel (Lee et al. 2018, section 2.2), the limit of
    ``k`` wide itself if the ``k`` outputs are independent; cut the model before its readout for
    the kernel of a hidden layer.

    Parameters
    ----------
    f, params, x1, x2
        As for :func:`ntk.empirical_ntk`.
    output : {"mean", "full"}
        ``"mean"``: as above, ``(n1, n2)``. ``"full"``: every pair of outputs, ``(n1, n2, k, k)``.

    Returns
    -------
    Array
        The kernel.

    Raises
    ------
    NTKError
        As :func:`ntk.empirical_ntk` does.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> net = ntk.mlp(depth=1, width=32, outputs=2)
    >>> params = net.init(jax.random.key(0), (3,))
    >>> empirical_nngp(net.apply, params, jnp.eye(3)).shape
    (3, 3)
    """
    checks.choice("output", output, ("mean", "full"))
    if not callable(f):
        raise InvalidTypeError(f"f must be a function f(params, x), got {type(f).__name__}")
    check_params(params)
    k = check_outputs(f, params, "x1", x1)
    if x2 is not None:
        check_pair(x1, x2)
        check_outputs(f, params, "x2", x2)
    flat = with_flat_outputs(f)
    y1 = flat(params, x1)
    y2 = y1 if x2 is None else flat(params, x2)
    exact = jax.lax.Precision.HIGHEST
    if output == "full":
        return jnp.einsum("ia,jb->ijab", y1, y2, precision=exact)
    product: Array = jnp.matmul(y1, y2.T, precision=exact) / k
    return product


def monte_carlo(
    init: Callable[[PRNGKeyArray], Any],
    kernel: Callable[[Any], Any],
    key: PRNGKeyArray,
    samples: int,
) -> Any:
    r"""Mean of a kernel over random parameters, with its standard error.

    .. math:: \bar\Theta = \frac1m \sum_{s=1}^m \Theta(\theta_s), \qquad
              \mathrm{se} = \Bigl( \frac{1}{m (m - 1)} \sum_s (\Theta(\theta_s) -
              \bar\Theta)^2 \Bigr)^{1/2}

    One draw is in memory at a time; mean and variance are updated as they come (Welford 1962).

    Parameters
    ----------
    init : callable
        ``init(key)`` draws parameters.
    kernel : callable
        ``kernel(params)``: any array or pytree of arrays, such as a kernel at these parameters.
    key : PRNGKeyArray
        Where the draws come from.
    samples : int
        Number of draws, at least 2.

    Returns
    -------
    Estimate or pytree of Estimate
        Mean, standard error and number of draws, for each array that ``kernel`` returns.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        If there are fewer than two samples.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> net, x = ntk.mlp(depth=1, width=256), jnp.eye(3)
    >>> estimate = monte_carlo(
    ...     lambda key: net.init(key, (3,)),
    ...     lambda params: ntk.empirical_ntk(net.apply, params, x),
    ...     jax.random.key(0),
    ...     samples=20,
    ... )
    >>> limit = ntk.kernel(net, x, get="ntk")
    >>> bool((abs(estimate.mean - limit) < 5 * estimate.standard_error + 1e-6).all())
    True
    """
    if checks.positive_integer("samples", samples) < 2:
        raise InvalidValueError("samples must be at least 2: one draw says nothing of the error")

    def draw(key: PRNGKeyArray) -> Any:
        return kernel(init(key))

    def update(state: Any, key: PRNGKeyArray) -> Any:
        count, mean, squares = state
        count = count + 1
        value = draw(key)
        step = jax.tree.map(lambda v, m: v - m, value, mean)
        mean = jax.tree.map(lambda m, d: m + d / count, mean, step)
        squares = jax.tree.map(lambda q, d, v, m: q + d * (v - m), squares, step, value, mean)
        return (count, mean, squares), None

    keys = jax.random.split(key, samples)
    zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(draw, keys[0]))
    (_, mean, squares), _ = jax.lax.scan(update, (0, zeros, zeros), keys)
    errors = jax.tree.map(lambda q: jnp.sqrt(q / (samples - 1) / samples), squares)
    return jax.tree.map(lambda m, e: Estimate(m, e, samples), mean, errors)


__all__ = ["Estimate", "empirical_nngp", "monte_carlo"]
