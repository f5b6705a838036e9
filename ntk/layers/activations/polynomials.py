"""Polynomials: their duals are polynomials in the three moments of a pair."""

import abc
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk import checks
from ntk.errors import InvalidTypeError, InvalidValueError
from ntk.layers.activations.elementwise import Expectations, Geometric
from ntk.layers.base import description, static
from ntk.layers.pair import Entry, Pair


@description
class Identity(Geometric):
    r"""The identity :math:`\sigma(x) = x`, of deep linear networks.

    .. math:: \mathbb E[\sigma\sigma'] = c, \qquad \mathbb E[\dot\sigma\dot\sigma'] = 1.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> ntk.kernel(ntk.mlp(2, activation="identity"), jnp.asarray([[3.0, 4.0]]), get="ntk").item()
    37.5
    """

    homogeneous: ClassVar[bool] = True

    def function(self, x: Array) -> Array:
        """Return the argument."""
        return x

    def expectations(self, pair: Pair) -> Expectations:
        """Return the covariance, ones, and the gap."""
        return Expectations(pair.cov, jnp.ones_like(pair.cov), pair.gap)


class HermiteExpansion(Geometric):
    r"""A polynomial by its Hermite expansion at each variance.

    If :math:`\sigma(\sqrt v z) = \sum_k \sqrt{k!}\, v^{k/2}\, T_k(v)\, h_k(z)` in normalised
    Hermite polynomials, then (O'Donnell 2014, proposition 11.31; Daniely et al. 2016, section 4)

    .. math:: \mathbb E[\sigma\sigma'] = \sum_k k!\, T_k(v_1)\, T_k(v_2)\, c^k.
    """

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """How many coefficients there are, the degree plus one."""

    @abc.abstractmethod
    def coefficient(self, k: int, var: Entry) -> Any:
        r"""Return :math:`T_k(v)`; a plain zero where it vanishes for every variance."""

    def expectations(self, pair: Pair) -> Expectations:
        """Return both sums, by Horner's rule."""
        dual = derivative = jnp.zeros_like(pair.cov)
        for k in reversed(range(self.size)):
            factor = self.coefficient(k, pair.var1) * self.coefficient(k, pair.var2)
            term = math.factorial(k) * factor
            dual = dual * pair.cov + term
            if k:
                derivative = derivative * pair.cov + k * term
        return Expectations(dual, derivative)


@description
class Polynomial(HermiteExpansion):
    r"""A polynomial :math:`\sigma(x) = \sum_n a_n x^n`.

    .. math:: \mathbb E[\sigma\sigma'] &= \sum_k k!\, T_k(v_1)\, T_k(v_2)\, c^k, \\
              T_k(v) &= \sum_i a_{k + 2i} \frac{(k + 2i)!}{2^i\, i!\, k!} v^i

    (the Hermite expansion of each power; Daniely et al. 2016, section 4), and
    :math:`\mathbb E[\dot\sigma\dot\sigma']` by Price's theorem.

    Parameters
    ----------
    coefficients : sequence of float
        The numbers :math:`a_0, a_1, \ldots`, the constant first.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If there is none, or one is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.asarray(1.0)
    >>> float(ntk.Polynomial([1.0, 0.0, 1.0]).dual(one, one, one))  # E (1 + z^2)^2
    6.0
    """

    coefficients: Any

    def __post_init__(self) -> None:
        """Check the coefficients and make them a tuple."""
        given = self.coefficients
        if isinstance(given, str) or not (
            isinstance(given, Sequence) or getattr(given, "ndim", 0) == 1
        ):
            if type(given) is object or given is None:  # a placeholder of JAX, not a user's value
                return
            raise InvalidTypeError(
                "coefficients must be a sequence of numbers, the constant first, such as "
                f"[0.0, 1.0, 0.5]; got {given!r}"
            )
        if len(given) == 0:
            raise InvalidValueError("coefficients is empty; the zero polynomial is [0.0]")
        numbers = tuple(checks.number(f"coefficients[{n}]", a) for n, a in enumerate(given))
        object.__setattr__(self, "coefficients", numbers)

    @property
    def size(self) -> int:
        """How many coefficients there are."""
        return len(self.coefficients)

    def function(self, x: Array) -> Array:
        """Evaluate the polynomial by Horner's rule."""
        value = jnp.zeros_like(x)
        for number in reversed(self.coefficients):
            value = value * x + number
        return value

    def coefficient(self, k: int, var: Entry) -> Any:
        r"""Return :math:`T_k(v)`."""
        total = jnp.zeros_like(var)
        for i in reversed(range((self.size - 1 - k) // 2 + 1)):
            total = total * var + self.coefficients[k + 2 * i] * _contraction(k, i)
        return total


def _contraction(k: int, i: int) -> float:
    """Return how often the power k + 2i contains the Hermite polynomial of degree k."""
    return float(math.factorial(k + 2 * i) // (2**i * math.factorial(i) * math.factorial(k)))


@description
class _OfOneDegree(HermiteExpansion):
    """A polynomial that its degree determines."""

    degree: int = static()

    def __post_init__(self) -> None:
        """Check the degree."""
        object.__setattr__(self, "degree", check_degree(self.degree))

    @property
    def size(self) -> int:
        """The degree plus one."""
        return self.degree + 1


@description
class Monomial(_OfOneDegree):
    r"""A power :math:`\sigma(x) = x^n`.

    .. math:: \mathbb E[\sigma\sigma'] &= \sum_{k \equiv n} k! \Bigl( \frac{n!}{2^i\, i!\, k!}
              \Bigr)^2 (v_1 v_2)^i\, c^k \quad (i = \tfrac{n - k}2), \\
              \mathbb E[\dot\sigma\dot\sigma'] &= n^2\, \mathbb E[u^{n-1} v^{n-1}]

    (Daniely et al. 2016, section 4).

    Parameters
    ----------
    degree : int
        The exponent :math:`n`, not negative.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is not a whole number, or negative.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> one = jnp.asarray(1.0)
    >>> float(ntk.Monomial(3).dual(one, one, one))
    15.0
    """

    def function(self, x: Array) -> Array:
        """Evaluate the power."""
        return x**self.degree

    def coefficient(self, k: int, var: Entry) -> Any:
        r"""Return :math:`T_k(v)`, a single power of the variance."""
        i, odd = divmod(self.degree - k, 2)
        return 0.0 if odd else _contraction(k, i) * var**i


@description
class Hermite(_OfOneDegree):
    r"""The Hermite polynomial :math:`h_n(x) = \mathrm{He}_n(x) / \sqrt{n!}`.

    It has norm 1 under the standard normal distribution. For pairs of unit variance

    .. math:: \mathbb E[\sigma\sigma'] = c^n, \qquad
              \mathbb E[\dot\sigma\dot\sigma'] = n\, c^{n-1}

    (O'Donnell 2014, proposition 11.31). For others the terms with
    :math:`T_{n - 2i}(v) = \sqrt{n!}\, (v - 1)^i / (2^i\, i!\, (n - 2i)!)` are added, as for
    :class:`ntk.Polynomial`. neural-tangents assumes unit variance and leaves them out.

    Parameters
    ----------
    degree : int
        The degree :math:`n`, not negative.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is not a whole number, or negative.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> half, one = jnp.asarray(0.5), jnp.asarray(1.0)
    >>> round(float(ntk.Hermite(3).dual(half, one, one)), 6)
    0.125
    """

    def function(self, x: Array) -> Array:
        """Evaluate the polynomial by its three-term recursion."""
        before, value = jnp.zeros_like(x), jnp.ones_like(x)
        for k in range(self.degree):
            before, value = value, (x * value - math.sqrt(k) * before) / math.sqrt(k + 1)
        return value

    def coefficient(self, k: int, var: Entry) -> Any:
        r"""Return :math:`T_k(v)`, a single power of :math:`v - 1`."""
        i, odd = divmod(self.degree - k, 2)
        if odd:
            return 0.0
        return _contraction(k, i) / math.sqrt(math.factorial(self.degree)) * (var - 1.0) ** i


def check_degree(value: Any) -> int:
    """Check a degree: a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InvalidTypeError(
            f"degree must be a whole number, got {value!r} of type {type(value).__name__}"
        )
    if value < 0:
        raise InvalidValueError(f"degree must be at least 0, got {value}")
    return int(value)
