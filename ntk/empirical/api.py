"""The empirical NTK: what is asked for, checked, and handed to a method."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ntk import checks
from ntk.empirical.jacobian import jacobian_contraction
from ntk.empirical.vector_products import vector_products
from ntk.errors import InvalidTypeError, ShapeError
from ntk.model import (
    Model,
    batch_size,
    check_outputs,
    check_params,
    refuse_mixing,
    with_flat_outputs,
)

Output = Literal["mean", "full", "diagonal", "pseudo"]
Method = Literal["auto", "jacobian", "vector_products"]

JACOBIAN_BYTES = 2**30
"""Up to this size of the Jacobians, ``method="auto"`` forms them."""

METHODS: dict[str, Callable[..., Array]] = {
    "jacobian": jacobian_contraction,
    "vector_products": vector_products,
}


def empirical_ntk(
    f: Model,
    params: Any,
    x1: Any,
    x2: Any = None,
    *,
    output: Output = "mean",
    method: Method = "auto",
    coupled: bool = False,
) -> Float[Array, "n1 n2 *outputs"]:
    r"""Empirical neural tangent kernel of a model at given parameters.

    .. math:: \Theta_{ij}^{ab} = \sum_p \partial_{\theta_p} f_a(\theta, x_i)\,
              \partial_{\theta_p} f_b(\theta, x'_j)

    (Jacot et al. 2018, section 4), as a whole or in one of three reductions over the :math:`k`
    outputs :math:`a, b`.

    Parameters
    ----------
    f : callable
        A model ``f(params, x) -> (n, k)``; further trailing axes count into ``k``.
    params : pytree of floating Array
        Where the kernel is taken.
    x1 : Array or pytree of Array, leading axis n1
        Inputs.
    x2 : like ``x1`` with leading axis n2, optional
        Inputs for the columns; ``x1`` if omitted.
    output : {"mean", "full", "diagonal", "pseudo"}
        ``"mean"``: trace over outputs divided by ``k``, shape ``(n1, n2)``.
        ``"full"``: ``(n1, n2, k, k)``. ``"diagonal"``: equal outputs only, ``(n1, n2, k)``.
        ``"pseudo"``: Gram matrix of the gradient of the summed outputs divided by ``k``,
        ``(n1, n2)`` (Mohamadi et al. 2023).
    method : {"auto", "jacobian", "vector_products"}
        ``"jacobian"`` forms the Jacobians and contracts them leaf by leaf: fast, in memory
        ``n * k`` times the size of the parameters. ``"vector_products"`` forms one gradient of
        one output at a time: little memory, more time. ``"auto"`` forms the Jacobians if they
        fit into 1 GiB. The methods agree to rounding.
    coupled : bool, default False
        Take the joint Jacobian of the whole batch, for a model that mixes the examples. With
        ``x2`` each batch is a batch of its own.

    Returns
    -------
    Array
        The kernel; the shape depends on ``output`` as above.

    Raises
    ------
    InvalidTypeError, ShapeError
        If parameters or results are not floating, results are not ``(n, k)``, or the inputs do
        not match.
    InvalidValueError
        If a word is unknown, something is not finite, or ``f`` mixes the examples of a batch and
        ``coupled`` is false.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, ntk
    >>> net = ntk.mlp(depth=1, width=32, outputs=2)
    >>> x = jnp.eye(3)
    >>> params = net.init(jax.random.key(0), (3,))
    >>> ntk.empirical_ntk(net.apply, params, x).shape
    (3, 3)
    >>> ntk.empirical_ntk(net.apply, params, x, x[:1], output="full").shape
    (3, 1, 2, 2)
    """
    if not callable(f):
        raise InvalidTypeError(f"f must be a function f(params, x), got {type(f).__name__}")
    checks.choice("output", output, ("mean", "full", "diagonal", "pseudo"))
    checks.choice("method", method, ("auto", *METHODS))
    check_params(params)
    outputs = check_outputs(f, params, "x1", x1)
    if x2 is not None:
        _check_pair(x1, x2)
        if check_outputs(f, params, "x2", x2) != outputs:
            raise ShapeError("f has different numbers of outputs on x1 and on x2")
    if not coupled:
        refuse_mixing(f, params, "x1", x1)
    if method == "auto":
        rows = batch_size("x1", x1) + (0 if x2 is None else batch_size("x2", x2))
        size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(params))
        wide = 1 if output == "pseudo" else outputs
        method = "jacobian" if rows * wide * size <= JACOBIAN_BYTES else "vector_products"
    try:
        compute = _compiled(f, output, method, coupled)
    except TypeError:  # a model that cannot be hashed is compiled anew at each call
        compute = _compiled.__wrapped__(f, output, method, coupled)
    return compute(params, x1, x2)


@lru_cache(maxsize=64)
def _compiled(f: Model, output: str, method: str, coupled: bool) -> Callable[..., Array]:
    flat = with_flat_outputs(f)
    model = _summed_outputs(flat) if output == "pseudo" else flat
    reduction = "mean" if output == "pseudo" else output

    @jax.jit
    def compute(params: Any, x1: Any, x2: Any) -> Array:
        kernel: Array = METHODS[method](model, params, x1, x2, reduction, coupled)
        return kernel

    return compute


def _summed_outputs(f: Model) -> Model:
    def summed(params: Any, x: Any) -> Array:
        y = f(params, x)
        total: Array = jnp.sum(y, axis=1, keepdims=True) / y.shape[1] ** 0.5
        return total

    return summed


def _check_pair(x1: Any, x2: Any) -> None:
    structure1: Any = jax.tree.structure(x1)
    structure2: Any = jax.tree.structure(x2)
    if structure1 != structure2:
        raise ShapeError(f"x1 and x2 must be alike, got {structure1} and {structure2}")
    batch_size("x2", x2)
    for a, b in zip(jax.tree.leaves(x1), jax.tree.leaves(x2), strict=True):
        checks.same_features("x1", a, "x2", b)
