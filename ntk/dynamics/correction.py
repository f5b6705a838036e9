"""What He et al. add to a network so that training it samples a posterior."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.errors import InvalidTypeError, InvalidValueError
from ntk.model import Model


def ntkgp_correction(
    f: Model, params: Any, other: Any, *, readout: int = -1
) -> Callable[[Any], Array]:
    r"""Return the function that lifts a network at its start to the covariance of its NTK.

    .. math:: \delta(x) = \partial_\theta f(\theta_0, x) \cdot \theta^\delta

    where :math:`\theta^\delta` is another draw of the parameters with the readout's set to zero (He
    et al. 2020, section 3). In the NTK parametrisation :math:`\delta` has the covariance of the
    tangent kernel without the readout, :math:`\Theta - \mathcal K`, and is uncorrelated with
    :math:`f_0`: so :math:`f_0 + \delta` has covariance :math:`\Theta`. It stays as it is while
    the network is trained, and is added to its outputs for prediction too.

    Parameters
    ----------
    f : callable
        A model ``f(params, x) -> (n, k)``.
    params : sequence of pytrees, one a layer
        The network's parameters at its start.
    other : sequence of pytrees of the same structure
        An independent draw of them.
    readout : int, default -1
        Position of the readout in the sequence.

    Returns
    -------
    callable
        ``delta(x) -> (n, k)``.

    Raises
    ------
    InvalidTypeError
        If ``params`` is no sequence of layers, or ``other`` of another structure.
    InvalidValueError
        If there is no layer with parameters at ``readout``.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> net = ntk.mlp(1, 16)
    >>> start, other = (net.init(key, (2,)) for key in jax.random.split(jax.random.key(0)))
    >>> delta = ntk.ntkgp_correction(net.apply, start, other)
    >>> delta(jnp.ones((3, 2))).shape
    (3, 1)
    """
    if not isinstance(params, list | tuple):
        raise InvalidTypeError(
            f"params must be a sequence of layers, got {type(params).__name__}: regroup them as "
            "(hidden, readout) and let f put them together again"
        )
    got: Any = jax.tree.structure(other)
    expected: Any = jax.tree.structure(params)
    if got != expected:
        raise InvalidTypeError(f"other must have the structure of params, {expected}; got {got}")
    layers = list(other)
    if not -len(layers) <= readout < len(layers) or not jax.tree.leaves(layers[readout]):
        raise InvalidValueError(
            f"readout={readout} must be the position of a layer with parameters, of {len(layers)}"
        )
    layers[readout] = jax.tree.map(jnp.zeros_like, layers[readout])
    direction = type(params)(layers)

    def delta(x: Any) -> Array:
        change: Array = jax.jvp(lambda p: f(p, x), (params,), (direction,))[1]
        return change

    return delta
