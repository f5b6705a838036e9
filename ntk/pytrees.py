"""Dataclasses as JAX pytrees that are told apart by their class."""

import dataclasses
from typing import Any, TypeVar

import jax

Class = TypeVar("Class", bound=type)


def register(cls: Class) -> Class:
    """Make a frozen dataclass a pytree: fields are children, those marked ``static`` structure.

    ``jax.tree_util.register_dataclass`` would do the same, but the structures that it makes
    compare equal for two classes with as many fields (seen in JAX 0.10.2): a compiled function
    then sometimes serves ``Sigmoid()`` with what was compiled for ``Tanh()``.

    Parameters
    ----------
    cls : type
        A frozen dataclass.

    Returns
    -------
    type
        The same class.

    Examples
    --------
    >>> import dataclasses, jax
    >>> from ntk.pytrees import register
    >>> first, second = (
    ...     register(dataclasses.make_dataclass(name, [], frozen=True)) for name in "AB"
    ... )
    >>> jax.tree.structure(first()) == jax.tree.structure(second())
    False
    """
    fields = dataclasses.fields(cls)
    static = [field.name for field in fields if field.metadata.get("static")]
    children = [field.name for field in fields if not field.metadata.get("static")]

    def structure(tree: Any) -> tuple[Any, ...]:
        return tuple(getattr(tree, name) for name in static)

    def flatten(tree: Any) -> tuple[list[Any], tuple[Any, ...]]:
        return [getattr(tree, name) for name in children], structure(tree)

    def flatten_with_keys(tree: Any) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        keyed = [(jax.tree_util.GetAttrKey(name), getattr(tree, name)) for name in children]
        return keyed, structure(tree)

    def unflatten(values: tuple[Any, ...], leaves: Any) -> Any:
        # Without the checks of the constructor: JAX puts things in place of numbers.
        tree: Any = object.__new__(cls)
        for name, value in zip([*static, *children], [*values, *leaves], strict=True):
            object.__setattr__(tree, name, value)
        return tree

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls
