"""The dense layer, in NTK and in standard parametrisation."""

from dataclasses import KW_ONLY
from functools import partial
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, PRNGKeyArray

from ntk import checks
from ntk.errors import ShapeError
from ntk.layers.affine import Affine, affine
from ntk.layers.base import Layer, Params, description, static
from ntk.layers.weights import PARAMETRIZATIONS, Parametrization, draw, scaled
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
    parametrization : {"ntk", "standard", "mup"}
        Where the scale stands: in front of the parameters, or in their variance. In standard
        parametrisation the tangent kernel grows with the width of the layer before, and the
        stated widths enter the limit. The maximal update parametrisation (Yang and Hu 2021),
        :math:`y = \sqrt{n_\text{out} / n_\text{in}}\, W x + \sqrt{n_\text{out}}\, b` with
        :math:`W_{ij} \sim \mathcal N(0, \sigma_w^2 / \max(n_\text{in}, n_\text{out}))` and
        :math:`b_i \sim \mathcal N(0, \sigma_b^2 / n_\text{out})`, is for finite networks, trained
        with a learning rate that does not depend on the width: features move at any width, and
        there is no kernel limit.

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
    parametrization: Parametrization = static(default="ntk")

    def __post_init__(self) -> None:
        """Check the numbers; traced values and the sentinels of pytree surgery pass."""
        set_field = partial(object.__setattr__, self)
        set_field("width", checks.positive_integer("width", self.width))
        set_field("sigma_w", checks.scale("sigma_w", self.sigma_w))
        set_field("sigma_b", checks.scale("sigma_b", self.sigma_b, none_is="no bias"))
        checks.choice("parametrization", self.parametrization, PARAMETRIZATIONS)

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw ``{"weight": (n_in, width)}``, and ``"bias": (width,)`` where there is one."""
        shape = in_shape[-1], self.width
        return draw(key, shape, self.sigma_w, self.sigma_b, self.parametrization, dtype)

    def apply(self, params: Params, x: Float[ArrayLike, "*n d"]) -> Float[Array, "*n k"]:
        """Evaluate the layer on the last axis of ``x``."""
        x, weight = jnp.asarray(x), params["weight"]
        if x.shape[-1] != weight.shape[0]:
            raise ShapeError(
                f"x must have {weight.shape[0]} features, as many as the parameters were drawn "
                f"for; got shape {x.shape}"
            )
        return scaled(x @ weight, params, self.sigma_w, self.sigma_b, self.parametrization)

    def limit(self) -> Affine:
        """Return the layer's effect on a state; the scales are squared in their own precision."""
        return affine(self, self.width)

    def propagate(self, state: State) -> State:
        r"""Apply :math:`K \mapsto \sigma_w^2 K + \sigma_b^2` and the tangent's recursion.

        The tangent kernel gains the layer's own gradients: :math:`T \mapsto \sigma_w^2 T +
        \sigma_w^2 K + \sigma_b^2` in NTK parametrisation (Jacot et al. 2018, Theorem 1), and
        :math:`T \mapsto \sigma_w^2 T + n_\text{in} K + 1` in the standard one.
        """
        return self.limit().propagate(state)
