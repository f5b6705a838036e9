"""The limit of a recurrent layer: pairs of times, followed along their diagonals."""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from ntk.errors import ShapeError
from ntk.layers.base import Limit, description, static
from ntk.layers.pair import Pair
from ntk.state import State, own_positions

OUTPUTS = ("last", "mean", "all")


@description
class Recurrence(Limit):
    """What :class:`ntk.Recurrent` does to a state.

    Parameters
    ----------
    activation : Elementwise
        The nonlinearity.
    weight, entrance : float
        The variances of recurrent and of input weights.
    bias : float or None
        That of the bias; ``None`` if there is none.
    width : int
        Number of hidden features.
    outputs : {"last", "mean", "all"}
        Which hidden features are the result.
    parametrization : {"ntk", "standard"}
        See :class:`ntk.Dense`.
    """

    activation: Any
    weight: Any
    entrance: Any
    bias: Any
    width: int = static()
    outputs: Literal["last", "mean", "all"] = static()
    parametrization: Literal["ntk", "standard"] = static()

    def needs_pairs(self) -> bool | None:
        """Return whether all pairs of times are needed, for the mean; the last needs its own."""
        return {"last": False, "mean": True, "all": None}[self.outputs]

    def propagate(self, state: State) -> State:
        """Follow the pairs; the formulas are those of :meth:`ntk.Recurrent.propagate`."""
        require_times(state.positions)
        if state.paired and self.outputs == "last":
            state = _each_time_with_itself(state)
        follow = self._all_pairs if state.paired else self._diagonal
        var1, var2 = state.var1, state.var2
        if state.paired:
            var1, var2 = own_positions(var1, 1), own_positions(var2, 1)
        sums1, sums2 = self._variances(var1), self._variances(var2)
        cov, tangent = follow(state.cov, state.tangent, sums1[:, None], sums2[None], state.features)
        hidden1, _ = follow(state.var1, None, sums1, sums1, state.features)
        hidden2, _ = follow(state.var2, None, sums2, sums2, state.features)
        after = dataclasses.replace(
            state,
            cov=cov,
            tangent=tangent,
            var1=hidden1,
            var2=hidden2,
            features=self.width,
            gap=None,
            gaussian=False,
        )
        if self.outputs == "last":
            return _mapped(after, lambda array: array[..., -1])
        if self.outputs == "mean":
            return _mapped(after, lambda array: array.mean(axis=(-2, -1)))
        return after

    def _variances(self, var: Array) -> Array:
        r"""Return :math:`\Sigma_{tt}` of inputs ``(n, T)`` with themselves."""

        def step(hidden: Array, now: Array) -> tuple[Array, Array]:
            total = self._sum(hidden, now)
            return self.activation.expectations(Pair.diagonal(total)).dual, total

        _, sums = jax.lax.scan(step, jnp.zeros_like(var[:, 0]), var.T)
        return sums.T

    def _sum(self, hidden: Array, now: Array) -> Array:
        total: Array = self.weight * hidden + self.entrance * now
        return total if self.bias is None else total + self.bias

    def _step(
        self, hidden: Any, now: Any, rows: Array, columns: Array, features: int
    ) -> tuple[Array, Array | None]:
        """Return covariance and tangent kernel of the hidden features one time later."""
        total = self._sum(hidden[0], now[0])
        found = self.activation.expectations(Pair.of(total, rows, columns))
        dual = jnp.broadcast_to(found.dual, total.shape)
        if now[1] is None:
            return dual, None
        if self.parametrization == "ntk":
            own = total
        else:
            own = self.width * hidden[0] + features * now[0]
            own = own if self.bias is None else own + 1.0
        passed = self.weight * hidden[1] + self.entrance * now[1] + own
        return dual, passed * found.derivative

    def _diagonal(
        self, cov: Array, tangent: Array | None, rows: Array, columns: Array, features: int
    ) -> tuple[Array, Array | None]:
        """Follow each time with itself, ``(..., T)``."""

        def step(hidden: Any, now: Any) -> tuple[Any, Any]:
            arrived, (rows_now, columns_now) = now
            hidden = self._step(hidden, arrived, rows_now, columns_now, features)
            return hidden, hidden

        sums = jnp.broadcast_to(rows, cov.shape), jnp.broadcast_to(columns, cov.shape)
        times = jax.tree.map(lambda a: jnp.moveaxis(a, -1, 0), ((cov, tangent), sums))
        start = jax.tree.map(lambda a: jnp.zeros_like(a[..., 0]), (cov, tangent))
        _, every = jax.lax.scan(step, start, times)
        found: tuple[Array, Array | None] = jax.tree.map(lambda a: jnp.moveaxis(a, 0, -1), every)
        return found

    def _all_pairs(
        self, cov: Array, tangent: Array | None, rows: Array, columns: Array, features: int
    ) -> tuple[Array, Array | None]:
        """Follow all pairs of times, ``(..., T, T)``, row by row."""

        def later(row: Array) -> Array:
            # Entry t' comes from t' - 1 of the row before, the first from nothing.
            return jnp.pad(row, [(0, 0)] * (row.ndim - 1) + [(1, 0)])[..., :-1]

        def step(hidden: Any, now: Any) -> tuple[Any, Any]:
            before = jax.tree.map(later, hidden)
            hidden = self._step(before, now[0], now[1][..., None], columns, features)
            return hidden, hidden

        own = jnp.moveaxis(rows, -1, 0)
        times = jax.tree.map(lambda a: jnp.moveaxis(a, -2, 0), (cov, tangent))
        start = jax.tree.map(lambda a: jnp.zeros_like(a[..., 0, :]), (cov, tangent))
        _, every = jax.lax.scan(step, start, (times, own))
        found: tuple[Array, Array | None] = jax.tree.map(lambda a: jnp.moveaxis(a, 0, -2), every)
        return found


def _mapped(state: State, change: Any) -> State:
    """Take the times out of a state."""
    return dataclasses.replace(
        state,
        cov=change(state.cov),
        tangent=None if state.tangent is None else change(state.tangent),
        var1=change(state.var1),
        var2=change(state.var2),
        paired=False,
    )


def _each_time_with_itself(state: State) -> State:
    return _mapped(state, lambda array: jnp.diagonal(array, axis1=-2, axis2=-1))


def require_times(positions: tuple[int, ...]) -> None:
    """Raise unless the positions are one axis of times."""
    if len(positions) != 1:
        raise ShapeError(
            f"a recurrent layer needs sequences (n, T, d) with one axis of times, got positions "
            f"{positions}"
        )
