"""What every test runs with: the CPU, single precision unless asked, the claims' own comparison."""

import os
from collections.abc import Iterator

# Before anything imports JAX, which chooses its devices once.
os.environ["JAX_PLATFORMS"] = "cpu"

import pytest

from ntk.companion.claims.nbval_hook import install

# nbval compares records as text; the claims compare the measured numbers within their tolerance.
install()


@pytest.fixture
def x64() -> Iterator[None]:
    """Compute in double precision for the length of one test."""
    import jax

    with jax.enable_x64(True):
        yield


@pytest.fixture
def quick() -> Iterator[None]:
    """Compile without optimisation for the length of one test: the same results, sooner."""
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
