"""The groups of cases. A group is one module here, one record, one section of the page.

To add one, write a module with ``TITLE``, ``KIND`` (``"time"`` or ``"accuracy"``) and ``CASES``,
and name it in `GROUPS`. At its top level it may import nothing but NumPy and `benchmarks`.
"""

from types import ModuleType

from benchmarks.case import Case
from benchmarks.cases import (
    accuracy,
    dense,
    empirical,
    empirical_methods,
    empirical_scaling,
    images,
    real_models,
    scaling,
)

GROUPS: dict[str, ModuleType] = {
    "dense": dense,
    "scaling": scaling,
    "images": images,
    "accuracy": accuracy,
    "empirical": empirical,
    "empirical_methods": empirical_methods,
    "empirical_scaling": empirical_scaling,
    "real_models": real_models,
}


def find(group: str, case: str) -> Case:
    """Return a case by its group's name and its own."""
    found: Case
    (found,) = (entry for entry in GROUPS[group].CASES if entry.id == case)
    return found
