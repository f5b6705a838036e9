"""The empirical NTK: what is asked for, checked, and handed to a method."""

from typing import Any, Literal

from jax import Array
from jaxtyping import Float

from ntk.empirical.budget import choose, parse_memory
from ntk.empirical.request import METHODS, Compute, Output, Request, answer
from ntk.empirical.tiles import build
from ntk.model import Model

Method = Literal["auto", "jacobian", "vector_products", "structured"]


def empirical_ntk(
    f: Model,
    params: Any,
    x1: Any,
    x2: Any = None,
    *,
    output: Output | int = "mean",
    method: Method = "auto",
    coupled: bool = False,
    memory: str | int | None = None,
) -> Float[Array, "n1 n2 *outputs"]:
    r"""Empirical neural tangent kernel of a model at given parameters.

    .. math:: \Theta_{ij}^{ab} = \sum_p \partial_{\theta_p} f_a(\theta, x_i)\,
              \partial_{\theta_p} f_b(\theta, x'_j)

    (Jacot et al. 2018, section 4), as a whole or in one of several reductions over the :math:`k`
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
        Inputs for the columns; ``x1`` if omitted. Then the upper half alone is computed.
    output : {"mean", "full", "diagonal", "pseudo"} or int
        ``"mean"``: trace over outputs divided by ``k``, shape ``(n1, n2)``.
        ``"full"``: ``(n1, n2, k, k)``. ``"diagonal"``: equal outputs only, ``(n1, n2, k)``.
        ``"pseudo"``: Gram matrix of the gradient of the summed outputs divided by ``k``,
        ``(n1, n2)`` (Mohamadi et al. 2023). A number: the kernel of that output, ``(n1, n2)``.
    method : {"auto", "jacobian", "vector_products", "structured"}
        ``"jacobian"`` forms the Jacobians and contracts them leaf by leaf: in memory ``n * k``
        times the size of the parameters. ``"vector_products"`` forms one gradient of one output
        at a time: little memory, more time. ``"structured"`` contracts the weights of matrix
        products and convolutions through what goes in and the derivatives of what comes out
        (Novak et al. 2022), those in loops and shared ones too. ``"auto"`` takes the one with the
        fewest operations within the memory; :func:`ntk.explain_empirical` says which, and why. All
        agree to rounding.
    coupled : bool, default False
        Take the joint Jacobian of the whole batch, for a model that mixes the examples. With
        ``x2`` each batch is a batch of its own.
    memory : str or int, optional
        Bytes that the computation may take beyond ``params`` and inputs, the result included,
        such as ``"2GiB"``. It is then divided into tiles of examples, leaves and outputs.

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
        If a word is unknown, something is not finite, ``f`` mixes the examples of a batch and
        ``coupled`` is false, or ``memory`` is too small for the smallest tile; the message says
        how much would do.

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
    >>> ntk.empirical_ntk(net.apply, params, x, output=1, memory="1MiB").shape
    (3, 3)
    """
    kernel: Array = answer(
        _divided, f, params, x1, x2,
        output=output, method=method, methods=METHODS, coupled=coupled,
        more=(parse_memory(memory),),
    )  # fmt: skip
    return kernel


def _divided(
    request: Request, params: Any, x1: Any, x2: Any, method: str, limit: int | None
) -> Compute:
    name, tiles = choose(request, params, x1, x2, method, limit)
    return build(request, name, tiles)
