"""One layer of an infinitely wide network, as a map of lengths and of correlations."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.checks import is_concrete
from ntk.errors import InvalidValueError
from ntk.layers.activations import activation as named_activation
from ntk.layers.activations.elementwise import Elementwise
from ntk.layers.pair import Pair, root
from ntk.phases.standardized import Standardized
from ntk.pytrees import register


@register
@dataclasses.dataclass(frozen=True)
class MeanField:
    r"""What one layer does to the variance and the correlation of preactivations.

    For two inputs whose preactivations have the variances (*lengths*) :math:`q_1, q_2` and the
    correlation :math:`c`, the next layer has (Poole et al. 2016, section 2)

    .. math:: V(q) &= \sigma_w^2\, \mathbb E\, \sigma(\sqrt q z)^2 + \sigma_b^2, \\
              C(c) &= \frac{\sigma_w^2\, \mathbb E[\sigma(u) \sigma(v)] + \sigma_b^2}
              {\sqrt{V(q_1)\, V(q_2)}},

    with :math:`z \sim \mathcal N(0, 1)` and :math:`(u, v)` normal with those variances and that
    correlation. It is the recursion of the NNGP kernel, layer by layer.

    It is a pytree: the maps work under ``jit``, ``vmap`` and ``grad``, derivatives by ``sigma_w``
    and ``sigma_b`` included.

    Parameters
    ----------
    activation : str or Elementwise
        The nonlinearity, by name or a description such as ``ntk.Activation(fn)``.
    sigma_w : float, default 1.0
        Scale of the weights.
    sigma_b : float or None, default 0.0
        Scale of the biases.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the activation is unknown or a scale negative or not finite.

    Examples
    --------
    >>> import ntk
    >>> field = ntk.phases.MeanField("relu", sigma_w=2**0.5, sigma_b=0.1)
    >>> round(float(field.length_map(1.0)), 4), round(float(field.chi(1.0)), 4)
    (1.01, 1.0)
    """

    activation: Any
    sigma_w: Any = 1.0
    sigma_b: Any = 0.0

    def __post_init__(self) -> None:
        """Look the name up and check the scales."""
        object.__setattr__(self, "activation", named_activation(self.activation))
        object.__setattr__(self, "sigma_w", checks.scale("sigma_w", self.sigma_w))
        bias = checks.scale("sigma_b", self.sigma_b, none_is="no bias")
        object.__setattr__(self, "sigma_b", 0.0 if bias is None else bias)

    @classmethod
    def normalized(
        cls, activation: str | Elementwise, beta: Any = 0.0, *, centre: bool = False
    ) -> "MeanField":
        r"""Return the variance-preserving layer of Jacot et al. 2019.

        The activation is :class:`ntk.phases.Standardized`, and
        :math:`\sigma_w^2 = 1 - \beta^2`, :math:`\sigma_b = \beta`, so that the length 1 is fixed.

        Parameters
        ----------
        activation : str or Elementwise
            The nonlinearity before it is standardised.
        beta : float, default 0.0
            Scale of the biases, at least 0 and less than 1.
        centre : bool, default False
            Whether to subtract the mean too, as a LayerNorm after the nonlinearity does.

        Returns
        -------
        MeanField

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If ``beta`` is out of range or the activation cannot be standardised.

        Examples
        --------
        >>> import ntk
        >>> round(float(ntk.phases.MeanField.normalized("erf", 0.3).length_map(1.0)), 6)
        1.0
        """
        beta = checks.scale("beta", beta)
        if isinstance(beta, float) and beta >= 1:
            raise InvalidValueError(
                f"beta must be less than 1, since the weights have the variance 1 - beta^2; got "
                f"{beta}"
            )
        rest = 1.0 - beta**2
        sigma_w = math.sqrt(rest) if isinstance(rest, float) else jnp.sqrt(rest)
        return cls(Standardized(activation, centre), sigma_w, beta)

    def length_map(self, q: Num[ArrayLike, "..."]) -> Float[Array, "..."]:
        r"""Return :math:`V(q)`, the variance one layer later.

        Parameters
        ----------
        q : ArrayLike
            Variances of preactivations, at least 0.

        Returns
        -------
        Array of the same shape

        Raises
        ------
        InvalidValueError
            If a length is negative or not finite.

        Examples
        --------
        >>> import ntk
        >>> float(ntk.phases.MeanField("relu", sigma_w=2.0).length_map(3.0))
        6.0
        """
        result: Array = _length(self, lengths("q", q))
        return result

    def length_slope(self, q: Num[ArrayLike, "..."]) -> Float[Array, "..."]:
        r"""Return :math:`V'(q)`, which is :math:`\chi_1 + \sigma_w^2 \mathbb E[\sigma\ddot\sigma]`.

        Parameters
        ----------
        q : ArrayLike
            Variances of preactivations, at least 0.

        Returns
        -------
        Array of the same shape

        Examples
        --------
        >>> import ntk
        >>> float(ntk.phases.MeanField("relu", sigma_w=2.0).length_slope(3.0))
        2.0
        """
        result: Array = _length_slope(self, lengths("q", q))
        return result

    def correlation_map(
        self,
        c: Num[ArrayLike, "..."],
        q1: Num[ArrayLike, "..."],
        q2: Num[ArrayLike, "..."] | None = None,
    ) -> Float[Array, "..."]:
        r"""Return :math:`C(c)`, the correlation one layer later.

        Parameters
        ----------
        c : ArrayLike
            Correlations, from -1 to 1.
        q1, q2 : ArrayLike
            The two variances, arrays that broadcast; ``q2`` is ``q1`` if omitted.

        Returns
        -------
        Array of the broadcast shape

        Raises
        ------
        InvalidValueError
            If a number is out of range, or both weights and biases leave a length of zero.

        Examples
        --------
        >>> import ntk
        >>> round(float(ntk.phases.MeanField("relu").correlation_map(0.0, 1.0)), 6)  # 1 / pi
        0.31831
        """
        c = correlations("c", c)
        first = lengths("q1", q1)
        second = first if q2 is None else lengths("q2", q2)
        cov, after = _covariance(self, c, first, second)
        if is_concrete(after) and not (np.asarray(after) > 0).all():
            raise InvalidValueError(
                "a length of the next layer is 0, and correlations with it are not defined: "
                "raise q1, q2, sigma_w or sigma_b"
            )
        result: Array = cov / after
        return result

    def chi(self, q: Num[ArrayLike, "..."], c: Num[ArrayLike, "..."] = 1.0) -> Float[Array, "..."]:
        r"""Return :math:`\chi(c) = \sigma_w^2\, \mathbb E[\dot\sigma(u) \dot\sigma(v)]`.

        At a fixed length it is the slope of the correlation map. At :math:`c = 1` it is
        :math:`\chi_1`, which tells order (less than 1) from chaos (Poole et al. 2016; Schoenholz
        et al. 2017, section 3), and by which gradients grow from layer to layer. Where the
        activation jumps it is the slope, infinite at 1, and not what the gradient sees.

        Parameters
        ----------
        q : ArrayLike
            Variance of both preactivations, at least 0.
        c : ArrayLike, default 1.0
            Their correlation.

        Returns
        -------
        Array of the broadcast shape

        Raises
        ------
        InvalidValueError
            If a number is out of range.

        Examples
        --------
        >>> import ntk
        >>> float(ntk.phases.MeanField("relu", sigma_w=2.0).chi(1.0))
        2.0
        """
        result: Array = _chi(self, correlations("c", c), lengths("q", q))
        return result


# Compiled whole, or each operation of a quadrature would be by itself.


@jax.jit
def _length(field: MeanField, q: Array) -> Array:
    dual: Array = field.activation.expectations(Pair.diagonal(q)).dual
    result: Array = field.sigma_w**2 * dual + field.sigma_b**2
    return result


@jax.jit
def _length_slope(field: MeanField, q: Array) -> Array:
    slope: Array = jax.jvp(lambda q: _length(field, q), (q,), (jnp.ones_like(q),))[1]
    return slope


@jax.jit
def _covariance(field: MeanField, c: Array, q1: Array, q2: Array) -> tuple[Array, Array]:
    """Return the covariance one layer later, and what it is at correlation 1."""
    dual: Array = field.activation.expectations(_pair(c, q1, q2)).dual
    after = root(_length(field, q1)) * root(_length(field, q2))
    return field.sigma_w**2 * dual + field.sigma_b**2, after


@jax.jit
def _chi(field: MeanField, c: Array, q: Array) -> Array:
    slope: Array = field.sigma_w**2 * pair_duals(field.activation, c, q, q)[1]
    return slope


def pair_duals(activation: Elementwise, c: Array, q1: Array, q2: Array) -> tuple[Array, Array]:
    """Return the dual of a pair of given correlation and lengths, and its slope.

    The slope is by the covariance, through jumps of the activation too, where it is infinite for
    parallel inputs.
    """
    pair = _pair(c, q1, q2)
    found = activation.expectations(pair)
    if not activation.jumps:
        return found.dual, found.derivative
    slope = Elementwise.dual_derivative(activation, pair.cov, pair.var1, pair.var2)
    return found.dual, jnp.where(jnp.abs(c) < 1, slope, jnp.inf)


def lengths(name: str, value: Any) -> Array:
    """Check variances of preactivations."""
    array = checks.as_array(name, value)
    checks.require_finite(name, array)
    if is_concrete(array) and (np.asarray(array) < 0).any():
        raise InvalidValueError(
            f"{name} is a variance and must be at least 0, got {np.asarray(array).min():g}"
        )
    return array


def correlations(name: str, value: Any) -> Array:
    """Check correlations."""
    array = checks.as_array(name, value)
    checks.require_finite(name, array)
    if is_concrete(array) and (np.abs(np.asarray(array)) > 1).any():
        worst = np.asarray(array).flat[np.abs(np.asarray(array)).argmax()]
        raise InvalidValueError(f"{name} is a correlation and must be within -1 and 1, got {worst}")
    return array


def _pair(c: Array, q1: Array, q2: Array) -> Pair:
    c, q1, q2 = jnp.broadcast_arrays(c, q1, q2)
    mean = root(q1) * root(q2)
    # Next to 1 the difference is exact, while that of covariances would be rounding.
    return Pair(mean * c, q1, q2, mean * (1.0 - jnp.abs(c)))
