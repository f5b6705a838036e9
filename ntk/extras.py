"""Libraries that only a part of the package needs, loaded when it is used."""

import importlib
from typing import Any

from ntk.errors import MissingExtraError


def load(module: str, extra: str) -> Any:
    """Import an optional dependency, or say which extra brings it.

    Parameters
    ----------
    module : str
        Its name, such as ``"optax"`` or ``"matfree.decomp"``.
    extra : str
        The extra of this package that brings it.

    Raises
    ------
    MissingExtraError
        If it is not installed.

    Examples
    --------
    >>> load("optax", "training").__name__
    'optax'
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise MissingExtraError(
            f"{package} is not installed; it comes with pip install 'ntk-companion[{extra}]'"
        ) from None
