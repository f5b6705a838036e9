"""Composition: layers one after another."""

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from ntk.errors import InvalidTypeError, located
from ntk.layers.base import Layer, Limit, Params
from ntk.layers.composite import Composite
from ntk.layers.joined import chain, joined
from ntk.state import State


@jax.tree_util.register_pytree_with_keys_class
@dataclasses.dataclass(frozen=True, init=False, repr=False)
class Serial(Composite):
    """Layers applied one after another.

    Parameters
    ----------
    *layers : Layer
        At least one.

    Raises
    ------
    InvalidTypeError
        If something among them is not a layer, or there is none.

    Examples
    --------
    >>> import jax, ntk
    >>> net = ntk.Serial(ntk.Dense(64), ntk.Relu(), ntk.Dense(1))
    >>> params = net.init(jax.random.key(0), (3,))
    >>> net.apply(params, jax.numpy.ones((5, 3))).shape
    (5, 1)
    """

    field: ClassVar[str] = "layers"
    word: ClassVar[str] = "layer"
    layers: tuple[Any, ...]

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise InvalidTypeError("Serial needs at least one layer, got none")
        super().__init__(*layers)

    @property
    def centred(self) -> bool | None:  # type: ignore[override]
        """What the last layer that decides it says."""
        said = [layer.centred for layer in self.layers if layer.centred is not None]
        return said[-1] if said else None

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw the parameters of each layer; returns a tuple with one entry a layer."""
        dtype = jnp.result_type(float) if dtype is None else dtype
        params = []
        example: Any = jax.ShapeDtypeStruct((1, *in_shape), dtype)  # type: ignore[no-untyped-call]
        keys = jax.random.split(key, len(self.layers))
        for i, (layer, layer_key) in enumerate(zip(self.layers, keys, strict=True)):
            with located("layer", i, layer):
                layer_params = layer.init(layer_key, example.shape[1:], dtype=dtype)
                example = jax.eval_shape(layer.apply, layer_params, example)
            params.append(layer_params)
        return tuple(params)

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the network on a batch ``(n, *in_shape)``."""
        for i, (layer, layer_params) in enumerate(zip(self.layers, params, strict=True)):
            with located("layer", i, layer):
                x = layer.apply(layer_params, x)
        return jnp.asarray(x)

    def limit(self) -> Limit:
        """Return the chain of the layers' limits."""
        return chain(self.limits())

    def propagate(self, state: State) -> State:
        """Carry the covariance and the tangent kernel through each layer in turn."""
        for i, limit in joined(self.layers):
            with located("layer", i, self.layers[i]):
                state = limit.propagate(state)
        return state
