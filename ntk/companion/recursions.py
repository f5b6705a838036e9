"""The recursions as two papers print them, in plain NumPy: a second opinion on ``ntk.kernel``.

Nothing here comes from the package, and nothing is meant to be fast or general: ReLU only, one
set of inputs.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]


def relu_moments(sigma: Matrix) -> tuple[Matrix, Matrix]:
    r"""Return :math:`\mathbb E[\sigma(u)\sigma(v)]` and :math:`\mathbb E[\dot\sigma\dot\sigma]`.

    Parameters
    ----------
    sigma : NDArray, shape (n, n)
        Covariance matrix of the Gaussian vector.

    Returns
    -------
    tuple of NDArray, each of shape (n, n)
        The two matrices of expectations (Cho and Saul 2009, section 2).

    Examples
    --------
    >>> dual, derivative = relu_moments(np.eye(2))
    >>> dual.round(4).tolist(), derivative.round(4).tolist()
    ([[0.5, 0.1592], [0.1592, 0.5]], [[0.5, 0.25], [0.25, 0.5]])
    """
    deviation = np.sqrt(np.diag(sigma))
    scale = np.outer(deviation, deviation)
    angle = np.arccos(np.clip(sigma / scale, -1.0, 1.0))
    np.fill_diagonal(angle, 0.0)  # the square root of rounding otherwise
    dual = scale * (np.sin(angle) + (math.pi - angle) * np.cos(angle)) / (2 * math.pi)
    return dual, (math.pi - angle) / (2 * math.pi)


def jacot(x: ArrayLike, L: int, beta: float) -> tuple[Matrix, Matrix]:
    r"""Return :math:`\Sigma^{(L)}` and :math:`\Theta^{(L)}` of Jacot et al. 2018.

    .. math:: \Sigma^{(1)}(x, x') &= \tfrac{1}{n_0} x^\top x' + \beta^2, \qquad
              \Sigma^{(\ell+1)} = \mathbb E[\sigma \sigma'] + \beta^2, \\
              \Theta^{(1)} &= \Sigma^{(1)}, \qquad
              \Theta^{(\ell+1)} = \Theta^{(\ell)} \dot\Sigma^{(\ell+1)} + \Sigma^{(\ell+1)}

    (Proposition 1 and Theorem 1), where :math:`L` counts weight layers.

    Parameters
    ----------
    x : array_like, shape (n, n_0)
        Inputs.
    L : int
        Number of weight layers.
    beta : float
        Scale of the biases.

    Returns
    -------
    tuple of NDArray, each of shape (n, n)

    Examples
    --------
    >>> sigma, theta = jacot([[1.0, 1.0]], L=2, beta=0.0)
    >>> float(sigma[0, 0]), float(theta[0, 0])
    (0.5, 1.0)
    """
    points: Any = np.asarray(x, dtype=np.float64)
    sigma = points @ points.T / points.shape[1] + beta**2
    theta = sigma
    for _ in range(L - 1):
        dual, derivative = relu_moments(sigma)
        sigma = dual + beta**2
        theta = theta * derivative + sigma
    return sigma, theta


def arora(x: ArrayLike, L: int, c_sigma: float = 2.0) -> tuple[Matrix, Matrix]:
    r"""Return :math:`\Sigma^{(L)}` and :math:`\Theta^{(L)}` of Arora et al. 2019.

    .. math:: \Sigma^{(0)} &= x^\top x', \qquad
              \Sigma^{(h)} = c_\sigma \mathbb E[\sigma \sigma'], \qquad
              \dot\Sigma^{(h)} = c_\sigma \mathbb E[\dot\sigma \dot\sigma'], \\
              \Theta^{(L)} &= \sum_{h=1}^{L+1} \Sigma^{(h-1)}
              \prod_{h'=h}^{L+1} \dot\Sigma^{(h')}, \qquad \dot\Sigma^{(L+1)} := 1

    (equations 7 to 9), where :math:`L` counts hidden layers. The paper states the convention for
    the last factor beside equation 9; read literally, equation 8 would give another kernel.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs.
    L : int
        Number of hidden layers.
    c_sigma : float, default 2.0
        The constant of the activation, 2 for ReLU.

    Returns
    -------
    tuple of NDArray, each of shape (n, n)

    Examples
    --------
    >>> sigma, theta = arora([[0.6, 0.8]], L=3)
    >>> round(float(sigma[0, 0]), 12), round(float(theta[0, 0]), 12)
    (1.0, 4.0)
    """
    points: Any = np.asarray(x, dtype=np.float64)
    sigmas: list[Matrix] = [points @ points.T]
    derivatives: list[Matrix] = []
    for _ in range(L):
        dual, derivative = relu_moments(sigmas[-1])
        sigmas.append(c_sigma * dual)
        derivatives.append(c_sigma * derivative)
    derivatives.append(np.ones_like(sigmas[0]))
    theta = np.zeros_like(sigmas[0])
    for h in range(L + 1):
        theta += sigmas[h] * np.prod(derivatives[h:], axis=0)
    return sigmas[-1], theta
