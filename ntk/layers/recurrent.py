"""A recurrent layer: the same weights at every time, so that times are correlated."""

from dataclasses import KW_ONLY
from functools import partial
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from ntk import checks
from ntk.errors import InvalidTypeError, ShapeError
from ntk.layers.activations import activation as named_activation
from ntk.layers.activations.elementwise import Elementwise
from ntk.layers.base import Layer, Params, description, static
from ntk.layers.recurrence import OUTPUTS, Recurrence, require_times
from ntk.layers.weights import PARAMETRIZATIONS, Parametrization, draw, require_limit, scaled
from ntk.state import State


@description
class Recurrent(Layer):
    r"""A simple recurrent network over sequences ``(n, T, d)`` (Elman 1990).

    .. math:: s_t &= \frac{\sigma_w}{\sqrt{n}} W h_{t-1} + \frac{\sigma_u}{\sqrt d} U x_t
              + \sigma_b b, \\ h_t &= \sigma(s_t), \qquad h_0 = 0,

    with one :math:`W`, :math:`U` and :math:`b` for all times (Yang 2019, "Tensor Programs I", for
    its Gaussian limit; Yang 2020, "Tensor Programs II", and Alemohammad et al. 2021 for its
    tangent kernel). A readout such as ``ntk.Dense(1)`` follows.

    Parameters
    ----------
    width : int
        Number :math:`n` of hidden features.
    activation : str or Elementwise, default "relu"
        The nonlinearity :math:`\sigma`.
    sigma_w, sigma_u : float, default 1.0
        Standard deviations of the recurrent and of the input weights, before the division.
    sigma_b : float or None, default None
        Standard deviation of the bias; ``None`` means no bias parameter.
    outputs : {"last", "mean", "all"}
        The hidden features :math:`h_T` ``(n, width)``, their mean over time ``(n, width)``, or
        all of them ``(n, T, width)``.
    parametrization : {"ntk", "standard", "mup"}
        Where the scale stands, see :class:`ntk.Dense`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a number is out of range, or a word unknown.

    Examples
    --------
    >>> import jax, ntk
    >>> net = ntk.Serial(ntk.Recurrent(64, activation="erf", outputs="mean"), ntk.Dense(1))
    >>> params = net.init(jax.random.key(0), (10, 3))
    >>> net.apply(params, jax.numpy.ones((5, 10, 3))).shape
    (5, 1)
    """

    centred: ClassVar[bool | None] = False
    width: int = static()
    _: KW_ONLY
    activation: Any = "relu"
    sigma_w: Any = 1.0
    sigma_u: Any = 1.0
    sigma_b: Any = None
    outputs: Literal["last", "mean", "all"] = static(default="last")
    parametrization: Parametrization = static(default="ntk")

    def __post_init__(self) -> None:
        """Check the numbers; traced values and the sentinels of pytree surgery pass."""
        set_field = partial(object.__setattr__, self)
        set_field("width", checks.positive_integer("width", self.width))
        if isinstance(self.activation, str):
            set_field("activation", named_activation(self.activation))
        elif not isinstance(self.activation, Elementwise) and (
            callable(self.activation) or isinstance(self.activation, Layer | int | float)
        ):
            raise InvalidTypeError(
                "activation must be a name such as 'relu' or an activation such as ntk.Relu(), "
                f"got {self.activation!r}"
            )
        set_field("sigma_w", checks.scale("sigma_w", self.sigma_w))
        set_field("sigma_u", checks.scale("sigma_u", self.sigma_u))
        set_field("sigma_b", checks.scale("sigma_b", self.sigma_b, none_is="no bias"))
        checks.choice("outputs", self.outputs, OUTPUTS)
        checks.choice("parametrization", self.parametrization, PARAMETRIZATIONS)

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw ``{"recurrent": {"weight", "bias"}, "input": {"weight"}}``."""
        require_times(in_shape[:-1])
        keys = jax.random.split(key)
        shapes = (self.width, self.width), (in_shape[-1], self.width)
        form = self.parametrization
        return {
            "recurrent": draw(keys[0], shapes[0], self.sigma_w, self.sigma_b, form, dtype),
            "input": draw(keys[1], shapes[1], self.sigma_u, None, form, dtype),
        }

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the layer on a batch ``(n, T, d)``."""
        x = jnp.asarray(x)
        require_times(x.shape[1:-1])
        recurrent, entrance = params["recurrent"], params["input"]
        if x.shape[-1] != entrance["weight"].shape[0]:
            raise ShapeError(
                f"x must have {entrance['weight'].shape[0]} features, as many as the parameters "
                f"were drawn for; got shape {x.shape}"
            )
        form = self.parametrization
        drive = scaled(x @ entrance["weight"], entrance, self.sigma_u, None, form)

        def step(hidden: Array, now: Array) -> tuple[Array, Array]:
            product = hidden @ recurrent["weight"]
            before = scaled(product, recurrent, self.sigma_w, self.sigma_b, form)
            hidden = self.activation.apply((), before + now)
            return hidden, hidden

        start = jnp.zeros_like(drive[:, 0])
        last, every = jax.lax.scan(step, start, jnp.moveaxis(drive, 1, 0))
        if self.outputs == "last":
            return last
        every = jnp.moveaxis(every, 0, 1)
        return every.mean(axis=1) if self.outputs == "mean" else every

    def limit(self) -> Recurrence:
        """Return the layer's effect on a state; the scales are squared in their own precision."""
        return Recurrence(
            self.activation,
            self.sigma_w**2,
            self.sigma_u**2,
            None if self.sigma_b is None else self.sigma_b**2,
            self.width,
            self.outputs,
            require_limit(self.parametrization),
        )

    def propagate(self, state: State) -> State:
        r"""Follow pairs of times along their diagonals.

        .. math:: \Sigma_{t t'} = \sigma_w^2\, H_{t-1, t'-1} + \sigma_u^2\, K_{t t'} + \sigma_b^2,
                  \qquad H_{t t'} = \mathbb E_{(u, v) \sim \mathcal N(0, \Sigma)}
                  [\sigma(u) \sigma(v)],

        with :math:`H_{0 t'} = H_{t 0} = 0`, and for the tangent kernel :math:`T` of the input

        .. math:: \Theta_{t t'} = \bigl(\sigma_w^2\, \Theta_{t-1, t'-1} + \sigma_u^2\, T_{t t'}
                  + \Sigma_{t t'}\bigr)\, \mathbb E[\dot\sigma(u) \dot\sigma(v)].

        In standard parametrisation :math:`\Sigma` in the last line becomes
        :math:`n H_{t-1, t'-1} + d K_{t t'} + 1`.
        """
        return self.limit().propagate(state)
