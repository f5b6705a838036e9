"""What regressor and classifier share: the kernel, the fit, points added later, points left out."""

from typing import Any

import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ntk import checks
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError
from ntk.estimators.grams import gram
from ntk.estimators.systems import (
    Columns,
    Vector,
    best_ridge,
    extended,
    factored,
    warn_unlearnt,
)
from ntk.layers import mlp

DTYPES = [np.float64, np.float32]
"""What inputs may be and stay; others become the first."""

CANDIDATES = np.logspace(-8, 2, 41)
"""Ridges that are tried when none is named, in units of the kernel's mean diagonal."""


class KernelEstimator(BaseEstimator):  # type: ignore[misc]
    """A kernel machine with the limiting kernel of a network.

    Subclasses declare their parameters, make columns of targets, and say what comes out.
    """

    network: Any
    depth: Any
    activation: Any
    sigma_w: Any
    sigma_b: Any
    kernel: Any
    ridge: Any
    f0: Any

    def _kernel(self, x1: np.ndarray, x2: np.ndarray | None = None) -> np.ndarray:
        return gram(self.network_, self.kernel, x1, x2)

    def _choose_network(self) -> None:
        checks.choice("kernel", self.kernel, ("nngp", "ntk"))
        self.network_ = self.network
        if self.network is None:
            self.network_ = mlp(
                self.depth, activation=self.activation, sigma_w=self.sigma_w, sigma_b=self.sigma_b
            )

    def _start(self, X: np.ndarray, outputs: int) -> Columns:
        """Return the function at the start of training, zero unless there is another."""
        if self.f0 is None:
            return np.zeros((len(X), outputs))
        if not callable(self.f0):
            raise InvalidTypeError(
                f"f0 must be a function of the inputs or None, got {type(self.f0).__name__}; for "
                "a network pass lambda x: net.apply(params, x)"
            )
        with jax.enable_x64(True):
            found = np.asarray(self.f0(X), np.float64)
        if found.shape != (len(X), outputs):
            raise ShapeError(
                f"f0 must return shape {(len(X), outputs)}, one column an output, for "
                f"{len(X)} inputs; got {found.shape}"
            )
        return found

    def _fit_columns(self, X: np.ndarray, targets: Columns, sample_weight: Any) -> None:
        """Solve for columns of targets; points of weight 0 have been left out."""
        roots = _roots(sample_weight, X)
        K = self._kernel(X)
        noise = float(np.finfo(K.dtype).eps)
        residual = targets - self._start(X, targets.shape[1])
        candidates = self._candidates(K)
        self.ridge_ = float(candidates[0])
        if len(candidates) > 1:
            self.ridge_, self.loo_errors_ = best_ridge(K, roots, residual, candidates, noise)
            self.ridges_ = candidates
        self._system = factored(K, roots, self.ridge_, noise)
        self.X_fit_, self._targets = X, targets
        self._solve(residual)

    def _candidates(self, K: np.ndarray) -> Vector:
        ridge = self.ridge
        if isinstance(ridge, str):
            checks.choice("ridge", ridge, ("loo",))
            return CANDIDATES * float(np.mean(np.diag(K)))
        try:
            found = np.atleast_1d(np.asarray(ridge, np.float64))
        except (TypeError, ValueError):
            found = np.empty(0)
        if found.ndim != 1 or found.size == 0 or ridge is None or isinstance(ridge, bool):
            raise InvalidTypeError(
                f"ridge must be a number, a sequence of numbers to choose from, or 'loo'; got "
                f"{ridge!r}"
            )
        if not (np.isfinite(found) & (found >= 0)).all():
            raise InvalidValueError(
                f"ridge must be finite and at least 0, got {ridge!r}; it is added to the diagonal "
                "of the kernel"
            )
        return found

    def _solve(self, residual: Columns) -> None:
        warn_unlearnt(self._system, residual)
        self._residual = residual
        self.dual_coef_ = self._system.solve(residual)

    def _evaluate(self, X: np.ndarray, cross: np.ndarray) -> Columns:
        found: Columns = self._start(X, self.dual_coef_.shape[1]) + cross @ self.dual_coef_
        return found.astype(self.X_fit_.dtype)

    def _test_inputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        x: np.ndarray = validate_data(self, X, reset=False, dtype=self.X_fit_.dtype, allow_nd=True)
        self._same_features(x)
        return x

    def _same_features(self, x: np.ndarray) -> None:
        if x.shape[1:] != self.X_fit_.shape[1:]:
            raise ShapeError(
                f"X must have the shape of the training inputs, (n, "
                f"{', '.join(map(str, self.X_fit_.shape[1:]))}); got {x.shape}"
            )

    def _add_columns(self, X: np.ndarray, targets: Columns, sample_weight: Any) -> None:
        self._same_features(X)
        roots = _roots(sample_weight, X)
        start = self._start(X, targets.shape[1])
        cross, corner = self._kernel(X, self.X_fit_), self._kernel(X)
        self._system = extended(self._system, cross, corner, roots)
        self.X_fit_ = np.concatenate([self.X_fit_, X])
        self._targets = np.concatenate([self._targets, targets])
        self._solve(np.concatenate([self._residual, targets - start]))

    def _left_out(self) -> tuple[Columns, Vector]:
        """Return predictions and standard deviations for each point under the fit without it."""
        check_is_fitted(self)
        residual, variance = self._system.left_out(self._residual)
        return self._targets - residual, np.sqrt(variance)


def weighted(X: np.ndarray, y: np.ndarray, sample_weight: Any) -> tuple[Any, Any, Any]:
    """Check weights, and leave out the points that have none."""
    if sample_weight is None:
        return X, y, None
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    kept = weights > 0
    if not kept.any():
        raise InvalidValueError("sample_weight is 0 for every point; at least one must count")
    return X[kept], y[kept], weights[kept]


def _roots(sample_weight: Any, X: np.ndarray) -> Vector:
    return np.ones(len(X)) if sample_weight is None else np.sqrt(sample_weight)
