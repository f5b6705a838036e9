"""Activations: a scalar function and its dual, the same function seen by a Gaussian pair."""

import abc
import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from ntk import checks
from ntk.errors import InvalidValueError
from ntk.layers.base import Params, WithoutParameters
from ntk.layers.pair import Entry, Pair
from ntk.state import State, own_positions


class Expectations(NamedTuple):
    r"""What an activation makes of a Gaussian pair.

    Attributes
    ----------
    dual : Array
        :math:`\mathbb E[\sigma(u) \sigma(v)]`.
    derivative : Array
        :math:`\mathbb E[\dot\sigma(u) \dot\sigma(v)]`.
    gap : Array or None
        What separates the dual from that of a collinear pair, see :class:`ntk.State`; ``None``
        if there is no formula that finds it better than a subtraction.
    """

    dual: Entry
    derivative: Entry
    gap: Entry | None = None


def check_numbers(layer: Any, *names: str, least: float | None = None) -> None:
    """Check fields of a description that hold finite numbers, and keep them as ``float``.

    Parameters
    ----------
    layer : Elementwise
        A description in its ``__post_init__``.
    *names : str
        Of the fields.
    least : float, optional
        The smallest value that a number may have.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a field is not a finite real number, or less than ``least``.
    """
    for name in names:
        value = checks.number(name, getattr(layer, name))
        if least is not None and isinstance(value, float) and value < least:
            raise InvalidValueError(
                f"{name} of {type(layer).__name__} must be at least {least:g}, got {value}"
            )
        object.__setattr__(layer, name, value)


class Elementwise(WithoutParameters):
    r"""A layer that applies one scalar function :math:`\sigma` to each feature.

    A subclass, decorated with :func:`ntk.layers.description`, gives :meth:`function` and
    :meth:`dual`. The dual of the derivative follows from Price's theorem,

    .. math:: \mathbb E[\dot\sigma(u) \dot\sigma(v)]
              = \frac{\partial}{\partial c} \mathbb E[\sigma(u) \sigma(v)],

    by automatic differentiation. Where :math:`\sigma` has a kink the dual has an infinite second
    derivative on the diagonal, and :meth:`dual_derivative` is given by hand.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> from ntk.layers import Elementwise, description
    >>> @description
    ... class Square(Elementwise):
    ...     def function(self, x):
    ...         return x**2
    ...     def dual(self, cov, var1, var2):
    ...         return var1 * var2 + 2 * cov**2
    >>> net = ntk.Serial(ntk.Dense(64), Square(), ntk.Dense(1))
    >>> K = ntk.kernel(net, jnp.ones((1, 3)))
    >>> float(K.nngp[0, 0]), float(K.ntk[0, 0])
    (3.0, 7.0)
    """

    single_variances: ClassVar[bool] = True
    centred: ClassVar[bool | None] = False
    # Whether a positive factor of the argument is one of the result.
    homogeneous: ClassVar[bool] = False

    @property
    def jumps(self) -> bool:
        """Whether the function has a step, which its gradient does not see."""
        return False

    @abc.abstractmethod
    def function(self, x: Array) -> Array:
        r"""Evaluate :math:`\sigma` elementwise."""

    @abc.abstractmethod
    def dual(self, cov: Entry, var1: Entry, var2: Entry) -> Entry:
        r"""Return :math:`\mathbb E[\sigma(u) \sigma(v)]` for a centred Gaussian pair.

        Parameters
        ----------
        cov, var1, var2 : Array
            Covariance and variances of the pairs; arrays that broadcast.

        Returns
        -------
        Array
            The expectation for each pair.
        """

    def dual_derivative(self, cov: Entry, var1: Entry, var2: Entry) -> Entry:
        r"""Return :math:`\mathbb E[\dot\sigma(u) \dot\sigma(v)]`, by Price's theorem."""
        derivative: Array
        _, derivative = jax.jvp(lambda c: self.dual(c, var1, var2), (cov,), (jnp.ones_like(cov),))
        return derivative

    def expectations(self, pair: Pair) -> Expectations:
        """Return both duals of a pair; an activation that needs the pair's geometry overrides it.

        Parameters
        ----------
        pair : Pair
            Covariance, variances and gap.

        Returns
        -------
        Expectations
            Both duals, and the new gap if there is a formula for it.
        """
        moments = pair.cov, pair.var1, pair.var2
        return Expectations(self.dual(*moments), self.dual_derivative(*moments))

    def apply(self, params: Params, x: ArrayLike) -> Array:
        r"""Apply :math:`\sigma` to each entry."""
        del params
        return self.function(jnp.asarray(x))

    def propagate(self, state: State) -> State:
        r"""Replace the covariance by the dual and multiply the tangent by the derivative's dual.

        That is :math:`K \mapsto \mathbb E[\sigma\sigma']` and :math:`T \mapsto T\,
        \mathbb E[\dot\sigma\dot\sigma']` (Jacot et al. 2018, Theorem 1).
        """
        if not state.gaussian:
            raise InvalidValueError(
                f"{type(self).__name__} needs an input that comes from weights and is Gaussian in "
                "the limit: put ntk.Dense or ntk.Conv between it and the inputs, another "
                "activation or Dropout (a layer of one's own with weights sets gaussian=True in "
                "the state)"
            )
        var1, var2 = state.variances()
        if state.gap is None:
            pair = Pair.of(state.cov, var1, var2)
        else:
            pair = Pair(state.cov, var1, var2, state.gap)
        found = self.expectations(pair)
        return dataclasses.replace(
            state,
            cov=found.dual,
            tangent=None if state.tangent is None else state.tangent * found.derivative,
            var1=self._own(state.var1, state),
            var2=self._own(state.var2, state),
            gap=found.gap,
            gaussian=False,
        )

    def _own(self, var: Array, state: State) -> Array:
        if not state.paired_variances:
            return self.expectations(Pair.diagonal(var)).dual
        own = own_positions(var, len(state.positions))
        ones = (1,) * len(state.positions)
        rows, columns = own.reshape(own.shape + ones), own.reshape(len(own), *ones, *own.shape[1:])
        return self.expectations(Pair.of(var, rows, columns)).dual


class Geometric(Elementwise):
    """An activation whose duals follow from the geometry of the pair.

    A subclass gives :meth:`function` and :meth:`expectations`; the methods of the three moments
    follow, with the gap found by subtraction.
    """

    @abc.abstractmethod
    def expectations(self, pair: Pair) -> Expectations:
        """Return both duals of a pair, and the gap of the first."""

    def dual(self, cov: Entry, var1: Entry, var2: Entry) -> Entry:
        r"""Return :math:`\mathbb E[\sigma(u) \sigma(v)]`."""
        return self.expectations(Pair.of(cov, var1, var2)).dual

    def dual_derivative(self, cov: Entry, var1: Entry, var2: Entry) -> Entry:
        r"""Return :math:`\mathbb E[\dot\sigma(u) \dot\sigma(v)]`."""
        return self.expectations(Pair.of(cov, var1, var2)).derivative
