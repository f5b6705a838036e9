"""The estimators are estimators in scikit-learn's own judgement, and work in its machinery."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from ntk import NTKClassifier, NTKRegressor

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
SMOOTH = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2]


# One hidden layer: the checks compile dozens of shapes, and depth is none of their concern.
@parametrize_with_checks([NTKRegressor(depth=1), NTKClassifier(depth=1)])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_a_grid_search_reaches_depth_scales_and_ridge():
    pipeline = make_pipeline(StandardScaler(), NTKRegressor())
    grid = {
        "ntkregressor__depth": [1, 2],
        "ntkregressor__sigma_w": [1.0, 1.5],
        "ntkregressor__sigma_b": [0.1, 1.0],
        "ntkregressor__ridge": [1e-3, 1e3],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, SMOOTH)
    assert search.cv_results_["mean_test_score"].shape == (16,)
    assert search.best_params_["ntkregressor__ridge"] == 1e-3  # the other predicts nothing
    assert len(set(np.round(search.cv_results_["mean_test_score"], 6))) == 16


@pytest.mark.parametrize("method", ["ridge", "svm"])
def test_decisions_become_probabilities_by_calibration(method):
    labels = np.where(SMOOTH > 0, "up", "down")
    model = CalibratedClassifierCV(NTKClassifier(method=method), cv=2).fit(X, labels)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert model.score(X, labels) > 0.8
    assert not hasattr(NTKClassifier(), "predict_proba")


def test_importing_the_core_does_not_load_scikit_learn():
    code = """
import sys, ntk
assert not any(name.startswith("sklearn") for name in sys.modules)
assert {"NTKRegressor", "NTKClassifier"} <= set(dir(ntk))
assert ntk.NTKRegressor(depth=3).get_params()["depth"] == 3
assert "sklearn" in sys.modules
try:
    ntk.NTKRegresor
except AttributeError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "module 'ntk' has no attribute 'NTKRegresor'"
