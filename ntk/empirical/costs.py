"""What each method costs for a model: operations and bytes, counted before anything is computed."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from ntk.empirical.counting import Count, contains, of_equation
from ntk.empirical.plan import SLOW, Cluster, Order, Plan, Sizes, make_plan
from ntk.empirical.request import Request
from ntk.empirical.structured import Structure, structure


@dataclass(frozen=True)
class Cost:
    """What a method takes without tiles.

    Attributes
    ----------
    derivatives : float
        Operations of differentiation; with tiles they are repeated.
    contraction : float
        Operations that put the kernel together.
    bytes : float
        What is alive at once, the result included.
    """

    derivatives: float
    contraction: float
    bytes: float

    @property
    def flops(self) -> float:
        """All operations; one on elements counts as several of a matrix product."""
        return self.derivatives + self.contraction


@dataclass(frozen=True)
class Accounts:
    """A model's structure and what follows from it."""

    found: Structure
    plan: Plan
    only: Order | None
    sizes: Sizes
    leaf_sizes: tuple[int, ...]
    once: Count
    widest: int
    itemsize: int

    def method(self, name: str, sizes: Sizes, leaves: tuple[int, ...] | None = None) -> Cost:
        """Return the cost of a method for a kernel of these sizes."""
        result = (
            1.0
            * sizes.n1
            * sizes.n2
            * {"mean": 1, "diagonal": sizes.k, "full": sizes.k**2}[sizes.reduction]
        )
        forward = _effort(self.once)
        chosen = range(len(self.leaf_sizes)) if leaves is None else leaves
        p = sum(self.leaf_sizes[leaf] for leaf in chosen)
        # Values of a forward pass are kept for the backward passes, of which each output has one.
        activations = sizes.rows * self.once.entries
        if name == "vector_products":
            pairs = sizes.n1 * sizes.n2
            derivatives = sizes.n2 * sizes.k * 3 * forward + pairs * forward
            products = pairs * sizes.k * 2 * forward
            entries = sizes.k * (p + sizes.n1 * self.widest) + sizes.n1 * self.once.entries
            return Cost(derivatives, products, self.itemsize * (result + entries))
        if name == "jacobian":
            derivatives = sizes.rows * (forward + sizes.k * 2 * forward)
            products = 2.0 * sizes.pairs * sizes.pairs_of_outputs * p
            entries = sizes.rows * sizes.k * (p + self.widest) + activations
            return Cost(derivatives, products, self.itemsize * (2 * result + entries))
        plan = make_plan(self.found.uses, sizes, tuple(chosen), only=self.only)
        derivatives = sizes.rows * (forward + sizes.k * forward)
        contraction, entries = 0.0, sizes.rows * sizes.k * self.widest + activations
        for cost in [c.cost for c in plan.clusters] + [tie.cost for tie in plan.ties]:
            contraction += cost.flops
            entries += cost.entries
        for leaf in plan.whole:
            size = self.leaf_sizes[leaf]
            contraction += 2.0 * sizes.pairs * sizes.pairs_of_outputs * size
            entries += sizes.rows * sizes.k * size
        if plan.whole:
            derivatives += sizes.rows * sizes.k * forward * self._share(plan)
        return Cost(derivatives, contraction, self.itemsize * (2 * result + entries))

    @property
    def coupled(self) -> bool:
        """Whether a batch is one function of all its examples."""
        return self.only is not None

    @property
    def has_forward_rules(self) -> bool:
        """Whether every operation can be differentiated forwards."""
        return not any(contains(step.equation, "custom_vjp") for step in self.found.program.steps)

    def _share(self, plan: Plan) -> float:
        """Which part of the parameters needs Jacobians of its own."""
        return sum(self.leaf_sizes[leaf] for leaf in plan.whole) / sum(self.leaf_sizes)

    def of_leaf(self, leaf: int) -> list[Cluster]:
        """Return the clusters in which a leaf has a part."""
        return [c for c in self.plan.clusters if any(part.leaf == leaf for part in c.parts)]


def accounts(request: Request, params: Any, x1: Any, x2: Any) -> Accounts:
    """Read a model's structure and count its operations."""
    sizes = request.sizes(x1, x2)
    found = structure(request.f, params, x1, request.coupled)
    leaves = jax.tree.leaves(params)
    only: Order | None = "gradient" if request.coupled else None
    plan = make_plan(found.uses, sizes, tuple(range(len(leaves))), only=only)
    # What depends on parameters alone is computed once for all examples.
    varying = set(found.program.inputs[len(leaves) :])
    once, widest = Count(), 0
    for step in found.program.steps:
        if varying & set(step.inputs):
            varying |= set(step.outputs)
            once = once.plus(of_equation(step.equation))
            widest = max(widest, *(int(found.program.avals[n].size) for n in step.outputs))
    itemsize = jnp.dtype(found.program.avals[found.program.outputs[0]].dtype).itemsize
    leaf_sizes = tuple(int(leaf.size) for leaf in leaves)
    return Accounts(found, plan, only, sizes, leaf_sizes, once, widest, itemsize)


def _effort(count: Count) -> float:
    return count.products + SLOW * count.elementwise
