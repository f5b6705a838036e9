"""Why a kernel is computed the way it is."""

from dataclasses import dataclass
from typing import Any

import jax

from ntk.empirical.budget import as_text, choose, parse_memory, possible_methods
from ntk.empirical.costs import Accounts, accounts
from ntk.empirical.divisions import best
from ntk.empirical.plan import costs_of_tied, prefers_jacobian
from ntk.empirical.request import Output, Shapes, check_request, make_request
from ntk.empirical.search import Part
from ntk.empirical.tiles import Tiles
from ntk.model import Model

ORDERS = {
    "factors": "product of two Grams",
    "apply": "Gram of inputs applied to cotangents",
    "gradient": "Jacobian formed from inputs and cotangents",
    "tied": "products of Grams, with cross terms of its uses",
    "whole": "Jacobian by differentiation",
}


@dataclass(frozen=True)
class MethodCost:
    """What a method would take.

    Attributes
    ----------
    flops : float
        Operations, counted from the model's jaxpr, loops by their turns; one on elements counts
        as eight of a matrix product, about what it takes. Derivatives that are formed again since
        the memory is small count again.
    bytes : float
        What is alive at once without tiles, the result included.
    """

    flops: float
    bytes: float


@dataclass(frozen=True)
class LeafChoice:
    """How ``method="structured"`` contracts one parameter leaf.

    Attributes
    ----------
    name : str
        Its place in ``params``.
    shape : tuple of int
        Its shape.
    order : {"factors", "apply", "gradient", "tied", "whole"}
        The order of contraction: the Gram of the inputs times that of the cotangents; the first
        applied to the cotangents; the Jacobian formed from both; of a leaf that is used as it is
        and transposed, each use by one of these and the inputs of one with the cotangents of the
        other; or the leaf's Jacobian by differentiation, which always works.
    reason : str
        In what the leaf enters, and how often; if it is tied, what both ways take.
    """

    name: str
    shape: tuple[int, ...]
    order: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """What :func:`explain_empirical` returns; printing it gives tables.

    Attributes
    ----------
    method : str
        What ``method="auto"`` takes.
    reason : str
        Why.
    tiles : Tiles or None
        How the computation is divided; None if it is not.
    methods : dict of str to MethodCost
        What each possible method would take.
    leaves : tuple of LeafChoice
        How the structured method treats each leaf.
    """

    method: str
    reason: str
    tiles: Tiles | None
    methods: dict[str, MethodCost]
    leaves: tuple[LeafChoice, ...]

    def __str__(self) -> str:
        """Return the tables."""
        lines = [f"method {self.method!r}: {self.reason}"]
        if self.tiles is not None:
            groups = len(self.tiles.groups)
            lines.append(
                f"in tiles of {self.tiles.examples} examples, {self.tiles.outputs} outputs, "
                f"{groups} group{'s' * (groups > 1)} of leaves"
            )
        lines.append("")
        for name, cost in self.methods.items():
            lines.append(f"  {name:<16} {cost.flops:9.2e} operations {as_text(cost.bytes):>10}")
        lines += ["", "leaves in method 'structured':"]
        width = max(len(leaf.name) for leaf in self.leaves)
        for leaf in self.leaves:
            shape = "×".join(map(str, leaf.shape)) or "scalar"
            lines.append(f"  {leaf.name:<{width}} {shape:>14}  {ORDERS[leaf.order]}: {leaf.reason}")
        return "\n".join(lines)


def explain_empirical(
    f: Model,
    params: Any,
    x1: Any,
    x2: Any = None,
    *,
    output: Output | int = "mean",
    coupled: bool = False,
    memory: str | int | None = None,
) -> Explanation:
    """Say which method :func:`ntk.empirical_ntk` takes by itself, and why.

    Operations and bytes are counted from the model's jaxpr. No kernel is computed: the model is
    evaluated once to check it, and with a budget of memory the tiles are compiled to see what they
    take.

    Parameters
    ----------
    f, params, x1, x2, output, coupled, memory
        As for :func:`ntk.empirical_ntk`.

    Returns
    -------
    Explanation
        The method, what each would cost, and what happens to each leaf; print it.

    Raises
    ------
    NTKError
        As :func:`ntk.empirical_ntk` does.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> net = ntk.mlp(depth=2, width=64, outputs=10)
    >>> x = jnp.ones((20, 5))
    >>> params = net.init(jax.random.key(0), (5,))
    >>> why = explain_empirical(net.apply, params, x, output="full")
    >>> why.method
    'structured'
    >>> {leaf.order for leaf in why.leaves}
    {'factors'}
    """
    limit = parse_memory(memory)
    check_request(f, params, x1, x2, output, coupled)
    params, x1, x2 = Shapes.of(params, x1, x2).arguments()
    request = make_request(f, params, x1, output, coupled)
    counted = accounts(request, params, x1, x2)
    name, tiles = choose(request, params, x1, x2, "auto", limit)
    methods = {}
    for possible in possible_methods(counted):
        undivided = counted.method(possible, counted.sizes).bytes
        methods[possible] = MethodCost(best(counted, possible, limit).effort, undivided)
    others = [cost.flops for other, cost in methods.items() if other != name]
    ratio = min(others) / methods[name].flops if others else 1.0
    leaves: Any = jax.tree_util.tree_leaves_with_path(params)
    return Explanation(
        name,
        f"the fewest operations, the next best takes {ratio:.3g} times as many",
        tiles,
        methods,
        tuple(
            _explain_leaf(counted, i, jax.tree_util.keystr(path), leaf.shape)
            for i, (path, leaf) in enumerate(leaves)
        ),
    )


def _explain_leaf(counted: Accounts, leaf: int, name: str, shape: tuple[int, ...]) -> LeafChoice:
    found = counted.found.uses[leaf]
    name = name or "params"
    if isinstance(found, str):
        return LeafChoice(name, shape, "whole", found)
    if not found.parts:
        return LeafChoice(name, shape, "whole", "it does not enter the result")
    entered = " and ".join(dict.fromkeys(map(_in_words, found.parts)))
    if not found.ties:
        return LeafChoice(name, shape, counted.of_leaf(leaf)[0].order, entered)
    if counted.only is not None:
        return LeafChoice(name, shape, "whole", f"{entered}, in a joint Jacobian")
    apart, jacobian = costs_of_tied(found, counted.sizes)
    return LeafChoice(
        name,
        shape,
        "whole" if prefers_jacobian(found, counted.sizes) else "tied",
        f"{entered}, {apart:.2e} operations with cross terms, {jacobian:.2e} by its Jacobian",
    )


def _in_words(part: Part) -> str:
    positions = f"{part.positions} position{'s' * (part.positions > 1)}"
    turns = f" in each of {part.first.turns} turns of a loop" if part.first.turns > 1 else ""
    return f"{part.first.layout.kind} at {positions}{turns}"
