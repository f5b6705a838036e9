"""Least squares on random features: fits at many ridges, and what theory says of their error."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import ntk
from ntk.errors import InvalidValueError, ShapeError

Floats = NDArray[np.float64]


def ridge_fits(features: Any, y: Any, ridges: Any) -> Floats:
    r"""Fit least squares on features, for many ridges from one decomposition.

    .. math:: \hat a = \operatorname{argmin}_a \| \Phi a - y \|^2 + \rho \| a \|^2

    and for :math:`\rho = 0` the one of least norm, :math:`\hat a = \Phi^+ y`.

    Parameters
    ----------
    features : array_like, shape (n, p)
        The matrix :math:`\Phi`, a row for each example.
    y : array_like, shape (n, k)
        Targets.
    ridges : array_like, shape (r,)
        The numbers :math:`\rho \ge 0`.

    Returns
    -------
    ndarray, shape (r, p, k)
        Coefficients. For :math:`\rho = 0` singular values of rounding size count as zero.

    Raises
    ------
    ShapeError, InvalidValueError
        If the shapes do not fit, or a ridge is negative.

    Examples
    --------
    >>> import numpy as np
    >>> wide, target = np.array([[3.0, 4.0]]), np.array([[50.0]])
    >>> ridge_fits(wide, target, [0.0, 25.0])[:, :, 0].round(9).tolist()
    [[6.0, 8.0], [3.0, 4.0]]
    """
    phi, targets = np.asarray(features, np.float64), np.asarray(y, np.float64)
    rho = np.asarray(ridges, np.float64)
    if phi.ndim != 2 or targets.ndim != 2 or len(phi) != len(targets) or rho.ndim != 1:
        raise ShapeError(
            "features, y and ridges must have shapes (n, p), (n, k) and (r,), "
            f"got {phi.shape}, {targets.shape} and {rho.shape}"
        )
    if not (rho >= 0).all():
        raise InvalidValueError(f"ridges must be 0 or more, got {rho.tolist()}")
    left, values, right = np.linalg.svd(phi, full_matrices=False)
    kept = values > max(phi.shape) * np.finfo(np.float64).eps * values[0]
    left, values, right = left[:, kept], values[kept], right[kept]
    filtered = values / (values**2 + rho[:, None])
    fits: Floats = right.T @ (filtered[:, :, None] * (left.T @ targets))
    return fits


def relu_feature_errors(
    weights: Any, beta: Any, n: int, *, ridges: Sequence[float], noises: Sequence[float]
) -> Floats:
    r"""Predict the errors of ridge regression of a linear target on given ReLU features.

    The features are :math:`\varphi_i(x) = \max(0, \langle w_i, x \rangle)`, the target is
    :math:`\langle \beta, x \rangle` and :math:`x` is standard normal. Then

    .. math:: \mathbb E\, \varphi_i \varphi_j &= \text{arc-cosine kernel of } w_i, w_j, \\
              \mathbb E\, \varphi_i \langle \beta, x \rangle &= \tfrac12 \langle w_i, \beta \rangle

    (Cho and Saul 2009), and :func:`ntk.spectra.learning_curve` with this spectrum; what the best
    combination of features leaves over counts as noise. It would be exact for many normal
    features with these second moments.

    Parameters
    ----------
    weights : array_like, shape (p, d)
        The vectors :math:`w_i`.
    beta : array_like, shape (d,)
        The target's vector.
    n : int
        Number of examples.
    ridges : sequence of float
        The numbers :math:`\rho` of :func:`ridge_fits`.
    noises : sequence of float
        Standard deviations of the noise on the labels.

    Returns
    -------
    ndarray, shape (len(noises), len(ridges))
        The mean squared distance to the target without noise, infinite where theory says so.

    Examples
    --------
    >>> import numpy as np
    >>> w = np.random.default_rng(0).standard_normal((40, 3))
    >>> few, many = (relu_feature_errors(w, np.eye(3)[0], n, ridges=[0.0], noises=[1.0])
    ...              for n in (80, 800))
    >>> bool(many < few)
    True
    """
    w, vector = np.asarray(weights, np.float64), np.asarray(beta, np.float64)
    d = w.shape[1]
    # As the covariance of a layer of random neurons at inputs w: inputs and weights change places.
    layer = ntk.mlp(1, 1, "relu", sigma_w=(d**0.5, 1.0))
    moments = np.asarray(ntk.kernel(layer, jnp.asarray(w), get="nngp"), np.float64)
    values, vectors = np.linalg.eigh(moments)
    kept = values > len(w) * np.finfo(np.float64).eps * values[-1]
    power = (vectors[:, kept].T @ (w @ vector) / 2) ** 2 / values[kept]
    left_over = max(0.0, float(vector @ vector - power.sum()))
    errors = np.empty((len(noises), len(ridges)))
    for i, noise in enumerate(noises):
        for j, ridge in enumerate(ridges):
            curve = ntk.spectra.learning_curve(
                values[kept], power, n, ridge=ridge, noise=noise**2 + left_over
            )
            errors[i, j] = curve.test_error - noise**2
    return errors
