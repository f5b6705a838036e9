"""What is no function, no measure, no kernel or no cost is named."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from ntk import function_space as fs
from ntk.errors import InvalidTypeError, InvalidValueError, NTKError, ShapeError

F = np.ones((3, 1), np.float32)
EYE = np.eye(3, dtype=np.float32)
KEY = jax.random.key(0)


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def total(f):
    return jnp.sum(f)


CASES = {
    "flat function": (lambda: fs.seminorm(F[:, 0]), ShapeError, r"f\[:, None\]"),
    "functions differ": (lambda: fs.inner_product(F, F[:2]), ShapeError, r"g must .*\(3, 1\)"),
    "NaN": (lambda: fs.seminorm(F * np.nan), InvalidValueError, "f has 3"),
    "weights": (lambda: fs.seminorm(F, F[:2, 0]), ShapeError, "weights .* 3 points"),
    "negative weight": (lambda: fs.seminorm(F, -F[:, 0]), InvalidValueError, "weights .*-1"),
    "no mass": (lambda: fs.seminorm(F, 0 * F[:, 0]), InvalidValueError, "not all 0"),
    "kernel": (lambda: fs.kernel_seminorm(EYE[:2], F), ShapeError, r"K must have shape \(3, 3\)"),
    "outputs": (
        lambda: fs.kernel_seminorm(np.ones((3, 3, 2, 2), np.float32), F),
        ShapeError,
        r"\(3, 3, 1, 1\).*got \(3, 3, 2, 2\)",
    ),
    "rectangular outputs": (
        lambda: fs.kernel_matrix(np.ones((3, 3, 2, 1), np.float32)),
        ShapeError,
        "outputs last",
    ),
    "indefinite": (lambda: fs.kernel_seminorm(-EYE, F), InvalidValueError, "semi-definite"),
    "no form": (lambda: fs.dual_map(EYE, F), InvalidTypeError, "mu must be a DualElement"),
    "no cost": (lambda: fs.derivative(F, F), InvalidTypeError, "cost must be a function"),
    "cost per point": (
        lambda: fs.kernel_gradient(EYE, lambda f: f[:, 0], F),
        ShapeError,
        "one real number",
    ),
    "weightless point": (
        lambda: fs.derivative(total, F, np.array([1, 1, 0], np.float32)),
        InvalidValueError,
        "point 2, whose weight is 0",
    ),
    "time": (
        lambda: fs.KernelGradientDescent(EYE, total, F).train(-1.0),
        InvalidValueError,
        "t must be at least 0",
    ),
    "infinite time": (
        lambda: fs.KernelGradientDescent(EYE, total, F).train(np.inf),
        InvalidValueError,
        r"t must be at least 0 and finite, got inf",
    ),
    "tolerance": (
        lambda: fs.KernelGradientDescent(EYE, total, F, tolerance=0.0),
        InvalidValueError,
        "tolerance",
    ),
    "start": (
        lambda: fs.KernelGradientDescent(EYE, total, F).test(1.0, EYE, F[:2]),
        ShapeError,
        "f0_test",
    ),
    "count": (lambda: fs.random_functions(KEY, EYE, 0), InvalidValueError, "count"),
    "not square": (lambda: fs.random_functions(KEY, EYE[:2], 3), ShapeError, "K must"),
    "parameters": (
        lambda: fs.random_linear_model(F[:, 0], np.ones((2, 3, 1), np.float32)),
        ShapeError,
        "theta .* 2 functions",
    ),
    "one function": (lambda: fs.tangent_kernel(F), ShapeError, r"\(count, n, k\)"),
}


@pytest.mark.parametrize("name", CASES)
def test_error_names_the_argument(name):
    call, kind, message = CASES[name]
    with pytest.raises(kind, match=message) as caught:
        call()
    assert isinstance(caught.value, NTKError)
