"""Compilation without optimisation: the results are the same, and there are many small models."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture
def quick() -> Iterator[None]:
    """Compile quickly for the length of one test."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
