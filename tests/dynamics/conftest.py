"""What the tests of the dynamics share."""

from pathlib import Path

import jaxtyping
import numpy as np
import pytest


@pytest.fixture(scope="session")
def golden():
    """Values of the library of record."""
    return np.load(Path(__file__).parent.parent / "data" / "golden_neural_tangents.npz")


@pytest.fixture
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
