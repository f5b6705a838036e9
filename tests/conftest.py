"""What every test runs with: the CPU, single precision unless asked, the claims' own comparison."""

import os
from collections.abc import Iterator

# Before anything imports JAX, which chooses its devices once.
os.environ["JAX_PLATFORMS"] = "cpu"

import pytest

from ntk.companion.claims.nbval_hook import install

# nbval compares records as text; the claims compare the measured numbers within their tolerance.
install()

# How JAX compiles in the tests, unless the environment says otherwise: soon rather than well, since
# they are small programs that run once. XLA's newer emitters take as long as all the rest.
SOON = {
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "XLA_FLAGS": "--xla_cpu_use_fusion_emitters=false --xla_cpu_multi_thread_eigen=false",
}


def pytest_configure(config: pytest.Config) -> None:
    """Have this process compile soon, and those that tests start; but not the book's notebooks."""
    if config.getoption("nbval", False):
        return
    import jax

    for name, value in SOON.items():
        os.environ.setdefault(name, value)
    asked = os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"]
    jax.config.update("jax_disable_most_optimizations", asked == "1")


@pytest.fixture
def optimised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile limiting kernels as outside of the tests, for one that is about roundings."""
    import jax

    from ntk import analytic
    from tests.optimised import WELL

    kernel = analytic._kernel.__wrapped__
    compiled = jax.jit(kernel, static_argnums=3, compiler_options=WELL)
    monkeypatch.setattr(analytic, "_kernel", compiled)


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
