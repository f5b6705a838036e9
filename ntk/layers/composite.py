"""Layers made of other layers: how these are checked, printed, and seen by JAX."""

from collections.abc import Iterable
from typing import Any, ClassVar

import jax

from ntk.errors import InvalidTypeError, located
from ntk.layers.base import Layer, Limit


class Composite(Layer):
    """A layer with a tuple of layers as its only field.

    A subclass is a frozen dataclass, registered with JAX as a class with keys.
    """

    field: ClassVar[str]
    """What the field is called."""
    word: ClassVar[str]
    """What one of its members is called."""

    def __init__(self, *members: Layer) -> None:
        name = type(self).__name__
        for position, member in enumerate(members):
            if isinstance(member, type) and issubclass(member, Layer):
                raise InvalidTypeError(
                    f"{self.word} {position} of {name} is the class {member.__name__}; "
                    f"create one with {member.__name__}(...)"
                )
            if not isinstance(member, Layer):
                raise InvalidTypeError(
                    f"{self.word} {position} of {name} must be a layer such as ntk.Dense(512), "
                    f"ntk.Relu() or ntk.Serial(...), got {member!r}"
                )
        object.__setattr__(self, self.field, members)

    @property
    def members(self) -> tuple[Any, ...]:
        """The layers."""
        members: tuple[Any, ...] = getattr(self, self.field)
        return members

    def __repr__(self) -> str:
        """Print as one would write it."""
        return f"{type(self).__name__}({', '.join(map(repr, self.members))})"

    def tree_flatten_with_keys(self) -> tuple[list[tuple[Any, Layer]], None]:
        """Give JAX the layers as children."""
        return [(jax.tree_util.SequenceKey(i), m) for i, m in enumerate(self.members)], None

    @classmethod
    def tree_unflatten(cls, _: None, members: Iterable[Any]) -> "Composite":
        """Rebuild without the checks: JAX puts things in place of layers that are none."""
        built = object.__new__(cls)
        object.__setattr__(built, cls.field, tuple(members))
        return built

    def limits(self) -> list[Limit]:
        """Return the limits of the layers; an error says whose it is."""
        found = []
        for i, member in enumerate(self.members):
            with located(self.word, i, member):
                found.append(member.limit())
        return found
