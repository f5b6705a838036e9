"""Bad input gets an error that names the argument and the fix."""

import sys

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import ntk
from ntk.errors import InvalidTypeError, InvalidValueError, MissingExtraError, NTKError, ShapeError

X, Y, W = (np.ones(shape, np.float32) for shape in [(4, 2), (4, 3), (2, 3)])
P = np.full((4, 3), 1 / 3, np.float32)


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def linear(w, x):
    return x @ w


def train(f=linear, params=W, x=X, y=Y, **kwargs):
    return ntk.train(f, params, x, y, **{"learning_rate": 0.01, "steps": 3, **kwargs})


NET = ntk.mlp(1, 4)
CASES = {
    "a description": (lambda: train(f=NET), InvalidTypeError, "f must be a function"),
    "integer parameters": (lambda: train(params=W.astype(int)), InvalidTypeError, "dtype int"),
    "no parameters": (lambda: train(params=()), InvalidValueError, "params has no leaves"),
    "NaN parameters": (lambda: train(params=W * np.nan), InvalidValueError, "params"),
    "a tuple": (lambda: train(f=lambda w, x: (x @ w,)), InvalidTypeError, "one array"),
    "flat outputs": (lambda: train(f=lambda w, x: (x @ w)[:, 0]), ShapeError, r"y\[:, None\]"),
    "no examples": (lambda: train(x=X[:0], y=Y[:0]), ShapeError, "x is empty"),
    "NaN inputs": (lambda: train(x=X * np.nan), InvalidValueError, "x has 8"),
    "other targets": (lambda: train(y=Y[:, :1]), ShapeError, r"\(4, 3\), got \(4, 1\)"),
    "fewer targets": (lambda: train(y=Y[:2]), ShapeError, r"\(4, 3\), got \(2, 3\)"),
    "class numbers": (lambda: train(y=np.arange(4)), ShapeError, r"jax\.nn\.one_hot\(y"),
    "NaN targets": (lambda: train(y=Y * np.nan), InvalidValueError, "y has 12"),
    "text": (lambda: train(y="labels"), InvalidTypeError, "y must"),
    "test inputs": (
        lambda: train(f=lambda w, x: x @ w if len(x) == 4 else x, x_test=X[:2]),
        ShapeError,
        "number of outputs on x_test",
    ),
    "no rate": (lambda: train(learning_rate=0.0), InvalidValueError, "learning_rate must be pos"),
    "a negative rate": (lambda: train(learning_rate=-1), InvalidValueError, "got -1"),
    "a NaN rate": (lambda: train(learning_rate=np.nan), InvalidValueError, "learning_rate"),
    "a rate in words": (lambda: train(learning_rate="fast"), InvalidTypeError, "learning_rate"),
    "rates": (lambda: train(learning_rate=jnp.ones(2)), InvalidValueError, "learning_rate"),
    "negative steps": (lambda: train(steps=-1), InvalidValueError, "steps must be at least 1"),
    "half a step": (lambda: train(steps=2.5), InvalidTypeError, "steps must be a whole number"),
    "a loss": (lambda: train(loss="sqared"), InvalidValueError, "did you mean 'squared'"),
    "a loss of nothing": (lambda: train(loss=lambda *_: None), ShapeError, "one number"),
    "a scale": (lambda: train(loss_scale="avg"), InvalidValueError, "loss_scale"),
    "centred labels": (
        lambda: train(y=P - 1 / 3, loss="cross_entropy"),
        InvalidValueError,
        "probabilities .*one-hot",
    ),
    "one class": (
        lambda: train(params=W[:, :1], y=Y[:, :1], loss="cross_entropy"),
        ShapeError,
        "at least two",
    ),
    "a large batch": (
        lambda: train(batch_size=5, key=jax.random.key(0)),
        InvalidValueError,
        "batch_size must be at most the number of examples, 4, got 5",
    ),
    "an empty batch": (
        lambda: train(batch_size=0, key=jax.random.key(0)),
        InvalidValueError,
        "batch_size",
    ),
    "no key": (lambda: train(batch_size=2), InvalidTypeError, "key is missing"),
    "a record": (lambda: train(record=["kernle"]), InvalidValueError, "did you mean 'kernel'"),
    "unknown features": (lambda: train(record="features"), InvalidValueError, "pass features="),
    "one layer": (
        lambda: train(f=ntk.Serial(ntk.Dense(3)).apply, params=({"weight": W},), record="features"),
        InvalidValueError,
        "pass features=",
    ),
    "an optimiser in words": (
        lambda: train(optimizer="adam"),
        InvalidTypeError,
        "optimizer must be an optax.GradientTransformation",
    ),
    "an optimiser that is none": (
        lambda: train(optimizer=lambda rate: rate),
        InvalidTypeError,
        "optimizer must be",
    ),
    "late records": (lambda: train(at=[0, 4]), InvalidValueError, "at most steps = 3"),
    "descending records": (lambda: train(at=[2, 1]), InvalidValueError, "ascend"),
    "negative records": (lambda: train(at=[-1, 1]), InvalidValueError, "ascend from 0"),
    "no records": (lambda: train(at=[]), ShapeError, "at must be"),
    "late times": (lambda: train(at=[0.0, 0.05]), InvalidValueError, "at most steps = 3"),
    "NaN times": (lambda: train(at=[0.0, np.nan]), InvalidValueError, "finite times"),
    "times of a traced rate": (
        lambda: jax.jit(lambda rate: train(learning_rate=rate, at=[0.0, 0.01]))(0.01),
        InvalidTypeError,
        "give steps, as integers",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_error_names_the_argument_and_the_fix(name):
    call, kind, message = CASES[name]
    with pytest.raises(kind, match=message) as caught:
        call()
    assert isinstance(caught.value, NTKError)


def test_without_optax_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    with pytest.raises(MissingExtraError, match=r"optax.*'ntk-companion\[training\]'"):
        train(f=lambda w, x: x @ w)
