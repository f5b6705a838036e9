"""An activation brought to unit second moment, and to mean zero if asked."""

from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.checks import is_concrete
from ntk.errors import InvalidValueError
from ntk.layers.activations import activation as named_activation
from ntk.layers.base import description, static
from ntk.layers.elementwise import Expectations, Geometric
from ntk.layers.pair import Entry, Pair, root


@description
class Standardized(Geometric):
    r"""An activation scaled to second moment 1, and centred too if ``centre`` is set.

    .. math:: \tilde\sigma = \frac{\sigma - m}{s}, \qquad s^2 = \mathbb E (\sigma(z) - m)^2,
              \qquad z \sim \mathcal N(0, 1),

    with :math:`m = 0`, or :math:`m = \mathbb E\, \sigma(z)` if ``centre`` (Jacot et al. 2019,
    "Freeze and chaos", where the first is called standardised and the second is what a LayerNorm
    after the nonlinearity does to an infinitely wide layer of unit variance). With
    :math:`\sigma_w^2 + \sigma_b^2 = 1` every layer then keeps the variance 1.

    Parameters
    ----------
    activation : str or Elementwise
        The nonlinearity :math:`\sigma`.
    centre : bool, default False
        Whether to subtract the mean.

    Raises
    ------
    InvalidValueError
        If the activation is unknown, or nothing is left of it.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> sigma = ntk.phases.Standardized("relu", centre=True)
    >>> one = jnp.asarray(1.0)
    >>> round(float(sigma.dual(one, one, one)), 6), round(float(sigma.dual(0 * one, one, one)), 6)
    (1.0, 0.0)
    """

    activation: Any
    centre: bool = static(default=False)

    def __post_init__(self) -> None:
        """Look the name up and check that something is left to scale."""
        sigma = named_activation(self.activation)
        object.__setattr__(self, "activation", sigma)
        one = jnp.ones(())
        size = sigma.dual(one, one, one)
        square = self._square(one)
        if is_concrete(square) and not 1e-6 * float(size) < float(square) < np.inf:
            what = "variance" if self.centre else "second moment"
            raise InvalidValueError(
                f"{sigma!r} cannot be standardised: its {what} under a standard normal argument is "
                f"{float(square):.3g}"
            )

    @property
    def jumps(self) -> bool:
        """Whether the activation itself does."""
        return bool(self.activation.jumps)

    def function(self, x: Array) -> Array:
        """Evaluate the scaled function."""
        x = jnp.asarray(x)
        mean = _mean(self.activation.function, x.dtype) if self.centre else 0.0
        return (self.activation.function(x) - mean) / root(self._square(jnp.ones((), x.dtype)))

    def expectations(self, pair: Pair) -> Expectations:
        """Return the duals less the means, scaled."""
        scale = 1.0 / self._square(jnp.ones((), pair.cov.dtype))
        found: Expectations = self.activation.expectations(pair)
        if not self.centre:
            gap = None if found.gap is None else scale * found.gap
            return Expectations(scale * found.dual, scale * found.derivative, gap)
        shift1, shift2 = self._shift(pair.var1), self._shift(pair.var2)
        dual = found.dual - 0.5 * (shift1 + shift2)
        gap = None if found.gap is None else self._gap(pair, found, dual, shift1, shift2)
        return Expectations(
            scale * dual, scale * found.derivative, None if gap is None else scale * gap
        )

    def _square(self, one: Entry) -> Entry:
        square: Array = self.activation.dual(one, one, one)
        return square - self._shift(one) if self.centre else square

    def _shift(self, var: Entry) -> Entry:
        r"""Return :math:`2 m\, \mathbb E\, \sigma(\sqrt v z) - m^2`.

        The product of two means is the dual of an uncorrelated pair, sign included.
        """
        zero, one = jnp.zeros_like(var), jnp.ones_like(var)
        product: Array = self.activation.dual(zero, one, var)
        square: Array = self.activation.dual(zero, one, one)
        return 2.0 * product - square

    def _gap(
        self, pair: Pair, found: Expectations, dual: Entry, shift1: Entry, shift2: Entry
    ) -> Entry:
        r"""Return :math:`\sqrt{k_1 k_2} - |k|` from the gap before the means were subtracted.

        With :math:`k_i = d_i - e_i`, :math:`k = d - (e_1 + e_2) / 2` and :math:`2 \sqrt{ab} =
        a + b - (\sqrt a - \sqrt b)^2` the shifts cancel exactly.
        """
        var1, var2 = jnp.broadcast_arrays(pair.var1, pair.var2)
        before1, before2 = (
            self.activation.expectations(Pair.diagonal(v)).dual for v in (var1, var2)
        )
        after1, after2 = before1 - shift1, before2 - shift2
        inner = jnp.where(found.dual >= 0, found.gap, found.gap - 2.0 * found.dual)
        near = (
            inner
            + 0.5 * (root(before1) - root(before2)) ** 2
            - 0.5 * (root(after1) - root(after2)) ** 2
        )
        far = root(after1) * root(after2) + dual
        return jnp.maximum(jnp.where(dual >= 0, near, far), 0.0)


def _mean(function: Any, dtype: Any) -> Array:
    r"""Return :math:`\mathbb E\, \sigma(z)`, by a Gauss rule on either side of zero."""
    point, weight = (jnp.asarray(part, dtype) for part in _half_normal())
    return jnp.sum(weight * (function(point) + function(-point)))


@cache
def _half_normal() -> tuple[Any, Any]:
    """Return nodes on the positive half-line, dense at zero, and normal weights."""
    node, weight = np.polynomial.legendre.leggauss(200)
    part, share = 0.5 * (node + 1.0), 0.5 * weight
    reach = 12.0  # beyond which a normal variable is with probability 1e-33
    point = reach * part**3
    density = np.exp(-0.5 * point**2) / np.sqrt(2.0 * np.pi)
    return point, 3.0 * reach * part**2 * share * density
