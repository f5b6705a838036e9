"""Runs of equal layers, folded into one loop: depth costs time, but no compilation."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntk.checks import is_concrete
from ntk.layers.base import Limit, description, static
from ntk.layers.rectifier_run import is_rectifier_block, propagate_rectified
from ntk.pytrees import register
from ntk.state import State

LONGEST_BLOCK = 8
"""Blocks of up to this many layers are recognised when they repeat."""


@register
@dataclasses.dataclass(frozen=True)
class Chain(Limit):
    """Limits one after another."""

    limits: tuple[Any, ...]

    def propagate(self, state: State) -> State:
        """Carry the state through each in turn."""
        for limit in self.limits:
            state = limit.propagate(state)
        return state

    def needs_pairs(self) -> bool | None:
        """Return what the first says that decides it."""
        said = (limit.needs_pairs() for limit in self.limits)
        return next((answer for answer in said if answer is not None), None)

    @property
    def couples_batch(self) -> bool:  # type: ignore[override]
        """Whether one of them does."""
        return any(limit.couples_batch for limit in self.limits)

    @property
    def single_variances(self) -> bool:  # type: ignore[override]
        """Whether all of them do."""
        return all(limit.single_variances for limit in self.limits)

    @property
    def reads_variances(self) -> bool:  # type: ignore[override]
        """Whether one of them does."""
        return any(limit.reads_variances for limit in self.limits)

    def needs_paired_variances(self) -> bool:
        """Return whether anything reads variances from where positions first meet."""
        mixing = [i for i, limit in enumerate(self.limits) if limit.needs_pairs()]
        if not mixing:
            return False
        first, *later = self.limits[mixing[0] :]
        return first.needs_paired_variances() or any(limit.reads_variances for limit in later)


@description
class Repeated(Limit):
    """A block that is applied ``length`` times, each time with numbers of its own.

    Only :func:`fold` makes these: the leaves of ``block`` have a leading axis of that length.
    """

    block: Any
    length: int = static()

    @property
    def couples_batch(self) -> bool:  # type: ignore[override]
        """Whether the block does."""
        return bool(self.block.couples_batch)

    @property
    def single_variances(self) -> bool:  # type: ignore[override]
        """Whether the block does."""
        return bool(self.block.single_variances)

    def needs_pairs(self) -> bool | None:
        """Return what the block says."""
        return self.block.needs_pairs()  # type: ignore[no-any-return]

    def needs_paired_variances(self) -> bool:
        """Whether positions meet in the block, which is then repeated, nonlinearities and all."""
        return bool(self.block.needs_pairs())

    def propagate(self, state: State) -> State:
        """Loop over the block: once by itself, then scanned if that keeps the state's shape."""
        first, rest = (
            jax.tree.map(lambda leaf, s=s: leaf[s], self.block) for s in (0, slice(1, None))
        )
        # The first pass settles the width, which the carry of a scan may not change.
        state = first.propagate(state)
        if not _keeps_shape(first, state):
            for i in range(1, self.length):
                state = jax.tree.map(lambda leaf, i=i: leaf[i], self.block).propagate(state)
            return state
        if is_rectifier_block(rest.limits) and state.gap is not None and not state.paired:
            return propagate_rectified(rest.limits[0], self.length - 1, state)
        return jax.lax.scan(
            lambda carry, block: (block.propagate(carry), None), state, rest, self.length - 1
        )[0]


def _keeps_shape(block: Limit, state: State) -> bool:
    """Whether a pass through the block leaves shapes, dtypes and the number of features alone."""
    structures: list[Any] = []

    def leaves_after(before: State) -> list[Any]:
        leaves, structure = jax.tree.flatten(block.propagate(before))
        structures.append(structure)
        return leaves

    after = jax.eval_shape(leaves_after, state)
    leaves: list[Any] = jax.tree.leaves(state)
    structures.append(jax.tree.structure(state))
    same_leaves = [(a.shape, a.dtype) for a in after] == [(a.shape, a.dtype) for a in leaves]
    return same_leaves and bool(structures[0] == structures[1])


def fold(limit: Limit, dtype: Any) -> Limit:
    """Replace repeating blocks of a :class:`Chain` by :class:`Repeated` ones.

    Parameters
    ----------
    limit : Limit
        Of any description; only chains change.
    dtype : dtype
        Of the stacked numbers, that of the computation.
    """
    if not isinstance(limit, Chain):
        return limit
    limits, start = limit.limits, 0
    folded: list[Limit] = []
    structures = [jax.tree.structure(item) for item in limits]
    while start < len(limits):
        period, count = _longest_run(structures, start)
        if count > 1:
            blocks = [
                Chain(limits[start + i * period : start + (i + 1) * period]) for i in range(count)
            ]
            folded.append(Repeated(_stack(blocks, dtype), count))
        else:
            folded.append(fold(limits[start], dtype))
        start += period * count
    return Chain(tuple(folded))


def _longest_run(structures: list[Any], start: int) -> tuple[int, int]:
    """Return the period and count of the run from ``start`` that covers most layers."""
    best = (1, 1)
    for period in range(1, LONGEST_BLOCK + 1):
        block = structures[start : start + period]
        count = 1
        while structures[start + count * period : start + (count + 1) * period] == block:
            count += 1
        if count > 1 and count * period > best[0] * best[1]:
            best = (period, count)
    return best


def _stack(blocks: list[Chain], dtype: Any) -> Chain:
    def stack(*leaves: Any) -> Any:
        if all(is_concrete(leaf) for leaf in leaves):
            return np.asarray(leaves, dtype)  # on the host: nothing to compile
        return jnp.stack([jnp.asarray(leaf, dtype) for leaf in leaves])

    stacked: Chain = jax.tree.map(stack, *blocks)
    return stacked
