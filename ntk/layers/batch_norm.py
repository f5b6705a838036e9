"""Normalisation of each feature over the batch."""

from dataclasses import KW_ONLY
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from ntk import checks
from ntk.coupling.coupled import Coupled
from ntk.errors import InvalidValueError, ShapeError
from ntk.layers.base import Params, WithoutParameters, description, static
from ntk.state import State


@description
class BatchNorm(WithoutParameters):
    r"""Each feature less its mean over the batch, divided by its standard deviation there.

    .. math:: y_i = \frac{x_i - \bar x}{\sqrt{\overline{(x - \bar x)^2} + \epsilon}},

    where the bar is an average over the batch, and over positions where there are any (Ioffe and
    Szegedy 2015). There is no learned scale or offset. The whole input set is the batch: the
    result for one example depends on all others, ``ntk.empirical_ntk`` needs ``coupled=True``,
    and ``ntk.kernel(net, x1, x2)`` normalises each of the two sets by its own statistics.

    In the limit of infinite width the features of a batch of :math:`N` examples are independent
    draws of one Gaussian vector :math:`z \sim \mathcal N(0, K)`. With the normalisation and the
    activations next to it as one function :math:`g`, and its Jacobian :math:`J`,

    .. math:: K \mapsto \mathbb E[g(z)\, g(z)^\top], \qquad
              T \mapsto \mathbb E[J\, T J^\top]

    (Yang 2019, "Tensor Programs I"; Yang 2020, "Tensor Programs II"). How they are found:

    - Before an activation with :math:`\sigma(a u) = a\, \sigma(u)`, :math:`a > 0` (``Relu``,
      ``LeakyRelu``, ``ABRelu``, ``Abs``, ``Identity``), or before none: by integrals
      (:mod:`ntk.coupling.integral`), to 1e-8 in float64 and 1e-4 in float32 of the largest
      entry, if the batch less its mean has at least 4 independent directions, so 5 examples. Time
      grows with :math:`N^3`.
    - After an activation, as in ``Relu(), BatchNorm()``, or before any other: by ``draws`` fixed
      draws of :math:`z`. They leave errors of 1 to 3 % of the largest entry at the default, for
      eight examples with ``eps=1e-3``, and about a quarter of it with sixteen times as many. Time
      grows with the draws times :math:`N^3`.

    Gradients of small batches have no second moment as :math:`\epsilon \to 0`: the tangent kernel
    is infinite with 3 independent examples, and that of a finite network scatters without a
    variance with up to 5.

    Parameters
    ----------
    eps : float, default 1e-12
        What is added to the variance.
    draws : int, default 16384
        How many draws stand for an expectation that has no integral: a power of two.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If ``eps`` is no number or negative, or ``draws`` no power of two.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> x = jax.random.normal(jax.random.key(0), (6, 5))
    >>> net = ntk.Serial(ntk.Dense(64), ntk.BatchNorm(), ntk.Relu(), ntk.Dense(1))
    >>> K = ntk.kernel(net, x, get="nngp")
    >>> round(float(K.trace()), 3)  # half of each variance of one
    3.0
    """

    couples_batch: ClassVar[bool] = True
    mixes_positions: ClassVar[bool] = True
    reads_variances: ClassVar[bool] = False
    single_variances: ClassVar[bool] = True
    _: KW_ONLY
    eps: Any = 1e-12
    draws: int = static(default=16384)

    def __post_init__(self) -> None:
        """Check the numbers."""
        object.__setattr__(self, "eps", checks.scale("eps", self.eps))
        draws = checks.positive_integer("draws", self.draws)
        if draws & (draws - 1):
            raise InvalidValueError(f"draws must be a power of two such as 16384, got {draws}")
        object.__setattr__(self, "draws", draws)

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Normalise each feature of a batch ``(n, *positions, features)``."""
        del params
        x = jnp.asarray(x)
        if x.ndim < 2:
            raise ShapeError(
                f"BatchNorm needs a batch (n, *positions, features), got shape {x.shape}"
            )
        axes = tuple(range(x.ndim - 1))
        apart = x - x.mean(axis=axes, keepdims=True)
        square: Array = jnp.mean(apart * apart, axis=axes, keepdims=True)
        return apart / jnp.sqrt(square + self.eps)

    def propagate(self, state: State) -> State:
        """Take the expectations over the batch, with no activation beside it.

        :class:`ntk.Serial` joins it with those that are.
        """
        return Coupled((self,)).propagate(state)
