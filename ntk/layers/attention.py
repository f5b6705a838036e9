"""Self-attention over all positions, where its limit is a Gaussian process of closed form."""

import dataclasses
import math
from dataclasses import KW_ONLY
from functools import partial
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError
from ntk.layers.base import Layer, Params, description, static
from ntk.state import State

WEIGHTINGS = ("softmax", "identity")
SCALINGS = ("linear", "standard")


@description
class SelfAttention(Layer):
    r"""Attention of each position to all, with many heads (Hron et al. 2020).

    With :math:`S` positions and :math:`d` features, head :math:`h` takes the input
    :math:`x \in \mathbb R^{S \times d}` to

    .. math:: f_h(x) &= \zeta(G_h(x))\, x\, \tfrac{\sigma_V}{\sqrt d} W_h^V, \\
              f(x) &= \tfrac{\sigma_O}{\sqrt{h\, d_k}} [f_1(x), \dots, f_h(x)]\, W^O
              + \sigma_b\, b,

    where :math:`\zeta` weights the positions of each row: the softmax, or the identity. The
    result has as many features as the input, and values as many as keys, :math:`d_k`.

    - ``scaling="linear"``: :math:`G_h = \sigma_Q \sigma_K\, x W_h W_h^\top x^\top / (d\, d_k)`.
      Queries and keys share their weights, since the product of independent ones would vanish in
      the limit. :math:`G_h \to \sigma_Q \sigma_K K(x, x)` is then deterministic, and the kernel
      has a closed form (section 3.1 there).
    - ``scaling="standard"``: :math:`G_h = \sigma_Q \sigma_K\, x W_h^Q (W_h^K)^\top x^\top / (d
      \sqrt{d_k})` with weights of their own. :math:`G_h` stays random, a Gaussian over many
      heads, and the expectation of a softmax of it is not known in closed form: the kernel
      exists for the identity only (section 3.2 there), and is refused for the softmax.

    Parameters
    ----------
    heads : int
        Number of heads.
    key_dim : int
        Features :math:`d_k` of keys, queries and values, of each head.
    sigma_query, sigma_key : float, default 1.0
        Standard deviations of the weights of queries and keys, before the division.
    sigma_value, sigma_out : float, default 1.0
        Those of values and of the result.
    sigma_b : float or None, default None
        Standard deviation of the bias of the result; ``None`` means no bias parameter.
    scaling : {"linear", "standard"}
        Whether keys times queries are divided by :math:`d_k` or by its root.
    weighting : {"softmax", "identity"}
        The function :math:`\zeta`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a number is out of range, or a word unknown.

    Examples
    --------
    >>> import jax, ntk
    >>> layer = ntk.SelfAttention(heads=4, key_dim=8)
    >>> params = layer.init(jax.random.key(0), (10, 32))
    >>> layer.apply(params, jax.numpy.ones((2, 10, 32))).shape
    (2, 10, 32)
    """

    centred: ClassVar[bool | None] = True
    mixes_positions: ClassVar[bool] = True
    _: KW_ONLY
    heads: int = static()
    key_dim: int = static()
    sigma_query: Any = 1.0
    sigma_key: Any = 1.0
    sigma_value: Any = 1.0
    sigma_out: Any = 1.0
    sigma_b: Any = None
    scaling: Literal["linear", "standard"] = static(default="linear")
    weighting: Literal["softmax", "identity"] = static(default="softmax")

    def __post_init__(self) -> None:
        """Check the numbers; traced values and the sentinels of pytree surgery pass."""
        set_field = partial(object.__setattr__, self)
        for name in ("heads", "key_dim"):
            set_field(name, checks.positive_integer(name, getattr(self, name)))
        for name in ("sigma_query", "sigma_key", "sigma_value", "sigma_out"):
            set_field(name, checks.scale(name, getattr(self, name)))
        set_field("sigma_b", checks.scale("sigma_b", self.sigma_b, none_is="no bias"))
        checks.choice("scaling", self.scaling, SCALINGS)
        checks.choice("weighting", self.weighting, WEIGHTINGS)

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw ``"key"``, ``"value"`` ``(heads, d, key_dim)``, ``"out"`` ``(heads, key_dim, d)``.

        With standard scaling also ``"query"``, and ``"bias"`` ``(d,)`` where there is one.
        """
        _require_positions(in_shape[:-1])
        dtype = jnp.result_type(float) if dtype is None else dtype
        d = in_shape[-1]
        shapes: dict[str, tuple[int, ...]] = {
            "key": (self.heads, d, self.key_dim),
            "value": (self.heads, d, self.key_dim),
            "out": (self.heads, self.key_dim, d),
        }
        if self.scaling == "standard":
            shapes["query"] = shapes["key"]
        if self.sigma_b is not None:
            shapes["bias"] = (d,)
        keys = jax.random.split(key, len(shapes))
        return {
            name: jax.random.normal(k, shape, dtype)
            for k, (name, shape) in zip(keys, shapes.items(), strict=True)
        }

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the layer on a batch ``(n, *positions, d)``."""
        x = jnp.asarray(x)
        _require_positions(x.shape[1:-1])
        d = params["out"].shape[-1]
        if x.shape[-1] != d:
            raise ShapeError(
                f"x must have {d} features, as many as the parameters were drawn for; got shape "
                f"{x.shape}"
            )
        flat = x.reshape(len(x), -1, d)
        keys = jnp.einsum("npd,hdk->nhpk", flat, params["key"])
        linear = self.scaling == "linear"
        queries = keys if linear else jnp.einsum("npd,hdk->nhpk", flat, params["query"])
        products = jnp.einsum("nhpk,nhqk->nhpq", queries, keys)
        root = self.key_dim if linear else math.sqrt(self.key_dim)
        weights = self._weigh((self.sigma_query * self.sigma_key / (d * root)) * products)
        values = jnp.einsum("nqd,hdk->nhqk", flat, params["value"])
        y = jnp.einsum("nhpq,nhqk,hkd->npd", weights, values, params["out"])
        y = self.sigma_value * self.sigma_out / math.sqrt(d * self.heads * self.key_dim) * y
        if self.sigma_b is not None:
            y = y + self.sigma_b * params["bias"]
        result: Array = y.reshape(x.shape)
        return result

    def _weigh(self, products: Array) -> Array:
        return jax.nn.softmax(products, axis=-1) if self.weighting == "softmax" else products

    def propagate(self, state: State) -> State:
        r"""Weight the kernels over all pairs of positions.

        Linear scaling, with :math:`\zeta = \zeta(\sigma_Q \sigma_K K(x, x))` and
        :math:`\sigma = \sigma_O \sigma_V` (Hron et al. 2020, Theorem 1 and section 3.1):

        .. math:: K \mapsto \sigma^2\, \zeta K \zeta'^\top + \sigma_b^2, \qquad
                  T \mapsto \sigma^2\, \zeta (2 K + T) \zeta'^\top + \sigma_b^2:

        one :math:`K` each for values and output weights, while the gradient through keys and
        queries vanishes. Standard scaling with the identity, where :math:`\sigma = \sigma_O
        \sigma_V \sigma_Q \sigma_K` and products of :math:`K_{pp'}` are entrywise
        over :math:`M_{pp'} = \sum_{q q'} K_{q q'}^2`:

        .. math:: K_{pp'} \mapsto \sigma^2 K_{pp'} M + \sigma_b^2, \qquad
                  T_{pp'} \mapsto \sigma^2 \Bigl(4 K_{pp'} M + T_{pp'} M
                  + 2 K_{pp'} \sum_{q q'} K_{q q'} T_{q q'}\Bigr) + \sigma_b^2.
        """
        _require_positions(state.positions)
        if self.scaling == "standard" and self.weighting != "identity":
            raise InvalidValueError(
                "softmax attention at scaling='standard' has no kernel in closed form: the "
                "products of keys and queries stay random in the limit (Hron et al. 2020); use "
                "scaling='linear', or weighting='identity'"
            )
        return (self._linear if self.scaling == "linear" else self._identity)(state)

    def _linear(self, state: State) -> State:
        size = math.prod(state.positions)
        square = (self.sigma_out * self.sigma_value) ** 2
        var1, var2, cov = (_matrix(a, size) for a in (state.var1, state.var2, state.cov))
        weights1, weights2 = (
            self._weigh(self.sigma_query * self.sigma_key * var) for var in (var1, var2)
        )
        bias = 0.0 if self.sigma_b is None else self.sigma_b**2

        def seen(words: str, left: Array, array: Array, right: Array) -> Array:
            precise = jax.lax.Precision.HIGHEST
            found: Array = jnp.einsum(words, left, array, right, precision=precise)
            weighted: Array = square * found
            return weighted

        pairs, single = "ipq,ijqr,jsr->ijps", "ipq,iqr,isr->ips"
        new = seen(pairs, weights1, cov, weights2) + bias
        tangent = state.tangent
        if tangent is not None:
            both = 2.0 * cov + _matrix(tangent, size)
            tangent = (seen(pairs, weights1, both, weights2) + bias).reshape(state.cov.shape)
        return dataclasses.replace(
            state,
            cov=new.reshape(state.cov.shape),
            tangent=tangent,
            var1=(seen(single, weights1, var1, weights1) + bias).reshape(state.var1.shape),
            var2=(seen(single, weights2, var2, weights2) + bias).reshape(state.var2.shape),
            gaussian=True,
            gap=None,
        )

    def _identity(self, state: State) -> State:
        square = (self.sigma_out * self.sigma_value * self.sigma_query * self.sigma_key) ** 2
        bias = 0.0 if self.sigma_b is None else self.sigma_b**2
        last = tuple(range(-2 * len(state.positions), 0))

        def inner(a: Array, b: Array) -> Array:
            return jnp.sum(a * b, axis=last, keepdims=True)

        def map_variance(var: Array) -> Array:
            mapped: Array = square * var * inner(var, var) + bias
            return mapped

        cov, tangent = state.cov, state.tangent
        power = inner(cov, cov)
        if tangent is not None:
            own = 4.0 * cov * power + tangent * power + 2.0 * cov * inner(cov, tangent)
            tangent = square * own + bias
        return dataclasses.replace(
            state,
            cov=square * cov * power + bias,
            tangent=tangent,
            var1=map_variance(state.var1),
            var2=map_variance(state.var2),
            gaussian=True,
            gap=None,
        )


def _matrix(array: Array, size: int) -> Array:
    """Count the positions of each side into one axis."""
    lead = array.size // size**2
    examples = (lead,) if array.ndim % 2 else array.shape[:2]
    return array.reshape(*examples, size, size)


def _require_positions(positions: tuple[int, ...]) -> None:
    if not positions:
        raise ShapeError(
            "attention needs inputs with positions, (n, T, d) or (n, *positions, d), and got "
            "(n, features); put it before Flatten and give sequences or images, not points"
        )
