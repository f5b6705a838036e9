"""Gaussian predictions: trained ensembles over initialisations, and posteriors."""

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.dynamics.eigensystem import Eigensystem
from ntk.dynamics.flow import GradientFlow
from ntk.dynamics.trajectory import LossScale, not_negative
from ntk.errors import InvalidTypeError
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
    learning_rate: Num[ArrayLike, ""] = 1.0,
    loss_scale: LossScale = "sum",
    ridge: Num[ArrayLike, ""] = 0.0,
    prior: Literal["nngp", "ntk"] = "nngp",
    target_noise: Num[ArrayLike, ""] = 0.0,
) -> Prediction:
    r"""Mean and covariance over initialisations of infinitely wide networks trained for a time.

    With :math:`A_t = \Theta(x, X) M_t` from :class:`ntk.GradientFlow` (Lee et al. 2019,
    equations 14 to 16)

    .. math:: \mu_t(x) &= A_t\, y, \\
              \Sigma_t(x, x') &= \mathcal K(x, x') - A_t \mathcal K(X, x')
              - \mathcal K(x, X) A_t'^{\mathsf T} \\
              &\quad + A_t \bigl(\mathcal K(X, X) + s\bigr) A_t'^{\mathsf T},

    since each network starts at a draw of the Gaussian process with covariance
    :math:`\mathcal K` (the NNGP kernel) and follows the flow of :math:`\Theta` (the NTK), towards
    targets to which each network adds noise of variance :math:`s` of its own.

    Parameters
    ----------
    K, Kt, Ktt : Kernel
        Kernels of train x train, test x train and test x test points, with both parts; the last
        needs only the part that ``prior`` names.
    y : ArrayLike, shape (n, k)
        Targets.
    t : float, inf, or array of these
        Times of training, at least 0.
    learning_rate, loss_scale, ridge
        See :class:`ntk.GradientFlow`.
    prior : {"nngp", "ntk"}
        Covariance :math:`\mathcal K` of the outputs at time 0. ``"ntk"``: each network has a
        :func:`ntk.ntkgp_correction` added to it, which lifts it to :math:`\Theta`.
    target_noise : float, default 0.0
        The variance :math:`s` of the noise that each network adds to its targets.

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

    Notes
    -----
    The ensembles of He et al. 2020, for noise of variance :math:`s` on the data:

    - *deep ensemble*: the defaults. The posterior of no Gaussian process, unless the readout
      alone is trained, whose tangent kernel is the NNGP kernel.
    - *RP-param*, regularised towards its own start and with noise on its targets:
      ``ridge=s, target_noise=s``. Still none, since the prior is not the kernel that it follows.
    - *NTKGP-param*, which adds the correction, and *NTKGP-Lin*, the linearisation of another
      network at an independent start: ``prior="ntk", ridge=s, target_noise=s``. At
      :math:`t = \infty` each network is a draw of the posterior of the Gaussian process with
      covariance :math:`\Theta`: the result is ``gp_posterior(K.ntk, Kt.ntk, Ktt.ntk, y, noise=s)``.
      Its covariance exceeds that of RP-param, and with :math:`s = 0` that of the deep ensemble,
      by a positive semi-definite matrix.

    Their variants *RP-fn* and *NTKGP-fn*, with weights pulled towards zero, are not determined by
    these two kernels: the start of such a linearised network is :math:`f_0 - J \theta_0`.

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
    checks.choice("prior", prior, ("nngp", "ntk"))
    theta, gram = (_part("K", K, name) for name in ("ntk", prior))
    theta_test, cross = (_part("Kt", Kt, name) for name in ("ntk", prior))
    flow = GradientFlow(theta, y, learning_rate=learning_rate, loss_scale=loss_scale, ridge=ridge)
    flow.warn_of_null_part("y", flow.y, t)
    n = flow.y.shape[0]
    gram = checks.matrix(f"K.{prior}", gram, (n, n))
    cross = checks.matrix(f"Kt.{prior}", cross, (None, n))
    start = checks.matrix(f"Ktt.{prior}", _part("Ktt", Ktt, prior), (len(cross), len(cross)))
    noise = not_negative("target_noise", target_noise)
    weights = flow.weights(t, theta_test)
    mixed = weights @ cross.T
    spread = weights @ (gram + noise * jnp.eye(n, dtype=gram.dtype)) @ weights.mT
    covariance = start - mixed - mixed.mT + spread
    return Prediction(weights @ flow.y, 0.5 * (covariance + covariance.mT))


def gp_posterior(
    K: Num[ArrayLike, "n n"] | Eigensystem,
    K_test_train: Num[ArrayLike, "m n"],
    K_test: Num[ArrayLike, "m m"],
    y: Num[ArrayLike, "n k"],
    *,
    noise: Num[ArrayLike, ""] = 0.0,
) -> Prediction:
    r"""Posterior of a Gaussian process with this covariance.

    .. math:: \mu = K_{*X} (K + s)^{-1} y, \qquad
              \Sigma = K_{**} - K_{*X} (K + s)^{-1} K_{X*}

    (Rasmussen and Williams 2006, equations 2.23 and 2.24) with the pseudo-inverse where
    :math:`K + s` is singular. Of an NNGP kernel it is the Bayesian posterior of the wide network
    (Lee et al. 2018, section 2); of an NTK it is the NTK-GP of He et al. 2020. No training of a
    standard ensemble samples it, but one whose networks are corrected does; see
    :func:`ntk.ensemble`.

    Parameters
    ----------
    K : ArrayLike, shape (n, n), or Eigensystem
        Covariance of the training points, or its decomposition.
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
    flow.warn_of_null_part("y", flow.y, jnp.inf)
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
    return checks.as_array(f"{name}.{part}", found)
