"""The kernel taken apart: what each leaf, or each layer, contributes."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.empirical.budget import possible_methods
from ntk.empirical.costs import accounts
from ntk.empirical.request import METHODS, Compute, Output, Request, answer
from ntk.empirical.tiles import as_stated, whole
from ntk.model import Model

DIVIDING = tuple(name for name in METHODS if name != "vector_products")
"""Methods that meet the leaves one by one."""


def empirical_ntk_parts(
    f: Model,
    params: Any,
    x1: Any,
    x2: Any = None,
    *,
    output: Output | int = "mean",
    method: str = "auto",
    coupled: bool = False,
) -> Any:
    r"""Contribution of each parameter leaf to the empirical tangent kernel.

    .. math:: \Theta = \sum_\ell \Theta_\ell, \qquad \Theta_{\ell, ij}^{ab} =
              \partial_{\theta_\ell} f_a(\theta, x_i) \cdot \partial_{\theta_\ell} f_b(\theta, x'_j)

    since the sum over parameters can be taken leaf by leaf.

    Parameters
    ----------
    f, params, x1, x2, output, coupled
        As for :func:`ntk.empirical_ntk`.
    method : {"auto", "jacobian", "structured"}
        NTK-vector products are about the whole and have no parts.

    Returns
    -------
    pytree of Array
        Kernels in the structure of ``params``; their sum is :func:`ntk.empirical_ntk`. The parts
        of a layer are those of its leaves.

    Raises
    ------
    NTKError
        As :func:`ntk.empirical_ntk` does.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> net = ntk.mlp(depth=1, width=32, sigma_b=0.1)
    >>> params = net.init(jax.random.key(0), (3,))
    >>> parts = empirical_ntk_parts(net.apply, params, jnp.eye(3))
    >>> first = parts[0]
    >>> sorted(first), first["weight"].shape
    (['bias', 'weight'], (3, 3))
    >>> layer = jax.tree.reduce(jnp.add, first)  # the first layer's contribution
    >>> layer.shape
    (3, 3)
    """
    return answer(
        _by_leaf, f, params, x1, x2,
        output=output, method=method, methods=DIVIDING, coupled=coupled,
    )  # fmt: skip


def _by_leaf(request: Request, params: Any, x1: Any, x2: Any, method: str) -> Compute:
    counted = accounts(request, params, x1, x2)
    names = set(DIVIDING) & set(possible_methods(counted)) if method == "auto" else {method}
    name = min(sorted(names), key=lambda n: counted.method(n, counted.sizes).flops)
    zero = jax.eval_shape(request.f, params, x1).dtype

    def compute(params: Any, x1: Any, x2: Any) -> Any:
        rows = request.rows(params, x1)
        leaves, tree = jax.tree.flatten(params)
        everything = tuple(range(len(leaves)))
        (one,) = request.methods(name, params, x1, x2, [everything], merge=False)
        parts = whole(one, rows, x1, x2, request.reduction)

        def stated(leaf: int) -> Array:
            if leaf in parts:
                return as_stated(parts[leaf], request.reduction, request.k)
            some = as_stated(next(iter(parts.values())), request.reduction, request.k)
            return jnp.zeros(some.shape, zero)

        return jax.tree.unflatten(tree, [stated(leaf) for leaf in everything])

    return compute
