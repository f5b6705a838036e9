r"""Structured derivatives: a weight of a product is contracted without its Jacobian.

If :math:`y_s = W^\top a_s` and :math:`g_{ks}` is the cotangent of :math:`y_s` for output :math:`k`,
then :math:`\partial f_k / \partial W = \sum_s a_s g_{ks}^\top` and

.. math:: \Bigl\langle \frac{\partial f_k}{\partial W}, \frac{\partial f'_l}{\partial W}
          \Bigr\rangle = \sum_{s,t} \langle a_s, a'_t \rangle \langle g_{ks}, g'_{lt} \rangle

(Novak et al. 2022, section 3.3): for one position, the product of two small inner products.

The positions are those of one use, of several uses in the same way, and of all turns of a loop. A
leaf that is used transposed as well has cross terms, see ``tied``.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ntk.empirical.contraction import EXACT, apply_gram, gram_of_jacobians, product_of_grams
from ntk.empirical.method import Method, Task, like
from ntk.empirical.plan import Plan, Sizes, make_plan
from ntk.empirical.program import Program, trace
from ntk.empirical.search import Part, Uses, find_uses
from ntk.empirical.tied import together
from ntk.empirical.uses import Inputs
from ntk.model import Model


class Structure(NamedTuple):
    """A model's program, and how each leaf enters it.

    Attributes
    ----------
    program : Program
        Of one example, or of the whole batch if the model couples it.
    parts : list of list of Part or str
        For each leaf its uses, or why it has none that count.
    """

    program: Program
    uses: list[Uses | str]


def structure(f: Model, params: Any, x: Any, coupled: bool) -> Structure:
    """Read the structure of a model off its program."""
    leaves, tree = jax.tree.flatten(params)

    def flat(leaves: Sequence[Array], x: Any) -> Array:
        y = f(jax.tree.unflatten(tree, leaves), x)
        return y.reshape(-1)

    if not coupled:
        x = jax.tree.map(lambda leaf: like((1, *leaf.shape[1:]), leaf.dtype), x)
    program = trace(flat, leaves, x)
    return Structure(program, find_uses(program, len(leaves)))


def structured_method(task: Task, x: Any, sizes: Sizes, merge: bool) -> Method:
    """Return the method for batches like ``x``."""
    leaves = jax.tree.leaves(task.params)
    if task.coupled:
        return _coupled_method(task, sizes, leaves)
    found = structure(task.f, task.params, x, coupled=False)
    plan = make_plan(found.uses, sizes, task.leaves, merge=merge)

    def features(x: Any, rows: Array) -> Any:
        return jax.vmap(
            lambda example: _features_of_one(
                found.program, plan, leaves, jax.tree.map(lambda leaf: leaf[None], example), rows
            )
        )(x)

    return Method(features, partial(_contract, plan, task.reduction))


def _coupled_method(task: Task, sizes: Sizes, leaves: list[Array]) -> Method:
    """Each position of each example meets each output: only the Jacobians stay small."""

    def plan_for(x: Any) -> tuple[Program, Plan]:
        found = structure(task.f, task.params, x, coupled=True)
        return found.program, make_plan(found.uses, sizes, task.leaves, only="gradient")

    plans: list[Plan] = []

    def features(x: Any, rows: Array) -> Any:
        n = jax.tree.leaves(x)[0].shape[0]
        program, plan = plan_for(x)
        plans.append(plan)
        of_all = jnp.kron(jnp.eye(n, dtype=rows.dtype), rows)
        inputs, derivatives, tied = _features_of_one(program, plan, leaves, x, of_all)
        split = jax.tree.map(lambda g: g.reshape(n, -1, *g.shape[1:]), derivatives)
        return inputs, split, tied  # joint Jacobians have neither inputs nor ties

    def contract(one: Any, two: Any) -> dict[int, Array]:
        return _contract(plans[0], task.reduction, one, two)

    return Method(features, contract)


def _features_of_one(
    program: Program, plan: Plan, leaves: Sequence[Array], x: Any, rows: Array
) -> tuple[Any, Any, Any]:
    taps = {tap: jnp.zeros(program.avals[tap].shape, program.avals[tap].dtype) for tap in plan.taps}
    whole = {leaf: leaves[leaf] for leaf in plan.whole}

    def run(taps: dict[int, Array], whole: dict[int, Array]) -> tuple[Array, Any]:
        arguments = [whole.get(i, leaf) for i, leaf in enumerate(leaves)]
        (result,), kept = program.run([*arguments, *jax.tree.leaves(x)], taps, plan.kept)
        return result, kept

    _, pullback, kept = jax.vjp(run, taps, whole, has_aux=True)
    cotangents, jacobians = jax.vmap(pullback)(rows)
    flat = {leaf: j.reshape(j.shape[0], -1) for leaf, j in jacobians.items()}
    inputs: list[Any] = []
    derivatives: list[Any] = []
    for cluster in plan.clusters:
        g = _cotangents(cluster.parts[0], cotangents)
        own = [_inputs(part, kept) for part in cluster.parts]
        if cluster.order == "gradient":
            derivatives.append(
                [_gradient(part, a, g) for part, a in zip(cluster.parts, own, strict=True)]
            )
            inputs.append([])
        else:
            derivatives.append(g)
            inputs.append(own)
    tied = [
        [(_inputs(part, kept), _cotangents(part, cotangents)) for part in (tie.one, tie.two)]
        for tie in plan.ties
    ]
    return inputs, (derivatives, flat), tied


def _inputs(part: Part, kept: dict[int, Any]) -> Inputs:
    """Return what the weight is multiplied with, at the positions of all its uses."""
    each = [use.inputs(kept) for use in part.uses]
    along = 0 if part.first.is_lookup else 1
    return tuple(jnp.concatenate(arrays, axis=along) for arrays in zip(*each, strict=True))


def _cotangents(part: Part, cotangents: dict[int, Array]) -> Array:
    """Return the cotangents of its results, ``(k, b, s, o)``."""
    each = [jax.vmap(use.cotangent)(cotangents[use.tap]) for use in part.uses]
    return jnp.concatenate(each, axis=2)


def _gradient(part: Part, own: Inputs, g: Array) -> Array:
    """Return the derivative itself, ``(k, p)``, summed over positions first."""
    p = part.first
    if not p.is_lookup:
        # In the order in which the matrix product comes out: any will do for a Gram matrix.
        return jnp.einsum("bsi,kbso->kboi", own[0], g, precision=EXACT).reshape(g.shape[0], -1)
    rows, factors = own
    spread = jnp.zeros((g.shape[0], p.i, p.o), g.dtype)
    # Row -1 stands for one outside the table; a look-up of it is constant.
    known = jnp.where(rows < 0, p.i, rows)
    spread = spread.at[:, known].add(g[:, 0] * factors[:, None], mode="drop")
    return spread.reshape(g.shape[0], -1)


def _contract(plan: Plan, reduction: str, one: Any, two: Any) -> dict[int, Array]:
    """Return the kernel of each leaf, ``full`` as ``(n1, k1, n2, k2)``."""
    inputs1, (derivatives1, flat1), tied1 = one
    inputs2, (derivatives2, flat2), tied2 = two
    kernels: dict[int, Array] = {
        leaf: gram_of_jacobians(flat1[leaf], flat2[leaf], reduction) for leaf in plan.whole
    }

    def add(leaf: int, kernel: Array) -> None:
        kernels[leaf] = kernels[leaf] + kernel if leaf in kernels else kernel

    for c, cluster in enumerate(plan.clusters):
        leaves = [part.leaf for part in cluster.parts]
        if cluster.order == "gradient":
            for leaf, a, b in zip(leaves, derivatives1[c], derivatives2[c], strict=True):
                add(leaf, gram_of_jacobians(a, b, reduction))
            continue
        grams = [_input_gram(a, b) for a, b in zip(inputs1[c], inputs2[c], strict=True)]
        if plan.merge:
            grams, leaves = [sum(grams[1:], grams[0])], leaves[:1]
        if cluster.order == "apply":
            products = apply_gram(grams, derivatives1[c], derivatives2[c])
        else:
            products = product_of_grams(grams, derivatives1[c], derivatives2[c], reduction)
        for leaf, kernel in zip(leaves, products, strict=True):
            add(leaf, kernel)
    for tie, (a1, b1), (a2, b2) in zip(plan.ties, tied1, tied2, strict=True):
        add(tie.one.leaf, together(a1, b2, reduction) + together(b1, a2, reduction))
    return kernels


def _input_gram(a: Inputs, b: Inputs) -> Array:
    """Inner products of inputs, ``(b, n1, s1, n2, s2)``."""
    if len(a) == 1:
        return jnp.einsum("nbsi,mbti->bnsmt", a[0], b[0], precision=EXACT)
    (rows1, factors1), (rows2, factors2) = a, b
    same = (rows1[:, :, None, None] == rows2) & (rows1 >= 0)[:, :, None, None]
    return jnp.where(same, factors1[:, :, None, None] * factors2, 0.0)[None]
