"""The dense layer, in NTK and in standard parametrisation."""

import math
from dataclasses import KW_ONLY
from functools import partial
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, PRNGKeyArray

from ntk import checks
from ntk.errors import ShapeError
from ntk.layers.affine import Affine
from ntk.layers.base import Layer, Params, description, static
from ntk.state import State


@description
class Dense(Layer):
    r"""A fully-connected layer.

    In NTK parametrisation (Jacot et al. 2018, section 2; Lee et al. 2019, section 2)

    .. math:: y = \frac{\sigma_w}{\sqrt{n_\text{in}}} W x + \sigma_b b, \qquad
              W_{ij}, b_i \sim \mathcal N(0, 1),

    and in standard parametrisation :math:`y = W x + b` with
    :math:`W_{ij} \sim \mathcal N(0, \sigma_w^2 / n_\text{in})`,
    :math:`b_i \sim \mathcal N(0, \sigma_b^2)`: the same function at initialisation, another
    gradient.

    Parameters
    ----------
    width : int
        Number of outputs.
    sigma_w : float, default 1.0
        Standard deviation of the weights, before the division by :math:`\sqrt{n_\text{in}}`.
    sigma_b : float or None, default None
        Standard deviation of the bias; ``None`` means that there is no bias parameter.
    parametrization : {"ntk", "standard"}
        Where the scale stands: in front of the parameters, or in their variance. In standard
        parametrisation the tangent kernel grows with the width of the layer before, and the
        stated widths enter the limit.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the width is not a positive whole number, a scale is negative or not finite, or the
        parametrisation is unknown.

    Examples
    --------
    >>> import jax, ntk
    >>> layer = ntk.Dense(3, sigma_w=2**0.5, sigma_b=0.1)
    >>> params = layer.init(jax.random.key(0), (5,))
    >>> layer.apply(params, jax.numpy.ones((2, 5))).shape
    (2, 3)
    """

    centred: ClassVar[bool | None] = True
    width: int = static()
    _: KW_ONLY
    sigma_w: Any = 1.0
    sigma_b: Any = None
    parametrization: Literal["ntk", "standard"] = static(default="ntk")

    def __post_init__(self) -> None:
        """Check the numbers; traced values and the sentinels of pytree surgery pass."""
        set_field = partial(object.__setattr__, self)
        set_field("width", checks.positive_integer("width", self.width))
        set_field("sigma_w", checks.scale("sigma_w", self.sigma_w))
        set_field("sigma_b", checks.scale("sigma_b", self.sigma_b, none_is="no bias"))
        checks.choice("parametrization", self.parametrization, ("ntk", "standard"))

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw ``{"weight": (n_in, width)}``, and ``"bias": (width,)`` where there is one."""
        weight_key, bias_key = jax.random.split(key)
        dtype = jnp.result_type(float) if dtype is None else dtype
        n_in = in_shape[-1]
        params = {"weight": jax.random.normal(weight_key, (n_in, self.width), dtype)}
        if self.sigma_b is not None:
            params["bias"] = jax.random.normal(bias_key, (self.width,), dtype)
        if self.parametrization == "standard":
            params["weight"] *= self.sigma_w / math.sqrt(n_in)
            if self.sigma_b is not None:
                params["bias"] *= self.sigma_b
        return params

    def apply(self, params: Params, x: Float[ArrayLike, "*n d"]) -> Float[Array, "*n k"]:
        """Evaluate the layer on the last axis of ``x``."""
        x, weight = jnp.asarray(x), params["weight"]
        if x.shape[-1] != weight.shape[0]:
            raise ShapeError(
                f"x must have {weight.shape[0]} features, as many as the parameters were drawn "
                f"for; got shape {x.shape}"
            )
        y: Array = x @ weight
        if self.parametrization == "ntk":
            y = y * (self.sigma_w / math.sqrt(weight.shape[0]))
        if self.sigma_b is not None:
            bias = params["bias"]
            y = y + (self.sigma_b * bias if self.parametrization == "ntk" else bias)
        return y

    def limit(self) -> "Affine":
        """Return the layer's effect on a state; the scales are squared in their own precision."""
        return Affine(
            self.sigma_w**2,
            None if self.sigma_b is None else self.sigma_b**2,
            self.width,
            self.parametrization,
        )

    def propagate(self, state: State) -> State:
        r"""Apply :math:`K \mapsto \sigma_w^2 K + \sigma_b^2` and the tangent's recursion.

        The tangent kernel gains the layer's own gradients: :math:`T \mapsto \sigma_w^2 T +
        \sigma_w^2 K + \sigma_b^2` in NTK parametrisation (Jacot et al. 2018, Theorem 1), and
        :math:`T \mapsto \sigma_w^2 T + n_\text{in} K + 1` in the standard one.
        """
        return self.limit().propagate(state)
