"""Libraries that only a part of the dynamics needs, loaded when it is used."""

import importlib
from typing import Any

from ntk.errors import MissingExtraError


def load(name: str) -> Any:
    """Import an optional dependency, or say which extra brings it.

    Raises
    ------
    MissingExtraError
        If it is not installed.

    Examples
    --------
    >>> load("optax").__name__
    'optax'
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError(
            f"{name} is not installed; it comes with pip install 'ntk-companion[training]'"
        ) from None
