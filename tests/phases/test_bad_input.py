"""What does not exist gets an error that says so, never a number."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import ntk
from ntk import phases
from ntk.errors import InvalidTypeError, InvalidValueError, NTKError, ShapeError
from ntk.phases import MeanField

RELU, TANH = MeanField("relu", 1.0, 0.5), MeanField("tanh", 1.5, 0.3)


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


CASES = {
    "ReLU that explodes": (
        lambda: phases.fixed_length(MeanField("relu", 3**0.5, 0.1)),
        InvalidValueError,
        "no fixed length.*grow from layer to layer.*lower sigma_w",
    ),
    "ReLU without bias that explodes": (
        lambda: phases.fixed_point(MeanField("relu", 3**0.5)),
        InvalidValueError,
        "no fixed length",
    ),
    "critical weights and a bias": (
        lambda: phases.fixed_length(MeanField("relu", 2**0.5, 0.1)),
        InvalidValueError,
        "no fixed length",
    ),
    "any length": (
        lambda: phases.fixed_length(MeanField("relu", 2**0.5)),
        InvalidValueError,
        r"every length is a fixed point.*length=1\.0",
    ),
    "vanishing lengths": (
        lambda: phases.fixed_correlation(MeanField("tanh", 0.9)),
        InvalidValueError,
        "lengths die out.*raise sigma_w or sigma_b",
    ),
    "any correlation": (
        lambda: phases.fixed_point(MeanField("identity"), length=1.0),
        InvalidValueError,
        "every correlation is a fixed point.*linear",
    ),
    "beyond the fixed point that repels": (
        lambda: phases.fixed_length(MeanField(ntk.Monomial(2), 1.0, 0.1)),
        InvalidValueError,
        "no fixed length above start=1",
    ),
    "a start on the fixed length that repels": (
        lambda: phases.fixed_length(MeanField(ntk.Monomial(2), 0.3**0.5, 0.1**0.5)),
        InvalidValueError,
        "no fixed length above start=1",
    ),
    "not a fixed length": (
        lambda: phases.fixed_point(TANH, length=7.0),
        InvalidValueError,
        "length=7 is not a fixed point.*leave length out",
    ),
    "start": (lambda: phases.fixed_length(TANH, start=0.0), InvalidValueError, "start is a var"),
    "a network": (
        lambda: phases.fixed_length(ntk.mlp(1)),
        InvalidTypeError,
        r"field must be a layer such as ntk\.phases\.MeanField",
    ),
    "traced": (
        lambda: jax.jit(lambda s: phases.fixed_length(MeanField("relu", s, 0.1)))(1.0),
        InvalidTypeError,
        "outside jit",
    ),
    "ReLU with a bias": (
        lambda: phases.critical_point("relu", 0.1),
        InvalidValueError,
        "no critical sigma_w at sigma_b=0.1",
    ),
    "a step": (lambda: phases.critical_point("sign"), InvalidValueError, "no critical sigma_w"),
    "an unknown activation": (
        lambda: phases.critical_point("tahn"),
        InvalidValueError,
        "did you mean 'tanh'",
    ),
    "negative bias": (
        lambda: phases.critical_point("tanh", -0.1),
        InvalidValueError,
        "sigma_b is a standard deviation",
    ),
    "negative biases": (
        lambda: phases.critical_line("tanh", np.array([0.1, -0.1])),
        InvalidValueError,
        "sigma_b is a standard deviation.*-0.1",
    ),
    "one bias": (lambda: phases.critical_line("tanh", 0.1), ShapeError, "critical_point"),
    "negative scale": (lambda: MeanField("tanh", -1.0), InvalidValueError, "sigma_w"),
    "NaN scale": (lambda: MeanField("tanh", 1.0, np.nan), InvalidValueError, "sigma_b"),
    "beta": (
        lambda: MeanField.normalized("relu", 1.0),
        InvalidValueError,
        "beta must be less than 1",
    ),
    "negative beta": (
        lambda: phases.characteristic_value("relu", -0.1),
        InvalidValueError,
        "beta is a standard deviation",
    ),
    "frozen as it is": (
        lambda: phases.critical_beta("cos"),
        InvalidValueError,
        "frozen without a bias already",
    ),
    "chaotic as it is": (
        lambda: phases.critical_beta("sign"),
        InvalidValueError,
        "chaotic for every bias",
    ),
    "nothing left": (
        lambda: phases.Standardized(ntk.Monomial(0), centre=True),
        InvalidValueError,
        "cannot be standardised: its variance",
    ),
    "negative length": (lambda: TANH.length_map(-1.0), InvalidValueError, "q is a variance"),
    "infinite length": (lambda: TANH.chi(np.float32(np.inf)), InvalidValueError, "q has 1"),
    "correlation": (
        lambda: TANH.correlation_map(1.1, 1.0),
        InvalidValueError,
        "c is a correlation and must be within -1 and 1",
    ),
    "a length of zero": (
        lambda: MeanField("tanh").correlation_map(0.5, 0.0),
        InvalidValueError,
        "raise q1, q2, sigma_w or sigma_b",
    ),
    "no depth": (
        lambda: phases.trajectory(TANH, 1.0, 1.0, 0.5, 0),
        InvalidValueError,
        "depth must be at least 1",
    ),
    "a grid of grids": (
        lambda: phases.diagram("tanh", np.ones((2, 2)), np.ones(2)),
        ShapeError,
        "sigma_w2 must be a vector",
    ),
    "negative variances": (
        lambda: phases.diagram("tanh", np.ones(2), -np.ones(2)),
        InvalidValueError,
        "sigma_b2 holds variances",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_error_names_the_argument_and_the_fix(name):
    call, kind, message = CASES[name]
    with pytest.raises(kind, match=message) as caught:
        call()
    assert isinstance(caught.value, NTKError)
    assert isinstance(caught.value, ValueError | TypeError)


def test_a_smaller_start_finds_the_length_that_attracts():
    # q = 3 q^2 + 0.01 for the square.
    field = MeanField(ntk.Monomial(2), 1.0, 0.1)
    assert phases.fixed_length(field, start=0.05) == pytest.approx((1 - 0.88**0.5) / 6)


def test_traced_values_are_not_looked_at():
    assert jax.jit(RELU.length_map)(-jnp.ones(2)).shape == (2,)
