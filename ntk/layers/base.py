"""What every layer of a description has: three methods, and a place in JAX's pytrees."""

import abc
import dataclasses
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

from jax import Array
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from ntk.pytrees import register
from ntk.state import State

Params = Any
"""Parameters of a layer or network: any pytree of floating arrays."""

LimitType = TypeVar("LimitType", bound="type[Limit]")


def static(**kwargs: Any) -> Any:
    """Declare a field of a description as structure: changing it recompiles."""
    return dataclasses.field(metadata={"static": True}, **kwargs)


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field, static))
def description(cls: LimitType) -> LimitType:
    """Make a class a frozen dataclass that JAX knows: numbers are leaves, ``static`` fields not.

    Examples
    --------
    >>> import jax, ntk
    >>> from ntk.layers import Layer, description
    >>> @description
    ... class Scale(Layer):
    ...     factor: float
    ...     def init(self, key, in_shape, *, dtype=None):
    ...         return ()
    ...     def apply(self, params, x):
    ...         return self.factor * x
    ...     def propagate(self, state):
    ...         return jax.tree.map(lambda part: self.factor**2 * part, state)
    >>> net = ntk.Serial(ntk.Dense(1), Scale(3.0))
    >>> float(ntk.kernel(net, jax.numpy.ones((1, 4)), get="ntk")[0, 0])
    9.0
    """
    frozen = dataclasses.dataclass(frozen=True, repr=False)(cls)
    register(frozen)
    return cast("LimitType", frozen)


class Limit(abc.ABC):
    """What the limit of infinite width knows of a layer: how a state goes through."""

    mixes_positions: ClassVar[bool] = False
    couples_batch: ClassVar[bool] = False
    # Whether the result depends on the variances, as that of a nonlinearity does.
    reads_variances: ClassVar[bool] = True
    # Whether the layer also takes pairs of positions with variances at single ones.
    single_variances: ClassVar[bool] = False

    def __repr__(self) -> str:
        """Print as one would write it: what has its default value is left out."""
        words = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.default is dataclasses.MISSING and not field.kw_only:
                words.append(repr(value))
            elif value is not field.default and value != field.default:
                words.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(words)})"

    @abc.abstractmethod
    def propagate(self, state: State) -> State:
        """Carry the limiting covariance and tangent kernel through the layer."""

    def needs_pairs(self) -> bool | None:
        """Whether all pairs of positions must arrive here: ``None`` leaves it to what follows."""
        return True if self.mixes_positions else None

    def needs_paired_variances(self) -> bool:
        """Whether variances are read once positions have met."""
        return self.mixes_positions and self.reads_variances


class Layer(Limit):
    """A layer: a finite function with random parameters, and its infinite-width limit.

    Subclasses are decorated with :func:`description` and give three methods.
    """

    # Whether results are independent and centred given the input: True after weights, None if
    # the layer passes on what its input is.
    centred: ClassVar[bool | None] = None

    @abc.abstractmethod
    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw the parameters of one network.

        Parameters
        ----------
        key : PRNGKeyArray
            A JAX random key.
        in_shape : tuple of int
            The shape of one input, without the batch axis.
        dtype : dtype, optional
            Of the parameters; JAX's default floating type if omitted.

        Returns
        -------
        Params
            A pytree of arrays; empty where the layer has no parameters.
        """

    @abc.abstractmethod
    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the finite layer on a batch ``(n, *in_shape)``."""

    def limit(self) -> Limit:
        """Return what :func:`ntk.kernel` carries the state through.

        The layer itself, unless a form without the finite network's numbers serves better. It is
        made before the numbers are rounded to the inputs' precision.
        """
        return self


class WithoutParameters(Layer):
    """A layer in which nothing is random."""

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Return no parameters."""
        del key, in_shape, dtype
        return ()
