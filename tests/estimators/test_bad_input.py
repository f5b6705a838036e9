"""Bad parameters, labels and shapes get an error that names them."""

import jaxtyping
import numpy as np
import pytest

import ntk
from ntk import NTKClassifier, NTKRegressor
from ntk.errors import InvalidTypeError, InvalidValueError, NTKError, ShapeError

X, Y = np.eye(4), np.arange(4.0)
LABELS = np.array(["a", "b", "a", "b"])
CONV = ntk.Serial(ntk.Conv(4, (3, 3)), ntk.Relu())


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def regress(**parameters):
    return NTKRegressor(**parameters).fit(X, Y)


CASES = {
    "negative ridge": (lambda: regress(ridge=-1.0), InvalidValueError, "ridge .*at least 0"),
    "NaN ridge": (lambda: regress(ridge=np.nan), InvalidValueError, "ridge must be finite"),
    "a word": (lambda: regress(ridge="lo"), InvalidValueError, "did you mean 'loo'"),
    "no ridge": (lambda: regress(ridge=None), InvalidTypeError, "ridge must be a number"),
    "no ridges": (lambda: regress(ridge=[]), InvalidTypeError, "sequence of numbers"),
    "network": (lambda: regress(network=lambda x: x), InvalidTypeError, "network must be a desc"),
    "kernel": (lambda: regress(kernel="nkt"), InvalidValueError, "did you mean 'ntk'"),
    "depth": (lambda: regress(depth=0), InvalidValueError, "depth"),
    "activation": (lambda: regress(activation="rleu"), InvalidValueError, "'relu'"),
    "spread": (lambda: regress(spread="both"), InvalidValueError, "spread"),
    "f0": (lambda: regress(f0=1.0), InvalidTypeError, "f0 must be a function"),
    "flat f0": (lambda: regress(f0=lambda x: x[:, 0]), ShapeError, r"f0 .*\(4, 1\)"),
    "one start": (
        lambda: regress(spread="ensemble", f0=lambda x: x[:, :1]).predict(X, return_std=True),
        InvalidValueError,
        "one start",
    ),
    "std and cov": (
        lambda: regress().predict(X, return_std=True, return_cov=True),
        InvalidValueError,
        "at most one",
    ),
    "added outputs": (
        lambda: regress().add_points(X, np.ones((4, 2))),
        InvalidValueError,
        r"y must have shape \(n,\)",
    ),
    "positions kept": (
        lambda: NTKRegressor(CONV).fit(np.ones((4, 3, 3, 1)), Y),
        ShapeError,
        "GlobalAvgPool",
    ),
    "other images": (
        lambda: (
            NTKRegressor(ntk.Serial(CONV, ntk.Flatten(), ntk.Dense(1)))
            .fit(np.ones((4, 3, 3, 1)), Y)
            .predict(np.ones((4, 3, 4, 1)))
        ),
        ShapeError,
        r"\(n, 3, 3, 1\); got \(4, 3, 4, 1\)",
    ),
    "no weight": (
        lambda: NTKRegressor().fit(X, Y, sample_weight=np.zeros(4)),
        ValueError,
        "zero|is 0",
    ),
    "one class": (
        lambda: NTKClassifier().fit(X, LABELS[[0, 0, 0, 0]]),
        InvalidValueError,
        "at least two classes, got one class",
    ),
    "not classes": (lambda: NTKClassifier().fit(X, Y + 0.5), ValueError, "label type"),
    "new class": (
        lambda: NTKClassifier().fit(X, LABELS).add_points(X[:1], ["c"]),
        InvalidValueError,
        "label 'c', which is none of the classes",
    ),
    "method": (
        lambda: NTKClassifier(method="swm").fit(X, LABELS),
        InvalidValueError,
        "did you mean 'svm'",
    ),
    "slack": (
        lambda: NTKClassifier(method="svm", C=0.0).fit(X, LABELS),
        InvalidValueError,
        "C must be positive",
    ),
    "start of a machine": (
        lambda: NTKClassifier(method="svm", f0=lambda x: x).fit(X, LABELS),
        InvalidValueError,
        "f0 is for method='ridge'",
    ),
    "points for a machine": (
        lambda: NTKClassifier(method="svm").fit(X, LABELS).add_points(X, LABELS),
        InvalidValueError,
        "add_points needs method='ridge'",
    ),
    "left out of a machine": (
        lambda: NTKClassifier(method="svm").fit(X, LABELS).leave_one_out(),
        InvalidValueError,
        "leave_one_out needs",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_error_names_the_argument(name):
    call, kind, message = CASES[name]
    with pytest.raises(kind, match=message) as caught:
        call()
    # What scikit-learn checks itself has its own words.
    assert isinstance(caught.value, NTKError) or kind is ValueError
