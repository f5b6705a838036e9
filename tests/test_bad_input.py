"""Bad input gets an error that names the argument and the fix, never a number."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import ntk
from ntk.errors import (
    InvalidTypeError,
    InvalidValueError,
    NTKError,
    PrecisionWarning,
    ShapeError,
)

NET = ntk.mlp(1, 8)
X = np.ones((3, 2), np.float32)
EYE, Y = np.eye(3, dtype=np.float32), np.ones((3, 1), np.float32)


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def with_nan(x):
    bad = x.copy()
    bad[1, 0] = np.nan
    return bad


KERNEL = {
    "one point": (
        lambda: ntk.kernel(NET, X[0]),
        ShapeError,
        r"x1 .*\(n, d\).*\(2,\).*x1\[None, :\]",
    ),
    "a number": (lambda: ntk.kernel(NET, 1.0), ShapeError, "single number"),
    "images and points": (lambda: ntk.kernel(NET, X[None], X), ShapeError, r"\(1, 3, 2\) and"),
    "no rows": (lambda: ntk.kernel(NET, X[:0]), ShapeError, r"x1 is empty.*\(0, 2\)"),
    "no features": (lambda: ntk.kernel(NET, X[:, :0]), ShapeError, "x1 is empty"),
    "features differ": (lambda: ntk.kernel(NET, X, X[:, :1]), ShapeError, r"\(3, 2\) and \(3, 1\)"),
    "NaN": (lambda: ntk.kernel(NET, with_nan(X)), InvalidValueError, r"x1 has 1 .*\(1, 0\)"),
    "infinity": (lambda: ntk.kernel(NET, X, X * np.inf), InvalidValueError, "x2 has 6"),
    "complex": (lambda: ntk.kernel(NET, X + 1j), InvalidTypeError, "x1 .*complex64"),
    "text": (lambda: ntk.kernel(NET, "data"), InvalidTypeError, "x1 "),
    "ragged": (lambda: ntk.kernel(NET, [[1.0], [1.0, 2.0]]), InvalidTypeError, "x1 "),
    "a function": (lambda: ntk.kernel(NET.apply, X), InvalidTypeError, r"empirical_ntk\(f, params"),
    "which kernel": (
        lambda: ntk.kernel(NET, X, get="nkt"),
        InvalidValueError,
        "did you mean 'ntk'",
    ),
    "no kernel": (lambda: ntk.kernel(NET, X, get=()), InvalidValueError, "get must be one of"),
}
DESCRIPTION = {
    "negative width": (
        lambda: ntk.Dense(-3),
        InvalidValueError,
        "width must be at least 1, got -3",
    ),
    "zero width": (lambda: ntk.mlp(1, 0), InvalidValueError, "width must be at least 1, got 0"),
    "half a width": (lambda: ntk.Dense(2.5), InvalidTypeError, "width must be a whole number"),
    "a flag for a width": (lambda: ntk.Dense(True), InvalidTypeError, "width"),
    "no depth": (lambda: ntk.mlp(0), InvalidValueError, "depth must be at least 1"),
    "negative scale": (lambda: ntk.Dense(3, sigma_w=-1), InvalidValueError, "sigma_w .*got -1.0"),
    "NaN scale": (lambda: ntk.Dense(3, sigma_b=np.nan), InvalidValueError, "sigma_b"),
    "no scale": (lambda: ntk.Dense(3, sigma_w=None), InvalidTypeError, "sigma_w"),
    "activation": (lambda: ntk.mlp(1, activation="rleu"), InvalidValueError, "did you mean 'relu'"),
    "parametrization": (
        lambda: ntk.Dense(3, parametrization="standrad"),
        InvalidValueError,
        "did you mean 'standard'",
    ),
    "scales per layer": (
        lambda: ntk.mlp(2, sigma_w=[1, 1]),
        ShapeError,
        "sigma_w .* 3 of them.*got 2",
    ),
    "a class": (lambda: ntk.Serial(ntk.Relu), InvalidTypeError, r"class Relu; .*Relu\(\.\.\.\)"),
    "not a layer": (
        lambda: ntk.Serial(ntk.Dense(1), "relu"),
        InvalidTypeError,
        "layer 1 of Serial",
    ),
    "nothing": (ntk.Serial, InvalidTypeError, "at least one layer"),
    "features of x": (
        lambda: NET.apply(NET.init(jax.random.key(0), (2,)), jnp.ones((3, 5))),
        ShapeError,
        "x must have 2 features",
    ),
    "weight layers": (lambda: ntk.conventions.jacot(1, 0.1), InvalidValueError, "L counts weight"),
    "beta": (lambda: ntk.conventions.jacot(2, -0.1), InvalidValueError, "beta"),
}


def linear(w, x):
    return x @ w


W = np.ones((2, 1), np.float32)
EMPIRICAL = {
    "not a function": (
        lambda: ntk.empirical_ntk(NET, W, X),
        InvalidTypeError,
        "f must be a function",
    ),
    "flat result": (
        lambda: ntk.empirical_ntk(lambda w, x: (x @ w)[:, 0], W, X),
        ShapeError,
        r"y\[:, None\]",
    ),
    "wrong n": (lambda: ntk.empirical_ntk(lambda w, x: (x @ w)[:2], W, X), ShapeError, "n = 3"),
    "a tuple": (
        lambda: ntk.empirical_ntk(lambda w, x: (x @ w,), W, X),
        InvalidTypeError,
        "one array",
    ),
    "integer parameters": (
        lambda: ntk.empirical_ntk(linear, {"w": np.ones((2, 1), int)}, X),
        InvalidTypeError,
        r"params\['w'\] has dtype int",
    ),
    "complex parameters": (
        lambda: ntk.empirical_ntk(linear, W + 1j, X),
        InvalidTypeError,
        "complex64",
    ),
    "no parameters": (lambda: ntk.empirical_ntk(linear, {}, X), InvalidValueError, "params has no"),
    "output": (
        lambda: ntk.empirical_ntk(linear, W, X, output="trace"),
        InvalidValueError,
        "output",
    ),
    "method": (
        lambda: ntk.empirical_ntk(linear, W, X, method="jacobain"),
        InvalidValueError,
        "did you mean 'jacobian'",
    ),
    "NaN": (lambda: ntk.empirical_ntk(linear, W, with_nan(X)), InvalidValueError, "x1"),
    "NaN parameters": (lambda: ntk.empirical_ntk(linear, W * np.nan, X), InvalidValueError, "f"),
    "no rows": (lambda: ntk.empirical_ntk(linear, W, X[:0]), ShapeError, "x1 is empty"),
    "inputs differ": (
        lambda: ntk.empirical_ntk(linear, W, X, X[:, :1]),
        ShapeError,
        "same features",
    ),
    "linearize": (lambda: ntk.linearize(NET, W), InvalidTypeError, "f must be a function"),
    "degree": (lambda: ntk.taylor_expand(linear, W, -1), InvalidValueError, "at least 0, got -1"),
    "half a degree": (
        lambda: ntk.taylor_expand(linear, W, 1.5),
        InvalidTypeError,
        "degree must be",
    ),
    "a flag for a degree": (lambda: ntk.taylor_expand(linear, W, True), InvalidTypeError, "degree"),
    "taylor_expand": (
        lambda: ntk.taylor_expand(NET, W, 2),
        InvalidTypeError,
        "f must be a function",
    ),
    "other parameters": (
        lambda: ntk.linearize(linear, W)({"w": W}, X),
        InvalidTypeError,
        "structure of the point of expansion",
    ),
}
FLOW = ntk.GradientFlow(EYE, Y)
ASYMMETRIC = EYE + np.eye(3, k=1, dtype=np.float32)
DOWNSTREAM = {
    "not square": (lambda: ntk.GradientFlow(EYE[:2], Y), ShapeError, "K must be square"),
    "a vector": (lambda: ntk.GradientFlow(EYE[0], Y), ShapeError, "K must"),
    "asymmetric": (lambda: ntk.GradientFlow(ASYMMETRIC, Y), InvalidValueError, "not symmetric"),
    "indefinite": (lambda: ntk.GradientFlow(-EYE, Y), InvalidValueError, "semi-definite"),
    "NaN": (lambda: ntk.GradientFlow(with_nan(EYE), Y), InvalidValueError, "K has 1"),
    "targets": (lambda: ntk.GradientFlow(EYE, Y[:2]), ShapeError, r"y must have shape \(3, any\)"),
    "flat targets": (lambda: ntk.GradientFlow(EYE, Y[:, 0]), ShapeError, r"y\[:, None\]"),
    "loss": (lambda: ntk.GradientFlow(EYE, Y, loss_scale="avg"), InvalidValueError, "loss_scale"),
    "rate": (lambda: ntk.GradientFlow(EYE, Y, learning_rate=0), InvalidValueError, "positive"),
    "ridge": (lambda: ntk.GradientFlow(EYE, Y, ridge=-1), InvalidValueError, "ridge"),
    "no kernel": (lambda: ntk.ensemble(EYE, EYE, EYE, Y), InvalidTypeError, "K must be a Kernel"),
    "prior": (lambda: ntk.gp_posterior(EYE, EYE, EYE[:2], Y), ShapeError, "K_test must have"),
    "negative time": (lambda: FLOW.train(-1.0, Y), InvalidValueError, "t must be at least 0"),
    "NaN time": (lambda: FLOW.train(np.nan, Y), InvalidValueError, "t must be at least 0"),
    "table of times": (lambda: FLOW.train(np.ones((2, 2)), Y), ShapeError, "t must be a number"),
    "start": (lambda: FLOW.train(1.0, Y[:2]), ShapeError, "f0 must have shape"),
    "cross kernel": (lambda: FLOW.test(1.0, EYE[:, :2], Y, Y), ShapeError, "K_test_train"),
    "test start": (lambda: FLOW.test(1.0, EYE[:2], Y, Y), ShapeError, r"f0_test .*\(2, 1\)"),
}
ALL = {
    f"{group}: {name}": case
    for group, cases in [
        ("kernel", KERNEL),
        ("description", DESCRIPTION),
        ("empirical", EMPIRICAL),
        ("downstream", DOWNSTREAM),
    ]
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", ALL)
def test_error_names_the_argument_and_the_fix(name):
    call, kind, message = ALL[name]
    with pytest.raises(kind, match=message) as caught:
        call()
    assert isinstance(caught.value, NTKError)
    assert isinstance(caught.value, ValueError | TypeError)


def test_float64_without_x64_warns_and_says_how_to_turn_it_on():
    with pytest.warns(PrecisionWarning, match="jax_enable_x64") as caught:
        K = ntk.kernel(NET, X.astype(np.float64))
    assert K.ntk.dtype == np.float32
    assert caught[0].filename == __file__


def test_traced_values_are_not_looked_at():
    assert np.isnan(jax.jit(lambda x: ntk.kernel(NET, x).ntk)(with_nan(X))).any()
    out = jax.jit(lambda k: ntk.GradientFlow(k, Y).train(1.0, Y))(ASYMMETRIC)
    assert out.shape == (3, 1)
