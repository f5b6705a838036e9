"""Powers of the rectifier: the arc-cosine kernels of any order."""

import math
from functools import cache

import jax.numpy as jnp
from jax import Array
from numpy.polynomial import Polynomial

from ntk.layers.activations.elementwise import Expectations, Geometric
from ntk.layers.activations.polynomials import check_degree
from ntk.layers.base import description, static
from ntk.layers.pair import Entry, Pair, acute_angle


@description
class RectifiedMonomial(Geometric):
    r"""A power of the positive half-line, :math:`\sigma(x) = x^n\, [x \ge 0]`.

    With the angle :math:`\phi` of the pair (Cho and Saul 2009, section 2)

    .. math:: \mathbb E[\sigma\sigma'] &= \frac{(v_1 v_2)^{n/2}}{2\pi} J_n(\phi), \\
              J_n(\phi) &= (-1)^n (\sin\phi)^{2n+1} \Bigl( \frac1{\sin\phi}
              \frac{\partial}{\partial\phi} \Bigr)^n \Bigl( \frac{\pi - \phi}{\sin\phi} \Bigr),

    and :math:`\mathbb E[\dot\sigma\dot\sigma'] = n^2` times the same of order :math:`n - 1`.
    Order 0 is a step; its derivative is taken as zero, as for :class:`ntk.Sign`.

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
    >>> float(ntk.RectifiedMonomial(2).dual(one, one, one))  # E z^4 / 2
    1.5
    """

    degree: int = static()

    def __post_init__(self) -> None:
        """Check the degree."""
        object.__setattr__(self, "degree", check_degree(self.degree))

    @property
    def jumps(self) -> bool:
        """Whether the degree is zero."""
        return self.degree == 0

    def function(self, x: Array) -> Array:
        """Evaluate the power, 0 for negative arguments."""
        return jnp.where(x >= 0, x, 0.0) ** self.degree * (x >= 0)

    def expectations(self, pair: Pair) -> Expectations:
        """Return the arc-cosine kernels of two orders, and the gap of the higher one."""
        mean, half_sine = pair.mean, pair.half_sine
        dual, gap = _kernel(self.degree, pair, mean, half_sine)
        if self.degree == 0:
            return Expectations(dual, jnp.zeros_like(dual), gap)
        lower, _ = _kernel(self.degree - 1, pair, mean, half_sine)
        return Expectations(dual, self.degree**2 * lower, gap)


def _kernel(order: int, pair: Pair, mean: Entry, half_sine: Entry) -> tuple[Entry, Entry]:
    r"""Return the kernel of one order and its gap.

    With :math:`J_n = (\pi - \phi) P_n(\cos\phi) + \sin\phi\, Q_n(\cos\phi)` the complement
    :math:`O(\psi) = J_n(\pi - \psi)` is small where the pair almost coincides, and
    :math:`J_n(\psi) = \pi P_n(\cos\psi) - (-1)^n O(\psi)`.
    """
    p, q, rest = _polynomials(order)
    apart = 2.0 * half_sine**2  # 1 - cos(psi), with psi the acute angle
    cosine = 1.0 - apart
    sine = half_sine * jnp.sqrt(2.0 * (2.0 - apart))
    opposed = acute_angle(half_sine) * _horner(p, -cosine) + sine * _horner(q, -cosine)
    parity = -1.0 if order % 2 else 1.0
    acute = pair.cov >= 0
    unit = jnp.where(acute, math.pi * _horner(p, cosine) - parity * opposed, opposed)
    top = math.pi * sum(p)
    gap = jnp.where(
        acute, math.pi * apart * _horner(rest, cosine) + parity * opposed, top - opposed
    )
    if order == 0:
        # A zero is on the positive side together with half of everything.
        some = (pair.var1 > 0) & (pair.var2 > 0)
        none = (pair.var1 == 0) & (pair.var2 == 0)
        unit = jnp.where(some, unit, jnp.where(none, 2.0, 1.0) * math.pi)
        gap = jnp.where(some, gap, jnp.where(none, 0.0, (math.sqrt(2.0) - 1.0) * math.pi))
    scale = mean**order / (2.0 * math.pi)
    return scale * unit, scale * gap


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    total = jnp.full_like(x, coefficients[-1])
    for number in coefficients[-2::-1]:
        total = total * x + number
    return total


@cache
def _polynomials(order: int) -> tuple[tuple[float, ...], ...]:
    r"""Return :math:`P_n`, :math:`Q_n` and :math:`(P_n(1) - P_n(x)) / (1 - x)`.

    From :math:`\partial J_n / \partial \cos\phi = n^2 J_{n-1}`: :math:`P_n' = n^2 P_{n-1}` and
    :math:`P_n - x Q_n + (1 - x^2) Q_n' = n^2 (1 - x^2) Q_{n-1}`.
    """
    p, q = [1], [0]
    for n in range(1, order + 1):
        # P_n(0) is the square of E z^n.
        moment = math.prod(range(1, n, 2)) if n % 2 == 0 else 0
        # Powers of x compared in the second equation, the lowest first.
        lower = [n * n * a for a in q] + [0, 0]
        p_next = [moment**2] + [n * n * a // (k + 1) for k, a in enumerate(p)]
        # At a right angle only one of the two is left.
        q_next = [0] * n
        q_next[0] = math.prod(range(2, n, 2)) ** 2 if n % 2 else 0
        right = [lower[k] - (lower[k - 2] if k > 1 else 0) - p_next[k] for k in range(n)]
        for k in range(n - 1):
            before = q_next[k - 1] if k else 0
            q_next[k + 1] = (right[k] + k * before) // (k + 1)
        p, q = p_next, q_next
    rest, remainder = divmod(Polynomial([sum(p)]) - Polynomial(p), Polynomial([1.0, -1.0]))
    del remainder  # both sides vanish at 1
    return tuple(map(float, p)), tuple(map(float, q)), tuple(map(float, rest.coef))
