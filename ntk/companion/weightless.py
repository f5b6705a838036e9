"""Networks at initialisation without their weights: the exact law of what a kernel is made of.

A layer's weights enter the tangent kernel through a few of their projections only. Drawn directly,
these cost as much as the width; the weights would cost its square.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PRNGKeyArray
from numpy.typing import NDArray

from ntk import checks
from ntk.companion.backward import Passes, slope_of
from ntk.errors import InvalidValueError

Readout = Literal["gaussian", "ones"]


def draw_passes(
    key: PRNGKeyArray,
    x: Float[Array, "N d"],
    widths: Sequence[int],
    sigma: Callable[[Array], Array],
    c_sigma: float,
    *,
    readout: Readout = "gaussian",
) -> Passes:
    r"""Draw the forward and backward vectors of a random network, not its weights.

    They have the law of :func:`ntk.companion.backward.passes` with standard normal weights. With
    :math:`G = (g^{(h-1)}(x))_x = Q R` and :math:`B = (b^{(h)}(x))_x = Q' R'`, and standard
    normal :math:`Z`, :math:`Y`,

    .. math:: W^{(h)} G &= Z R, \\
              \bigl(W^{(h)}\bigr)^\top B &\overset{d}{=} Q Z^\top B + (1 - Q Q^\top)\, Y R',

    since :math:`Z = W^{(h)} Q` fixes the weights on the columns of :math:`Q` and leaves them free
    on the complement, and :math:`Y R'` has the law of a fresh :math:`\tilde W^\top B`.

    Parameters
    ----------
    key : PRNGKeyArray
        The source of randomness.
    x : Array, shape (N, d)
        Inputs; the result has their dtype.
    widths : sequence of int
        Widths of the hidden layers, at least one.
    sigma : callable
        The activation, elementwise.
    c_sigma : float
        The factor in front of its square, as for ``passes``.
    readout : {"gaussian", "ones"}
        The weights of the last layer.

    Returns
    -------
    Passes
        The vectors of all layers.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        If there is no hidden layer, a width is not a positive integer, or the readout unknown.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> forward, backward = draw_passes(
    ...     jax.random.key(0), jnp.eye(3), (7, 5), jax.nn.relu, 2.0
    ... )
    >>> [g.shape for g in forward], [b.shape for b in backward]
    ([(3, 3), (3, 7), (3, 5)], [(3, 7), (3, 5), (3, 1)])
    """
    sizes = [checks.positive_integer("widths", n) for n in widths]
    if not sizes:
        raise InvalidValueError("widths is empty; a network needs at least one hidden layer")
    checks.choice("readout", readout, ("gaussian", "ones"))
    below, above, last = (jax.random.split(k, len(sizes)) for k in jax.random.split(key, 3))
    slope = slope_of(sigma)
    forward, scaled_slopes, seen = [x], [], []
    for width, layer_key in zip(sizes, below, strict=True):
        basis, coordinates = jnp.linalg.qr(forward[-1].T)
        projected = jax.random.normal(layer_key, (width, basis.shape[1]), x.dtype)
        preactivation = (projected @ coordinates).T
        scale = (c_sigma / width) ** 0.5
        forward.append(scale * sigma(preactivation))
        scaled_slopes.append(scale * slope(preactivation))
        seen.append((basis, projected))
    ones = jnp.ones((x.shape[0], 1), x.dtype)
    row = jnp.ones(sizes[-1], x.dtype)
    if readout == "gaussian":
        row = jax.random.normal(last[0], (sizes[-1],), x.dtype)
    backward = [ones, scaled_slopes[-1] * row]
    for h in range(len(sizes) - 1, 0, -1):
        basis, projected = seen[h]
        root = jnp.linalg.qr(backward[-1].T, mode="r")
        fresh = (jax.random.normal(above[h], (sizes[h - 1], root.shape[0]), x.dtype) @ root).T
        known = backward[-1] @ projected
        pulled_back = fresh + (known - fresh @ basis) @ basis.T
        backward.append(scaled_slopes[h - 1] * pulled_back)
    return Passes(forward, backward[::-1])


def draw_relu_diagonal(
    rng: np.random.Generator, widths: Sequence[int], networks: int
) -> NDArray[np.float64]:
    r"""Draw :math:`\hat\Theta(x, x)` of random ReLU networks on one unit input, exactly.

    Without biases and with :math:`c_\sigma = 2`, binomial, chi-square and normal variables do:
    :math:`A_h \sim \mathrm{Bin}(n_h, \tfrac12)` active neurons, and

    .. math:: \|g^{(h)}\|^2 &= \tfrac{2}{n_h} \|g^{(h-1)}\|^2\, \chi^2_{A_h}, \\
              \|b^{(h)}\|^2 &= \tfrac{2}{n_h} \Bigl( \frac{f^2}{\|g^{(h)}\|^2}
              + \|b^{(h+1)}\|^2\, \chi'^2_{A_h - 1} \Bigr), \\
              f^2 &= \|g^{(L)}\|^2\, \zeta^2, \qquad \|b^{(L+1)}\| = 1,

    all independent; a layer without an active neuron makes the kernel zero. Widths and depth
    cost next to nothing.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of randomness.
    widths : sequence of int
        Widths of the hidden layers, at least one.
    networks : int
        How many networks.

    Returns
    -------
    NDArray, shape (networks,)
        One kernel value for each network; their mean is ``len(widths) + 1`` at every width.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        If there is no hidden layer, or a number is not a positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> theta = draw_relu_diagonal(np.random.default_rng(0), (10**6, 10**6), 3)
    >>> theta.round(1).tolist()
    [3.0, 3.0, 3.0]
    """
    sizes = [checks.positive_integer("widths", n) for n in widths]
    count = checks.positive_integer("networks", networks)
    if not sizes:
        raise InvalidValueError("widths is empty; a network needs at least one hidden layer")
    active = [rng.binomial(n, 0.5, count) for n in sizes]
    forward = [np.ones(count)]
    for n, a in zip(sizes, active, strict=True):
        forward.append(forward[-1] * rng.gamma(a / 2, 4.0 / n))
    alive = forward[-1] > 0
    squared_output = forward[-1] * rng.standard_normal(count) ** 2
    backward = np.ones(count)
    total = forward[-1].copy()
    for h in range(len(sizes) - 1, -1, -1):
        along = squared_output / np.where(alive, forward[h + 1], 1.0)
        across = backward * rng.gamma(np.maximum(active[h] - 1, 0) / 2, 2.0)
        backward = 2.0 / sizes[h] * (along + across)
        total += backward * forward[h]
    return np.where(alive, total, 0.0)
