"""An activation brought to unit second moment, and to mean zero if asked."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ntk.checks import is_concrete
from ntk.errors import InvalidValueError
from ntk.layers.activations import activation as named_activation
from ntk.layers.activations.elementwise import Elementwise, Expectations, Geometric
from ntk.layers.base import description, static
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
        if not all(map(is_concrete, jax.tree.leaves(sigma))):
            return
        # Also while a function is traced that makes one of these.
        with jax.ensure_compile_time_eval():
            mean, second = (float(part) for part in _moments(sigma))
        square = second - mean if self.centre else second
        # What is left of a constant is rounding.
        if not 1e-6 * second < square < np.inf:
            what = "variance" if self.centre else "second moment"
            raise InvalidValueError(
                f"{sigma!r} cannot be standardised: its {what} under a standard normal argument is "
                f"{square:.3g}"
            )

    @property
    def jumps(self) -> bool:
        """Whether the activation itself does."""
        return bool(self.activation.jumps)

    def function(self, x: Array) -> Array:
        """Evaluate the scaled function."""
        x = jnp.asarray(x)
        square, _ = self._square_and_shifts(jnp.ones((), x.dtype))
        mean = _mean(self.activation.function, x.dtype) if self.centre else 0.0
        scaled: Array = (self.activation.function(x) - mean) / root(square)
        return scaled

    def expectations(self, pair: Pair) -> Expectations:
        """Return the duals less the means, scaled."""
        found: Expectations = self.activation.expectations(pair)
        square, shifts = self._square_and_shifts(pair.var1, pair.var2)
        dual, gap = found.dual, found.gap
        if self.centre:
            dual = dual - 0.5 * (shifts[0] + shifts[1])
            gap = None if gap is None else self._gap(pair, found.dual, gap, dual, shifts)
        scale = 1.0 / square
        return Expectations(
            scale * dual, scale * found.derivative, None if gap is None else scale * gap
        )

    def _square_and_shifts(self, *variances: Entry) -> tuple[Entry, list[Entry]]:
        r"""Return :math:`s^2`, and :math:`2 m\, \mathbb E\, \sigma(\sqrt v z) - m^2` for each v.

        The product of two means is the dual of an uncorrelated pair, sign included. All are found
        in one call, since duals by quadrature are slow to compile.
        """
        flat = [var.ravel() for var in variances] if self.centre else []
        var = jnp.concatenate([*flat, jnp.ones(2, variances[0].dtype)])
        cov = jnp.zeros_like(var).at[-1].set(1.0)
        found: Array = self.activation.dual(cov, jnp.ones_like(var), var)
        if not self.centre:
            return found[-1], []
        mean_square = found[-2]
        starts = [sum(part.size for part in flat[:i]) for i in range(len(flat))]
        shifts = [
            2.0 * found[start : start + var.size].reshape(var.shape) - mean_square
            for start, var in zip(starts, variances, strict=True)
        ]
        return found[-1] - mean_square, shifts

    def _gap(
        self, pair: Pair, before: Entry, gap: Entry, after: Entry, shifts: list[Entry]
    ) -> Entry:
        r"""Return :math:`\sqrt{k_1 k_2} - |k|` from the gap before the means were subtracted.

        With :math:`k_i = d_i - e_i`, :math:`k = d - (e_1 + e_2) / 2` and :math:`2 \sqrt{ab} =
        a + b - (\sqrt a - \sqrt b)^2` the shifts cancel exactly.
        """
        before1, before2 = (
            self.activation.expectations(Pair.diagonal(v)).dual for v in (pair.var1, pair.var2)
        )
        after1, after2 = before1 - shifts[0], before2 - shifts[1]
        inner = jnp.where(before >= 0, gap, gap - 2.0 * before)
        near = (
            inner
            + 0.5 * (root(before1) - root(before2)) ** 2
            - 0.5 * (root(after1) - root(after2)) ** 2
        )
        far = root(after1) * root(after2) + after
        return jnp.maximum(jnp.where(after >= 0, near, far), 0.0)


@jax.jit
def _moments(sigma: Elementwise) -> Array:
    """Return the squared mean and the second moment under a standard normal argument."""
    one = jnp.ones(2)
    return sigma.dual(jnp.asarray([0.0, 1.0]), one, one)


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
