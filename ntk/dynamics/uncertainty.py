"""What a prediction does not know, and what nobody can know: epistemic and aleatoric parts."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import entr
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk import checks
from ntk.dynamics.predictions import Prediction
from ntk.dynamics.trajectory import not_negative
from ntk.errors import InvalidValueError, ShapeError


class Uncertainty(NamedTuple):
    """Two parts of an uncertainty and their sum.

    Attributes
    ----------
    epistemic : Array
        What more data would remove: the spread of the predictions.
    aleatoric : Array
        What remains: the noise of the targets.
    total : Array
        Their sum.
    """

    epistemic: Array
    aleatoric: Array
    total: Array


def predictive_variance(prediction: Prediction, *, noise: Num[ArrayLike, ""] = 0.0) -> Uncertainty:
    r"""Return the variance of a new observation at each test point, in its parts.

    .. math:: \operatorname{Var} y_* = \Sigma(x_*, x_*) + s

    Parameters
    ----------
    prediction : Prediction
        As :func:`ntk.ensemble` or :func:`ntk.gp_posterior` returns it.
    noise : float, default 0.0
        Variance :math:`s` of the noise on the targets: the aleatoric part.

    Returns
    -------
    Uncertainty
        Each part ``(m,)``, or ``(len(t), m)`` for an array of times. Variances that rounding has
        made negative are 0.

    Raises
    ------
    InvalidValueError
        If the noise is negative or not finite.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.ones((1, 1))
    >>> posterior = ntk.gp_posterior(one, one, one, one, noise=0.5)
    >>> [round(part.item(), 3) for part in ntk.predictive_variance(posterior, noise=0.5)]
    [0.333, 0.5, 0.833]
    """
    variance = jnp.maximum(jnp.diagonal(prediction.covariance, axis1=-2, axis2=-1), 0.0)
    aleatoric = jnp.full_like(variance, not_negative("noise", noise))
    return Uncertainty(variance, aleatoric, variance + aleatoric)


def predictive_entropy(probabilities: Num[ArrayLike, "members n k"]) -> Uncertainty:
    r"""Return the entropy of an ensemble's class probabilities at each point, in its parts.

    .. math:: H\bigl[\mathbb E\, p\bigr] = \underbrace{H[\mathbb E\, p] - \mathbb E\, H[p]}
              _{\text{epistemic}} + \underbrace{\mathbb E\, H[p]}_{\text{aleatoric}}

    over the members, in nats: the epistemic part is the mutual information of the class and the
    member (Houlsby et al. 2011; Depeweg et al. 2018).

    Parameters
    ----------
    probabilities : ArrayLike, shape (members, n, k)
        Of ``k`` classes; each row sums to 1.

    Returns
    -------
    Uncertainty
        Each part ``(n,)``.

    Raises
    ------
    ShapeError, InvalidValueError
        If there are not three axes, or rows are no probabilities.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> sure_but_divided = jnp.asarray([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> [round(part.item(), 3) for part in ntk.predictive_entropy(sure_but_divided)]
    [0.693, 0.0, 0.693]
    """
    p = checks.as_array("probabilities", probabilities)
    if p.ndim != 3:
        raise ShapeError(f"probabilities must have shape (members, n, k), got {p.shape}")
    check_probabilities("probabilities", p)
    total = jnp.sum(entr(jnp.mean(p, axis=0)), axis=-1)
    aleatoric = jnp.mean(jnp.sum(entr(p), axis=-1), axis=0)
    return Uncertainty(total - aleatoric, aleatoric, total)


def check_probabilities(name: str, array: Any) -> None:
    """Raise unless the last axis of a concrete array holds probabilities."""
    checks.require_finite(name, array)
    if not checks.is_concrete(array):
        return
    values = np.asarray(array)
    sums = values.sum(axis=-1)
    if (values < 0).any() or not np.allclose(sums, 1, atol=1e-3):
        raise InvalidValueError(
            f"{name} must be at least 0 and sum to 1 over the last axis; got a least value of "
            f"{values.min():.3g} and sums from {sums.min():.3g} to {sums.max():.3g}. Of scores "
            "take jax.nn.softmax first"
        )
