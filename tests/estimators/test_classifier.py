"""The classifier against least squares on signs, brute force, and scikit-learn's own machine."""

import jax
import numpy as np
import pytest
from sklearn.svm import SVC

import ntk
from ntk import NTKClassifier

RNG = np.random.default_rng(2)
X, Z = RNG.standard_normal((30, 2)), RNG.standard_normal((9, 2))
NET = ntk.mlp(1, activation="relu", sigma_w=2**0.5, sigma_b=0.2)
THREE = np.array(["left", "right", "top"])[np.where(X[:, 1] > 0.5, 2, (X[:, 0] > 0).astype(int))]
TWO = X[:, 0] * X[:, 1] > 0
NOISY = np.where(RNG.random(30) < 0.2, ~TWO, TWO)


def grams():
    with jax.enable_x64(True):
        return np.asarray(ntk.kernel(NET, X).ntk), np.asarray(ntk.kernel(NET, Z, X).ntk)


def test_three_classes_are_one_regression_each():
    K, Kt = grams()
    signs = np.stack([np.where(name == THREE, 1.0, -1.0) for name in ("left", "right", "top")], 1)
    expected = Kt @ np.linalg.solve(K + 0.1 * np.eye(30), signs)
    model = NTKClassifier(NET, ridge=0.1).fit(X, THREE)
    np.testing.assert_allclose(model.decision_function(Z), expected, rtol=1e-10)
    np.testing.assert_array_equal(model.predict(Z), model.classes_[expected.argmax(axis=1)])


def test_two_classes_are_one_regression():
    K, Kt = grams()
    expected = Kt @ np.linalg.solve(K + 0.1 * np.eye(30), np.where(TWO, 1.0, -1.0))
    model = NTKClassifier(NET, ridge=0.1).fit(X, TWO)
    np.testing.assert_allclose(model.decision_function(Z), expected, rtol=1e-10)
    np.testing.assert_array_equal(model.predict(Z), expected > 0)


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
def test_the_machine_is_that_of_scikit_learn(labels):
    K, Kt = grams()
    machine = SVC(C=3.0, kernel="precomputed").fit(K, labels)
    model = NTKClassifier(NET, method="svm", C=3.0).fit(X, labels)
    np.testing.assert_allclose(model.decision_function(Z), machine.decision_function(Kt), rtol=1e-9)
    assert model.score(X, labels) > 0.9


@pytest.mark.parametrize("labels", [NOISY, THREE], ids=["two", "three"])
def test_left_out_labels_are_those_of_refits(labels):
    kept = [np.arange(30) != i for i in range(30)]
    refits = [NTKClassifier(NET, ridge=0.01).fit(X[rows], labels[rows]) for rows in kept]
    expected = [model.predict(X[i : i + 1])[0] for i, model in enumerate(refits)]
    model = NTKClassifier(NET, ridge=0.01).fit(X, labels)
    np.testing.assert_array_equal(model.leave_one_out(), expected)
    assert (model.predict(X) != model.leave_one_out()).any()


def test_points_added_give_the_fit_to_all():
    whole = NTKClassifier(NET).fit(X, THREE)
    grown = NTKClassifier(NET).fit(X[:20], THREE[:20]).add_points(X[20:], THREE[20:])
    np.testing.assert_allclose(
        grown.decision_function(Z), whole.decision_function(Z), rtol=1e-10, atol=1e-10
    )


def test_the_ridge_can_be_chosen():
    model = NTKClassifier(NET, ridge="loo").fit(X, NOISY)
    assert model.ridge_ in model.ridges_
    assert model.loo_errors_[list(model.ridges_).index(model.ridge_)] == model.loo_errors_.min()
