"""Which way each weight is contracted: decided by counting operations."""

from dataclasses import dataclass
from typing import Any, Literal

from ntk.empirical.uses import Part, Use

Order = Literal["factors", "apply", "gradient"]

SLOW = 8.0
"""What an operation on elements costs, measured in operations of a matrix product."""

TRAFFIC = 64.0
"""What an entry costs that is written, read again and summed up, in the same unit."""

SMALL = 6.0
"""What an operation costs in many small matrix products instead of a large one."""


@dataclass(frozen=True)
class Cost:
    """Operations of a contraction, and bytes that are alive during it."""

    flops: float = 0.0
    entries: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        """Both, one after the other, with what they leave alive."""
        return Cost(self.flops + other.flops, self.entries + other.entries)


@dataclass(frozen=True)
class Sizes:
    """How much is asked for: examples of both sides, outputs, the reduction over them."""

    n1: int
    n2: int
    k: int
    reduction: str
    symmetric: bool = False

    @property
    def pairs(self) -> float:
        """Pairs of examples that are computed."""
        return self.n1 * (self.n1 + 1) / 2 if self.symmetric else 1.0 * self.n1 * self.n2

    @property
    def rows(self) -> int:
        """Examples that are differentiated."""
        return self.n1 if self.symmetric else self.n1 + self.n2

    @property
    def pairs_of_outputs(self) -> int:
        """Pairs of outputs that are contracted."""
        return self.k**2 if self.reduction == "full" else self.k


@dataclass(frozen=True)
class Cluster:
    """Parts that share their cotangents, and the order in which they are contracted."""

    parts: tuple[Part, ...]
    order: Order
    cost: Cost

    @property
    def uses(self) -> tuple[Use, ...]:
        """Where the cotangents are taken."""
        return self.parts[0].uses


@dataclass(frozen=True)
class Plan:
    """How the kernel is put together.

    Attributes
    ----------
    clusters : tuple of Cluster
        Weights of products.
    whole : tuple of int
        Leaves whose Jacobians are formed by differentiation.
    merge : bool
        Whether leaves that share cotangents are added before they are multiplied with these.
    """

    clusters: tuple[Cluster, ...]
    whole: tuple[int, ...]
    merge: bool = True

    @property
    def taps(self) -> tuple[int, ...]:
        """Numbers of the values whose cotangents are needed."""
        return tuple(sorted({use.tap for cluster in self.clusters for use in cluster.uses}))

    @property
    def kept(self) -> tuple[int, ...]:
        """Numbers of the values that are needed themselves: inputs and factors."""
        uses = [use for cluster in self.clusters for part in cluster.parts for use in part.uses]
        numbers = {use.product.other for use in uses}
        numbers |= {number for use in uses for number, _ in use.factors if number >= 0}
        return tuple(sorted(numbers))


def make_plan(
    parts: list[list[Part] | str],
    sizes: Sizes,
    leaves: tuple[int, ...],
    *,
    merge: bool = True,
    only: Order | None = None,
) -> Plan:
    """Cluster the parts of these leaves and choose an order for each cluster."""
    places: dict[Any, list[Part]] = {}
    whole = []
    for leaf in leaves:
        found = parts[leaf]
        if isinstance(found, str) or not found:
            whole.append(leaf)
            continue
        for part in found:
            places.setdefault(part.place, []).append(part)
    clusters = tuple(_cheapest(tuple(members), sizes, only) for members in places.values())
    return Plan(clusters, tuple(whole), merge)


def _cheapest(parts: tuple[Part, ...], sizes: Sizes, only: Order | None) -> Cluster:
    candidates = [
        Cluster(parts, "factors", factors_cost(parts, sizes)),
        Cluster(parts, "gradient", gradient_cost(parts, sizes)),
    ]
    if sizes.reduction == "full" and parts[0].positions > 1:
        candidates.append(Cluster(parts, "apply", apply_cost(parts, sizes)))
    allowed = [cluster for cluster in candidates if only in (None, cluster.order)]
    return min(allowed, key=lambda cluster: cluster.cost.flops)


def _kept_entries(parts: tuple[Part, ...], sizes: Sizes) -> float:
    p, s = parts[0].uses[0].product, parts[0].positions
    inputs = sum(1 if part.uses[0].product.is_lookup else part.uses[0].product.i for part in parts)
    return 1.0 * sizes.rows * p.b * s * (inputs + sizes.k * p.o)


def _input_flops(parts: tuple[Part, ...]) -> float:
    p, s = parts[0].uses[0].product, parts[0].positions
    each = (SLOW if q.is_lookup else 2.0 * q.i for q in (part.uses[0].product for part in parts))
    return p.b * s**2 * sum(each)


def factors_cost(parts: tuple[Part, ...], sizes: Sizes) -> Cost:
    """Count the product of two Gram matrices."""
    p, s = parts[0].uses[0].product, parts[0].positions
    kept_outputs = {"full": sizes.k**2, "mean": 1, "diagonal": sizes.k}[sizes.reduction]
    cotangents = p.b * s**2 * 2.0 * sizes.pairs_of_outputs * p.o
    combining = p.b * s**2 * TRAFFIC * kept_outputs
    flops = sizes.pairs * (_input_flops(parts) + cotangents + combining)
    entries = 1.0 * sizes.n1 * sizes.n2 * p.b * s**2 * (1 + kept_outputs)
    return Cost(flops, entries + _kept_entries(parts, sizes))


def apply_cost(parts: tuple[Part, ...], sizes: Sizes) -> Cost:
    """Count the Gram of the inputs applied to the cotangents of one side."""
    p, s, k = parts[0].uses[0].product, parts[0].positions, sizes.k
    applied = SMALL * 2.0 * p.b * (s**2 * k * p.o + k**2 * s * p.o)
    flops = sizes.pairs * (_input_flops(parts) + applied)
    entries = 1.0 * sizes.n1 * sizes.n2 * p.b * s**2 + sizes.n2 * p.b * s * k * p.o
    return Cost(flops, entries + _kept_entries(parts, sizes))


def gradient_cost(parts: tuple[Part, ...], sizes: Sizes) -> Cost:
    """Count the Jacobians, formed from their parts and contracted."""
    total = Cost()
    for part in parts:
        p, s = part.uses[0].product, part.positions
        size = p.b * p.i * p.o
        forming = SLOW * s * p.o if p.is_lookup else 2.0 * s * size
        flops = sizes.rows * sizes.k * forming
        flops += sizes.pairs * 2.0 * sizes.pairs_of_outputs * size
        total += Cost(flops, 1.0 * sizes.rows * sizes.k * (size + p.b * s * p.o))
    return total
