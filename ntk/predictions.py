"""Gaussian predictions: trained ensembles over initialisations, and posteriors."""

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.errors import InvalidTypeError
from ntk.flow import GradientFlow
from ntk.state import Kernel


class Prediction(NamedTuple):
    """A Gaussian over the outputs at test points, the same covariance for every output.

    Attributes
    ----------
    mean : Array, shape (m, k), or (len(t), m, k) for an array of times
        The mean.
    covariance : Array, shape (m, m), or (len(t), m, m)
        The covariance between test points.
    """

    mean: Array
    covariance: Array


def ensemble(
    K: Kernel,
    Kt: Kernel,
    Ktt: Kernel,
    y: Num[ArrayLike, "n k"],
    *,
    t: Any = jnp.inf,
    learning_rate: float = 1.0,
    loss_scale: Literal["sum", "mean"] = "sum",
    ridge: float = 0.0,
) -> Prediction:
    r"""Mean and covariance over initialisations of infinitely wide networks trained for a time.

    With :math:`A_t = \Theta(x, X) M_t` from :class:`ntk.GradientFlow` (Lee et al. 2019,
    equations 14 to 16)

    .. math:: \mu_t(x) &= A_t\, y, \\
              \Sigma_t(x, x') &= \mathcal K(x, x') - A_t \mathcal K(X, x')
              - \mathcal K(x, X) A_t'^{\mathsf T} \\
              &\quad + A_t \mathcal K(X, X) A_t'^{\mathsf T},

    since each network starts at a draw of the Gaussian process with covariance
    :math:`\mathcal K` (the NNGP kernel) and follows the flow of :math:`\Theta` (the NTK).

    Parameters
    ----------
    K, Kt, Ktt : Kernel
        Kernels of train x train, test x train and test x test points, with both parts; the last
        needs the NNGP only.
    y : ArrayLike, shape (n, k)
        Targets.
    t : float, inf, or array of these
        Times of training, at least 0.
    learning_rate, loss_scale, ridge
        See :class:`ntk.GradientFlow`.

    Returns
    -------
    Prediction
        ``.mean`` ``(m, k)`` and ``.covariance`` ``(m, m)``, with a leading axis for an array of
        times.

    Raises
    ------
    InvalidTypeError
        If a kernel is no ``Kernel`` with the parts that are needed.
    ShapeError, InvalidValueError
        If shapes do not match, or as in :class:`ntk.GradientFlow`.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> net = ntk.mlp(1, activation="erf", sigma_w=1.5)
    >>> x, z = jnp.asarray([[1.0, 0.0], [0.0, 1.0]]), jnp.asarray([[1.0, 0.0]])
    >>> kernels = ntk.kernel(net, x), ntk.kernel(net, z, x), ntk.kernel(net, z)
    >>> trained = ntk.ensemble(*kernels, jnp.asarray([[2.0], [-1.0]]))
    >>> round(float(trained.mean[0, 0]), 3), abs(round(float(trained.covariance[0, 0]), 3))
    (2.0, 0.0)
    """
    theta, gram = (_part("K", K, name) for name in ("ntk", "nngp"))
    theta_test, cross = (_part("Kt", Kt, name) for name in ("ntk", "nngp"))
    flow = GradientFlow(theta, y, learning_rate=learning_rate, loss_scale=loss_scale, ridge=ridge)
    n = flow.y.shape[0]
    gram = checks.matrix("K.nngp", gram, (n, n))
    cross = checks.matrix("Kt.nngp", cross, (None, n))
    prior = checks.matrix("Ktt.nngp", _part("Ktt", Ktt, "nngp"), (len(cross), len(cross)))
    weights = flow.weights(t, theta_test)
    mixed = weights @ cross.T
    spread = weights @ gram @ weights.mT
    covariance = prior - mixed - mixed.mT + spread
    return Prediction(weights @ flow.y, 0.5 * (covariance + covariance.mT))


def gp_posterior(
    K: Num[ArrayLike, "n n"],
    K_test_train: Num[ArrayLike, "m n"],
    K_test: Num[ArrayLike, "m m"],
    y: Num[ArrayLike, "n k"],
    *,
    noise: float = 0.0,
) -> Prediction:
    r"""Posterior of a Gaussian process with this covariance.

    .. math:: \mu = K_{*X} (K + s)^{-1} y, \qquad
              \Sigma = K_{**} - K_{*X} (K + s)^{-1} K_{X*}

    (Rasmussen and Williams 2006, equations 2.23 and 2.24) with the pseudo-inverse where
    :math:`K + s` is singular. Of an NNGP kernel it is the Bayesian posterior of the wide network
    (Lee et al. 2018, section 2); of an NTK it is the NTK-GP of He et al. 2020, which no training
    of a standard ensemble samples: that is :func:`ntk.ensemble`.

    Parameters
    ----------
    K : ArrayLike, shape (n, n)
        Covariance of the training points.
    K_test_train : ArrayLike, shape (m, n)
        Covariance of test and training points.
    K_test : ArrayLike, shape (m, m)
        Covariance of the test points.
    y : ArrayLike, shape (n, k)
        Targets.
    noise : float, default 0.0
        Variance :math:`s` of the noise on the targets.

    Returns
    -------
    Prediction
        ``.mean`` ``(m, k)`` and ``.covariance`` ``(m, m)`` of the noiseless function.

    Raises
    ------
    ShapeError, InvalidValueError
        If shapes do not match, ``K`` is asymmetric or indefinite, or the noise negative.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.ones((1, 1))
    >>> posterior = ntk.gp_posterior(one, one, one, 3 * one, noise=0.5)
    >>> posterior.mean.item(), round(posterior.covariance.item(), 4)
    (2.0, 0.3333)
    """
    flow = GradientFlow(K, y, ridge=noise)
    n = flow.y.shape[0]
    cross = checks.matrix("K_test_train", K_test_train, (None, n))
    prior = checks.matrix("K_test", K_test, (len(cross), len(cross)))
    weights = flow.weights(jnp.inf, cross)
    explained = weights @ cross.T
    return Prediction(weights @ flow.y, prior - 0.5 * (explained + explained.T))


def _part(name: str, kernel: Any, part: str) -> Array:
    found = getattr(kernel, part, None)
    if found is None:
        got = "without it" if isinstance(kernel, Kernel) else f"{type(kernel).__name__}"
        raise InvalidTypeError(
            f"{name} must be a Kernel with the part {part!r}, got {'one ' if got[0] == 'w' else ''}"
            f"{got}; compute both with ntk.kernel(net, x1, x2)"
        )
    array: Float[Array, "a b"] = found
    return array
