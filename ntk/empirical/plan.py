"""Which way each weight is contracted: decided by counting operations."""

from dataclasses import dataclass
from typing import Any, Literal

from ntk.empirical.search import Part, Uses
from ntk.empirical.uses import Use

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


@dataclass(frozen=True)
class Tie:
    """Two parts of a leaf that have their entries in common, one transposed."""

    one: Part
    two: Part
    cost: Cost


@dataclass(frozen=True)
class Plan:
    """How the kernel is put together.

    Attributes
    ----------
    clusters : tuple of Cluster
        Weights of products.
    ties : tuple of Tie
        Pairs of parts that contribute together as well.
    whole : tuple of int
        Leaves whose Jacobians are formed by differentiation.
    merge : bool
        Whether leaves that share cotangents are added before they are multiplied with these.
    """

    clusters: tuple[Cluster, ...]
    ties: tuple[Tie, ...]
    whole: tuple[int, ...]
    merge: bool = True

    @property
    def uses(self) -> list[Use]:
        """All uses of all parts; tied ones have clusters of their own."""
        return [use for cluster in self.clusters for part in cluster.parts for use in part.uses]

    @property
    def taps(self) -> tuple[int, ...]:
        """Numbers of the values whose cotangents are needed."""
        return tuple(sorted({use.tap for use in self.uses}))

    @property
    def kept(self) -> tuple[int, ...]:
        """Numbers of the values that are needed themselves: inputs and factors."""
        return tuple(sorted({number for use in self.uses for number in use.needs}))


def make_plan(
    uses: list[Uses | str],
    sizes: Sizes,
    leaves: tuple[int, ...],
    *,
    merge: bool = True,
    only: Order | None = None,
) -> Plan:
    """Cluster the parts of these leaves and choose an order for each cluster."""
    places: dict[Any, list[Part]] = {}
    whole, ties = [], []
    for leaf in leaves:
        found = uses[leaf]
        if isinstance(found, str) or not found.parts or prefers_jacobian(found, sizes, only):
            whole.append(leaf)
            continue
        ties += [Tie(one, two, tied_cost(one, two, sizes)) for one, two in found.ties]
        for part in found.parts:
            places.setdefault(part.place, []).append(part)
    clusters = tuple(_cheapest(tuple(members), sizes, only) for members in places.values())
    return Plan(clusters, tuple(ties), tuple(whole), merge)


def prefers_jacobian(found: Uses, sizes: Sizes, only: Order | None = None) -> bool:
    """Whether a tied leaf takes its Jacobian, since its uses meet each other as well."""
    if not found.ties:
        return False
    if only is not None:  # joint Jacobians have a row for each example and output: all meet all
        return True
    apart, jacobian = costs_of_tied(found, sizes)
    return apart > jacobian


def costs_of_tied(found: Uses, sizes: Sizes) -> tuple[float, float]:
    """Count the operations of a tied leaf, in parts with cross terms and by its Jacobian."""
    apart = sum(_cheapest((part,), sizes, None).cost.flops for part in found.parts)
    together = sum(tied_cost(one, two, sizes).flops for one, two in found.ties)
    jacobian = sum(sizes.rows * sizes.k * _forming(part) for part in found.parts)
    jacobian += sizes.pairs * 2.0 * sizes.pairs_of_outputs * found.size
    return apart + together, jacobian


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
    p, s = parts[0].first, parts[0].positions
    inputs = sum(1 if part.first.is_lookup else part.first.i for part in parts)
    return 1.0 * sizes.rows * p.b * s * (inputs + sizes.k * p.o)


def _input_flops(parts: tuple[Part, ...]) -> float:
    p, s = parts[0].first, parts[0].positions
    return p.b * s**2 * sum(_inner_product(part) for part in parts)


def factors_cost(parts: tuple[Part, ...], sizes: Sizes) -> Cost:
    """Count the product of two Gram matrices."""
    p, s = parts[0].first, parts[0].positions
    kept_outputs = {"full": sizes.k**2, "mean": 1, "diagonal": sizes.k}[sizes.reduction]
    cotangents = p.b * s**2 * 2.0 * sizes.pairs_of_outputs * p.o
    combining = p.b * s**2 * TRAFFIC * kept_outputs
    flops = sizes.pairs * (_input_flops(parts) + cotangents + combining)
    entries = 1.0 * sizes.n1 * sizes.n2 * p.b * s**2 * (1 + kept_outputs)
    return Cost(flops, entries + _kept_entries(parts, sizes))


def apply_cost(parts: tuple[Part, ...], sizes: Sizes) -> Cost:
    """Count the Gram of the inputs applied to the cotangents of one side."""
    p, s, k = parts[0].first, parts[0].positions, sizes.k
    applied = SMALL * 2.0 * p.b * (s**2 * k * p.o + k**2 * s * p.o)
    flops = sizes.pairs * (_input_flops(parts) + applied)
    entries = 1.0 * sizes.n1 * sizes.n2 * p.b * s**2 + sizes.n2 * p.b * s * k * p.o
    return Cost(flops, entries + _kept_entries(parts, sizes))


def gradient_cost(parts: tuple[Part, ...], sizes: Sizes) -> Cost:
    """Count the Jacobians, formed from their parts and contracted."""
    total = Cost()
    for part in parts:
        p, s = part.first, part.positions
        size = p.b * p.i * p.o
        flops = sizes.rows * sizes.k * _forming(part)
        flops += sizes.pairs * 2.0 * sizes.pairs_of_outputs * size
        total += Cost(flops, 1.0 * sizes.rows * sizes.k * (size + p.b * s * p.o))
    return total


def tied_cost(one: Part, two: Part, sizes: Sizes) -> Cost:
    """Count what two tied parts contribute together, in both orders."""
    pairs_of_positions = 1.0 * one.first.b * one.positions * two.positions
    products = sizes.k * (_inner_product(one) + _inner_product(two))
    if sizes.reduction == "full":
        products += SMALL * 2.0 * sizes.k**2
    else:
        products += TRAFFIC * sizes.k
    entries = sizes.n1 * sizes.n2 * pairs_of_positions * 2 * sizes.k
    kept = _kept_entries((one,), sizes) + _kept_entries((two,), sizes)
    return Cost(2 * sizes.pairs * pairs_of_positions * products, entries + kept)


def _inner_product(part: Part) -> float:
    """Count one inner product with an input; with that of a look-up it is one entry."""
    return SLOW if part.first.is_lookup else 2.0 * part.first.i


def _forming(part: Part) -> float:
    """Count a derivative by the entries, formed from inputs and cotangents."""
    p, s = part.first, part.positions
    return SLOW * s * p.o if p.is_lookup else 2.0 * s * p.b * p.i * p.o
