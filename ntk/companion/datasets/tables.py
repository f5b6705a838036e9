"""The bundled classification sets of the UCI repository."""

import functools
import json
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ntk.companion.datasets.arguments import float_dtype, known_name
from ntk.companion.datasets.records import Table

_DATA = resources.files("ntk.companion.datasets") / "data"


def uci_names() -> tuple[str, ...]:
    """Return the names of the bundled UCI sets, in alphabetical order.

    Returns
    -------
    tuple of str
        31 names, spelled as in Fernández-Delgado et al. (2014).

    Examples
    --------
    >>> from ntk.companion import datasets
    >>> len(datasets.uci_names())
    31
    >>> datasets.uci_names()[:3]
    ('breast-cancer', 'breast-cancer-wisc', 'breast-cancer-wisc-diag')
    """
    return tuple(sorted(_facts()))


def uci(name: str, *, standardise: bool = True, dtype: DTypeLike = np.float32) -> Table:
    """Load one of the bundled UCI classification sets.

    Rows stand in the order of the copy, often sorted by class: shuffle before you split.
    Categories are integer codes, not one-hot columns, as in Fernández-Delgado et al. (2014).

    Parameters
    ----------
    name : str
        One of `uci_names()`.
    standardise : bool
        Give each column mean 0 and variance 1 (divisor `n`), over all rows of the set, test rows
        included, as the papers that use these sets do. With False, values are as in the copy.
    dtype : dtype
        A floating type; the arithmetic is done in float64.

    Returns
    -------
    Table
        Inputs `(n, d)`, class numbers `(n,)`, and where the copy came from.

    Raises
    ------
    UnknownNameError
        If there is no such set; the message lists close matches.
    InvalidTypeError
        If `dtype` is not floating.

    Examples
    --------
    >>> from ntk.companion import datasets
    >>> datasets.uci("wine")
    Table(wine: 178 rows, inputs (13,) float32, 3 classes)
    """
    result = float_dtype(dtype)
    facts = _facts()[known_name("name", name, uci_names())]
    stored, labels = _arrays(name)
    x = stored.astype(np.float64)
    if standardise:
        spread = x.std(axis=0)
        # A constant column carries nothing: it becomes zero rather than NaN.
        x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return Table(name, x.astype(result), labels.astype(np.int64), facts["classes"], facts["copy"])


@functools.cache
def _facts() -> Mapping[str, Any]:
    """Return sizes and sources of all sets."""
    return MappingProxyType(json.loads((_DATA / "uci.json").read_text(encoding="utf-8")))


@functools.lru_cache(maxsize=4)
def _arrays(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read one set; nothing but that set is decompressed."""
    with (_DATA / "uci.npz").open("rb") as file, np.load(file) as archive:
        return archive[f"{name}.X"], archive[f"{name}.y"]
