"""Limits one after another, where batch normalisation has to see the activations beside it."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from ntk.coupling.coupled import Coupled
from ntk.layers.activations.elementwise import Elementwise
from ntk.layers.base import Limit
from ntk.layers.batch_norm import BatchNorm
from ntk.layers.repeat import Chain


def chain(limits: Sequence[Limit]) -> Chain:
    """Return limits one after another, batch normalisations joined with activations beside them.

    Parameters
    ----------
    limits : sequence of Limit
        In their order; chains among them are opened where they couple the batch.
    """
    return Chain(tuple(limit for _, limit in joined(_opened(limits))))


def joined(limits: Sequence[Limit]) -> list[tuple[int, Any]]:
    """Return the limits after joining, each with its place, that of the normalisation if joined."""
    found: list[tuple[int, Any]] = []
    for per_feature, run in groupby(enumerate(limits), lambda item: _is_per_feature(item[1])):
        items = list(run)
        coupling = [place for place, limit in items if limit.couples_batch]
        if per_feature and coupling:
            found.append((coupling[0], Coupled(tuple(limit for _, limit in items))))
        else:
            found.extend(items)
    return found


def _is_per_feature(limit: Limit) -> bool:
    """Whether this acts on each feature by itself, given the batch."""
    return isinstance(limit, Elementwise | BatchNorm)


def _opened(limits: Sequence[Limit]) -> list[Limit]:
    found: list[Limit] = []
    for limit in limits:
        if isinstance(limit, Chain) and limit.couples_batch:
            found.extend(_opened(limit.limits))
        elif isinstance(limit, Coupled):
            found.extend(limit.steps)
        else:
            found.append(limit)
    return found
