"""The convolution, in NTK and in standard parametrisation."""

import abc
from dataclasses import KW_ONLY
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.errors import ShapeError
from ntk.layers.affine import affine
from ntk.layers.base import Layer, Limit, Params, description, static
from ntk.layers.patches import Geometry, Patches
from ntk.layers.repeat import Chain
from ntk.layers.weights import PARAMETRIZATIONS, Parametrization, draw, scaled
from ntk.layers.windows import Window, check_window
from ntk.state import State


@description
class Sliding(Layer):
    """A layer whose weights slide over positions: the fields of both convolutions."""

    centred: ClassVar[bool | None] = True
    reads_variances: ClassVar[bool] = False
    single_variances: ClassVar[bool] = True
    channels: int = static()
    window: tuple[int, ...] = static()
    _: KW_ONLY
    strides: tuple[int, ...] | None = static(default=None)
    padding: str = static(default="SAME")
    sigma_w: Any = 1.0
    sigma_b: Any = None
    parametrization: Parametrization = static(default="ntk")

    def __post_init__(self) -> None:
        """Check the numbers; traced values and the sentinels of pytree surgery pass."""
        set_field = partial(object.__setattr__, self)
        set_field("channels", checks.positive_integer("channels", self.channels))
        window = check_window(self.window, self.strides, self.padding)
        set_field("window", window.shape)
        set_field("strides", None if set(window.strides) == {1} else window.strides)
        set_field("sigma_w", checks.scale("sigma_w", self.sigma_w))
        set_field("sigma_b", checks.scale("sigma_b", self.sigma_b, none_is="no bias"))
        checks.choice("parametrization", self.parametrization, PARAMETRIZATIONS)

    @property
    def steps(self) -> tuple[int, ...]:
        """The strides, one number for each axis of the window."""
        return self.strides or (1,) * len(self.window)

    @abc.abstractmethod
    def geometry(self) -> Geometry:
        """Return how the window slides."""

    def require_fit(self, positions: tuple[int, ...]) -> None:
        """Raise unless the window fits these positions."""
        self.geometry().require_fit(positions)

    def limit(self) -> Limit:
        """Return the average over windows and the dense layer that follows it."""
        return Chain((Patches(self.geometry()), affine(self, self.channels)))

    def propagate(self, state: State) -> State:
        r"""Average over windows, then act as a dense layer.

        .. math:: K_{pp'} \mapsto \frac{\sigma_w^2}{|W|} \sum_{q \in W} K_{p+q, p'+q} + \sigma_b^2

        and :math:`T` alike, plus the new :math:`K` (Arora et al. 2019, section 4). In standard
        parametrisation the layer's own gradients add :math:`C \sum_q K_{p+q, p'+q} + 1`.
        """
        return self.limit().propagate(state)

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw ``{"weight": (*window, C_in, channels)}``, and ``"bias": (channels,)`` if any."""
        self.require_fit(in_shape[:-1])
        shape = (*self.window, in_shape[-1], self.channels)
        return draw(key, shape, self.sigma_w, self.sigma_b, self.parametrization, dtype)


@description
class Conv(Sliding):
    r"""A convolution over positions.

    In NTK parametrisation, with the window :math:`W` and :math:`C` input channels (Arora et al.
    2019, section 4; Novak et al. 2019)

    .. math:: f_{p c}(x) = \frac{\sigma_w}{\sqrt{C\, |W|}} \sum_{q \in W} \sum_{c'}
              w_{q c' c}\, x_{p + q, c'} + \sigma_b\, b_c.

    Parameters
    ----------
    channels : int
        Number of output channels.
    window : sequence of int
        Size of the window along each spatial axis.
    strides : sequence of int, optional
        Steps of the window; 1 if omitted.
    padding : {"SAME", "VALID", "CIRCULAR"}
        Zeros around the input, none, or the input again.
    sigma_w : float, default 1.0
        Standard deviation of the weights, before the division.
    sigma_b : float or None, default None
        Standard deviation of the bias; ``None`` means that there is no bias parameter.
    parametrization : {"ntk", "standard", "mup"}
        Where the scale stands, see :class:`ntk.Dense`.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        If a number is out of range, lengths differ, or a word is unknown.

    Examples
    --------
    >>> import jax, ntk
    >>> layer = ntk.Conv(8, (3, 3), strides=(2, 2))
    >>> params = layer.init(jax.random.key(0), (28, 28, 1))
    >>> layer.apply(params, jax.numpy.ones((5, 28, 28, 1))).shape
    (5, 14, 14, 8)
    """

    def geometry(self) -> Window:
        """Return how the window slides."""
        return Window(self.window, self.steps, self.padding)

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the layer on a batch ``(n, *positions, C_in)``."""
        x, weight = jnp.asarray(x), params["weight"]
        if x.ndim != weight.ndim or x.shape[-1] != weight.shape[-2]:
            raise ShapeError(
                f"x must have shape (n, *positions, {weight.shape[-2]}) with {weight.ndim - 2} "
                f"spatial axes, as the parameters were drawn for; got shape {x.shape}"
            )
        window = self.geometry()
        y = slide(window.pad(x), weight, window.strides)
        return scaled(y, params, self.sigma_w, self.sigma_b, self.parametrization)


def slide(x: Array, weight: Array, strides: tuple[int, ...]) -> Array:
    """Slide bare weights ``(*window, C_in, channels)`` over a padded batch."""
    axes = len(strides)
    if axes > 3:
        raise ShapeError(f"a window of at most 3 axes can be applied, got {weight.shape[:-2]}")
    letters = "DHW"[-axes:]
    y: Array = jax.lax.conv_general_dilated(
        x,
        weight,
        strides,
        "VALID",
        dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
    )
    return y
