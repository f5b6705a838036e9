"""Networks at initialisation without their weights: the exact law of what a kernel is made of.

A layer's weights enter the tangent kernel through a few of their projections only. Drawn directly,
these cost as much as the width; the weights would cost its square.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError

Array = NDArray[Any]
Readout = Literal["gaussian", "ones"]


class Nonlinearity(NamedTuple):
    r"""An activation, elementwise on NumPy arrays.

    Attributes
    ----------
    function, derivative : callable
        :math:`\sigma` and :math:`\dot\sigma`.
    c_sigma : float
        The factor in front of :math:`\sigma^2`; with
        :math:`1 / \mathbb E[\sigma(z)^2]` variance 1 is preserved.
    """

    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    c_sigma: float


RELU = Nonlinearity(lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype), 2.0)
ERF = Nonlinearity(special.erf, lambda z: (2 / np.pi**0.5 * np.exp(-(z**2))).astype(z.dtype), 1.0)


class Vectors(NamedTuple):
    r"""What :func:`draw_vectors` returns: a column for each input, one array for each layer.

    Attributes
    ----------
    forward : list of NDArray, shapes (networks, d_h, N)
        The vectors :math:`g^{(h)}`, :math:`h = 0, \dots, L`; the first are the inputs.
    backward : list of NDArray, shapes (networks, d_h, N)
        The vectors :math:`b^{(h)}`, :math:`h = 1, \dots, L + 1`; the last are ones.
    """

    forward: list[Array]
    backward: list[Array]

    @property
    def kernels(self) -> Array:
        """Tangent kernels, one for each network: `(networks, N, N)`."""
        pairs = zip(self.forward, self.backward, strict=True)
        return np.asarray(sum(gram(g) * gram(b) for g, b in pairs))


def gram(columns: Array) -> Array:
    """Return the inner products of the columns of each matrix in a stack."""
    return columns.swapaxes(-1, -2) @ columns


def draw_vectors(
    rng: np.random.Generator,
    x: ArrayLike,
    widths: Sequence[int],
    nonlinearity: Nonlinearity,
    networks: int,
    *,
    readout: Readout = "gaussian",
) -> Vectors:
    r"""Draw the forward and backward vectors of random networks, not their weights.

    They have the law of :func:`ntk.companion.backward.passes` with standard normal weights. With
    :math:`G = (g^{(h-1)}(x))_x = Q R` and :math:`B = (b^{(h)}(x))_x = Q' R'`, and standard
    normal :math:`Z`, :math:`Y`,

    .. math:: W^{(h)} G &= Z R, \\
              \bigl(W^{(h)}\bigr)^\top B
              &\overset{d}{=} Q Z^\top B + (1 - Q Q^\top)\, Y R',

    since :math:`Z = W^{(h)} Q` fixes the weights on the columns of :math:`Q` and leaves them free
    on the complement, and :math:`Y R'` has the law of a fresh :math:`\tilde W^\top B`.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of randomness.
    x : array_like, shape (N, d)
        Inputs, the same for all networks; float32 or float64, in which everything is computed.
    widths : sequence of int
        Widths of the hidden layers, at least one.
    nonlinearity : Nonlinearity
        The activation, such as ``RELU``.
    networks : int
        How many independent networks.
    readout : {"gaussian", "ones"}
        The weights of the last layer.

    Returns
    -------
    Vectors
        The vectors of all layers, and from them the tangent kernels.

    Raises
    ------
    ShapeError, InvalidValueError, InvalidTypeError
        If ``x`` is not a matrix of finite numbers, there is no hidden layer, a width or
        ``networks`` is not a positive integer, or the readout is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> drawn = draw_vectors(np.random.default_rng(0), np.eye(3), (7, 5), RELU, 10)
    >>> [g.shape for g in drawn.forward], drawn.kernels.shape
    ([(10, 3, 3), (10, 7, 3), (10, 5, 3)], (10, 3, 3))
    """
    points = _matrix(x)
    sizes, count = _sizes(widths), checks.positive_integer("networks", networks)
    checks.choice("readout", readout, ("gaussian", "ones"))

    def normal(*shape: int) -> Array:
        return rng.standard_normal((count, *shape), points.dtype)

    forward, slopes, seen = [np.broadcast_to(points.T, (count, *points.T.shape))], [], []
    for width in sizes:
        basis, coordinates = np.linalg.qr(forward[-1] if forward[1:] else forward[-1][:1])
        projected = normal(width, basis.shape[-1])
        preactivation = projected @ coordinates
        scale = (nonlinearity.c_sigma / width) ** 0.5
        forward.append(scale * nonlinearity.function(preactivation))
        slopes.append(scale * nonlinearity.derivative(preactivation))
        seen.append((basis, projected))
    row = normal(sizes[-1], 1) if readout == "gaussian" else np.ones((1, 1), points.dtype)
    backward = [np.ones((count, 1, len(points)), points.dtype), slopes[-1] * row]
    for h in range(len(sizes) - 1, 0, -1):
        basis, projected = seen[h]
        root = np.asarray(np.linalg.qr(backward[-1], mode="r"))
        fresh = normal(sizes[h - 1], root.shape[-2]) @ root
        known = projected.swapaxes(-1, -2) @ backward[-1]
        pulled_back = fresh + basis @ (known - basis.swapaxes(-1, -2) @ fresh)
        backward.append(slopes[h - 1] * pulled_back)
    return Vectors(forward, backward[::-1])


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
    sizes, count = _sizes(widths), checks.positive_integer("networks", networks)
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


def _matrix(x: ArrayLike) -> Array:
    points = np.asarray(x)
    if points.ndim != 2 or points.size == 0:
        raise ShapeError(f"x must have shape (N, d) with N, d >= 1, got {points.shape}")
    if not np.isfinite(points).all():
        raise InvalidValueError("x has entries that are not finite; drop these inputs")
    return points if points.dtype == np.float32 else points.astype(np.float64)


def _sizes(widths: Sequence[int]) -> list[int]:
    sizes = [checks.positive_integer("widths", n) for n in widths]
    if not sizes:
        raise InvalidValueError("widths is empty; a network needs at least one hidden layer")
    return sizes
