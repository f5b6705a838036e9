"""Forward and backward vectors of a network, written out as the recursion chapter derives them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ntk.errors import ShapeError


class Passes(NamedTuple):
    r"""What :func:`passes` returns, one array for each layer.

    Attributes
    ----------
    forward : list of Array, shapes (N, d_h)
        The vectors :math:`g^{(h)}`, :math:`h = 0, \dots, L`; the first are the inputs.
    backward : list of Array, shapes (N, d_h)
        The vectors :math:`b^{(h)}`, :math:`h = 1, \dots, L + 1`; the last are ones.
    """

    forward: list[Float[Array, "N _"]]
    backward: list[Float[Array, "N _"]]


def passes(
    weights: list[Float[Array, "_ _"]],
    x: Float[Array, "N d"],
    sigma: Callable[[Array], Array],
    c_sigma: float,
) -> Passes:
    r"""Forward and backward vectors of a bias-free network with one output.

    With :math:`f^{(h)} = W^{(h)} g^{(h-1)}` (Arora et al. 2019, section 3)

    .. math:: g^{(h)} &= \sqrt{c_\sigma / d_h}\; \sigma(f^{(h)}), \\
              b^{(h)} &= \sqrt{c_\sigma / d_h}\; \dot\sigma(f^{(h)}) \odot
              \bigl(W^{(h+1)}\bigr)^\top b^{(h+1)}, \qquad b^{(L+1)} = 1,

    so that :math:`\partial f / \partial W^{(h)} = b^{(h)} (g^{(h-1)})^\top`.

    Parameters
    ----------
    weights : list of Array, shapes (d_{h-1}, d_h)
        The transposes of :math:`W^{(1)}, \dots, W^{(L+1)}`; the last has one column.
    x : Array, shape (N, d)
        Inputs.
    sigma : callable
        The activation, elementwise.
    c_sigma : float
        Its constant, :math:`1 / \mathbb E[\sigma(z)^2]`.

    Returns
    -------
    Passes
        The vectors of all layers.

    Raises
    ------
    ShapeError
        If the network has more than one output.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> weights = [jnp.ones((2, 3)), jnp.ones((3, 1))]
    >>> forward, backward = passes(weights, jnp.ones((1, 2)), jax.nn.relu, 2.0)
    >>> [g.shape for g in forward], [b.shape for b in backward]
    ([(1, 2), (1, 3)], [(1, 3), (1, 1)])
    """
    if weights[-1].shape[1] != 1:
        raise ShapeError(
            f"the last of weights must have one column, one output; got {weights[-1].shape}"
        )
    slope: Any = jnp.vectorize(jax.grad(sigma))
    forward, scaled_slopes = [x], []
    for weight in weights[:-1]:
        scale = (c_sigma / weight.shape[1]) ** 0.5
        preactivation = forward[-1] @ weight
        forward.append(scale * sigma(preactivation))
        scaled_slopes.append(scale * slope(preactivation))
    backward = [jnp.ones((x.shape[0], 1), x.dtype)]
    for weight, scaled_slope in zip(weights[:0:-1], scaled_slopes[::-1], strict=True):
        backward.append(scaled_slope * (backward[-1] @ weight.T))
    return Passes(forward, backward[::-1])
