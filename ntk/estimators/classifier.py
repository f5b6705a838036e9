"""Classification with the limiting kernel of a network."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ntk import checks
from ntk.errors import InvalidValueError
from ntk.estimators.base import DTYPES, KernelEstimator, weighted


class NTKClassifier(ClassifierMixin, KernelEstimator):  # type: ignore[misc]
    r"""Classification with the NTK or NNGP of a network, as a scikit-learn estimator.

    ``method="ridge"`` is kernel ridge regression on targets :math:`\pm 1`, one column for each
    class against the rest (one column for two classes), as :class:`NTKRegressor` has it; the
    largest output wins. ``method="svm"`` gives the kernel to scikit-learn's ``SVC``, one class
    against one, as Arora et al. 2020, section 3, do on small data.

    The outputs of least squares and the margins of an SVM are no probabilities, so there is no
    ``predict_proba``: wrap the estimator in ``sklearn.calibration.CalibratedClassifierCV``, which
    fits probabilities to held-out decisions.

    Parameters
    ----------
    network : Layer, optional
        A description such as ``ntk.Serial(...)``. With convolutions inputs are images
        ``(n, H, W, C)``.
    depth, activation, sigma_w, sigma_b
        Of :func:`ntk.mlp`, used if ``network`` is None, so that a grid search reaches them.
    kernel : {"ntk", "nngp"}
        All layers trained, or the last one only.
    method : {"ridge", "svm"}
        See above.
    ridge : float, sequence of floats, or "loo"
        For ``method="ridge"``, as for :class:`NTKRegressor`: of several the one with the least
        squared leave-one-out error on the targets.
    C : float
        For ``method="svm"``, the weight of the slack.
    f0 : callable, optional
        For ``method="ridge"``, the function at the start, from inputs to ``(n, 1)`` for two
        classes and to ``(n, classes)`` for more; zero if omitted.

    Attributes
    ----------
    classes_ : ndarray
        The class labels.
    ridge_, ridges_, loo_errors_, X_fit_, dual_coef_, network_, n_features_in_
        As for :class:`NTKRegressor`.
    svc_ : SVC
        The fitted machine, for ``method="svm"``.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        By ``fit``, if a parameter is out of range, labels are not classes, or inputs do not fit
        the network.

    Warns
    -----
    SingularGramWarning
        If the system is singular without a ridge, and a part of the targets is not learnt.

    Examples
    --------
    >>> import numpy as np
    >>> from ntk import NTKClassifier
    >>> x = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    >>> model = NTKClassifier(depth=2).fit(x, ["same", "same", "other", "other"])
    >>> model.predict([[2.0, 1.5]])
    array(['same'], dtype='<U5')
    """

    # Any: scikit-learn wants constructors that take everything, and `fit` to judge.
    def __init__(
        self,
        network: Any = None,
        *,
        depth: Any = 2,
        activation: Any = "relu",
        sigma_w: Any = 2**0.5,
        sigma_b: Any = 0.1,
        kernel: Any = "ntk",
        method: Any = "ridge",
        ridge: Any = 1e-3,
        C: Any = 1.0,
        f0: Any = None,
    ) -> None:
        self.network = network
        self.depth = depth
        self.activation = activation
        self.sigma_w = sigma_w
        self.sigma_b = sigma_b
        self.kernel = kernel
        self.method = method
        self.ridge = ridge
        self.C = C
        self.f0 = f0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "NTKClassifier":
        """Fit to class labels.

        Parameters
        ----------
        X : array-like, shape (n, d) or what the network takes
            Training inputs.
        y : array-like, shape (n,)
            Class labels, of any kind that can be sorted.
        sample_weight : array-like, shape (n,), optional
            Weight of each point; one of weight 0 is left out.

        Returns
        -------
        NTKClassifier
            Itself.
        """
        X, y = validate_data(self, X, y, dtype=DTYPES, allow_nd=True)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        checks.choice("method", self.method, ("ridge", "svm"))
        X, y, sample_weight = weighted(X, y, sample_weight)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise InvalidValueError(
                f"y must hold at least two classes, got one class, {self.classes_.tolist()[0]!r}"
            )
        self._choose_network()
        if self.method == "svm":
            self._fit_machine(X, y, sample_weight)
        else:
            self._fit_columns(X, self._signs(y), sample_weight)
        return self

    def add_points(self, X: Any, y: Any, sample_weight: Any = None) -> "NTKClassifier":
        r"""Add training points: the same as a fit to all of them, at lower cost.

        For ``method="ridge"``; see :meth:`NTKRegressor.add_points`.

        Parameters
        ----------
        X, y, sample_weight
            As for :meth:`fit`; the labels must be among ``classes_``.

        Returns
        -------
        NTKClassifier
            Itself.
        """
        self._needs_ridge("add_points")
        X, y = validate_data(self, X, y, reset=False, dtype=self.X_fit_.dtype, allow_nd=True)
        X, y, sample_weight = weighted(X, column_or_1d(y), sample_weight)
        unknown = y[~np.isin(y, self.classes_)]
        if len(unknown):
            raise InvalidValueError(
                f"y has the label {unknown.tolist()[0]!r}, which is none of the classes "
                f"{self.classes_.tolist()}; a new class needs a new fit"
            )
        self._add_columns(X, self._signs(y), sample_weight)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the outputs that decide.

        Parameters
        ----------
        X : array-like, shape (m, d) or what the network takes
            Inputs.

        Returns
        -------
        ndarray, shape (m,) for two classes, (m, classes) for more
            For two classes positive values mean the second.
        """
        X = self._test_inputs(X)
        cross = self._kernel(X, self.X_fit_)
        if self.method == "svm":
            machine: np.ndarray = self.svc_.decision_function(cross)
            return machine
        found = self._evaluate(X, cross)
        return found[:, 0] if found.shape[1] == 1 else found

    def predict(self, X: Any) -> np.ndarray:
        """Predict class labels.

        Parameters
        ----------
        X : array-like, shape (m, d) or what the network takes
            Inputs.

        Returns
        -------
        ndarray, shape (m,)
            The labels.
        """
        return self._labels(self.decision_function(X))

    def leave_one_out(self) -> np.ndarray:
        """Predict the label of each training point from the fit to all the others.

        In closed form, for ``method="ridge"``: see :meth:`NTKRegressor.leave_one_out`.

        Returns
        -------
        ndarray, shape (n,)
            The labels, in the order of ``X_fit_``.
        """
        self._needs_ridge("leave_one_out")
        outputs, _ = self._left_out()
        return self._labels(outputs[:, 0] if outputs.shape[1] == 1 else outputs)

    def _labels(self, outputs: np.ndarray) -> np.ndarray:
        chosen = (outputs > 0).astype(int) if outputs.ndim == 1 else np.argmax(outputs, axis=1)
        labels: np.ndarray = self.classes_[chosen]
        return labels

    def _signs(self, y: np.ndarray) -> np.ndarray:
        """Return targets of one class against the rest."""
        classes = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        return np.where(y[:, None] == classes, 1.0, -1.0)

    def _fit_machine(self, X: np.ndarray, y: np.ndarray, sample_weight: Any) -> None:
        if self.f0 is not None:
            raise InvalidValueError("f0 is for method='ridge'; an SVM has no start of training")
        C = checks.number("C", self.C)
        if not C > 0:
            raise InvalidValueError(f"C must be positive, got {self.C!r}")
        machine = SVC(C=C, kernel="precomputed")
        self.svc_ = machine.fit(self._kernel(X), y, sample_weight)
        self.X_fit_ = X

    def _needs_ridge(self, name: str) -> None:
        check_is_fitted(self)
        if self.method != "ridge":
            raise InvalidValueError(
                f"{name} needs method='ridge', got {self.method!r}; an SVM must be fitted again"
            )
