"""Regression with the limiting kernel of a network."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ntk import checks
from ntk.errors import InvalidValueError
from ntk.estimators.base import DTYPES, KernelEstimator, weighted
from ntk.estimators.grams import gram, variances


class NTKRegressor(RegressorMixin, KernelEstimator):  # type: ignore[misc]
    r"""Kernel ridge regression with the NTK or NNGP of a network, as a scikit-learn estimator.

    .. math:: f(x) = f_0(x) + K(x, X)\, (K + \rho S^{-1})^{-1} (y - f_0(X))

    with the weights :math:`S` of the points: what an infinitely wide network computes after
    infinite training on squared loss with the ridge :math:`\rho` (Jacot et al. 2018, section 5;
    Lee et al. 2019, section 2.2), and for ``kernel="nngp"`` the mean of a Gaussian process
    posterior (Lee et al. 2018). Targets are not centred; a network with biases has an offset.

    Parameters
    ----------
    network : Layer, optional
        A description such as ``ntk.Serial(...)``. With convolutions inputs are images
        ``(n, H, W, C)``.
    depth, activation, sigma_w, sigma_b
        Of :func:`ntk.mlp`, used if ``network`` is None, so that a grid search reaches them.
    kernel : {"ntk", "nngp"}
        All layers trained, or the last one only.
    ridge : float, sequence of floats, or "loo"
        The ridge :math:`\rho`, in units of the kernel. Of several, and for ``"loo"`` of 41 from
        1e-8 to 100 times the kernel's mean diagonal, the one with the least squared leave-one-out
        error. Repeated points defeat that choice: one of them predicts the other.
    f0 : callable, optional
        The function at the start, from inputs to ``(n, k)``; zero if omitted. For a finite
        network, ``lambda x: net.apply(params, x)``.
    spread : {"posterior", "ensemble"}
        What ``predict(X, return_std=True)`` returns. ``"posterior"``: the Gaussian process with
        this kernel and noise of variance :math:`\rho`, see :func:`ntk.gp_posterior`.
        ``"ensemble"``: networks over their initialisations, see :func:`ntk.ensemble`.

    Attributes
    ----------
    ridge_ : float
        The ridge that was used.
    ridges_, loo_errors_ : ndarray
        Ridges that were tried, and their mean squared leave-one-out errors, if there were several.
    X_fit_ : ndarray
        Training inputs without those of weight zero.
    dual_coef_ : ndarray, shape (n, k)
        What the kernel is multiplied with.
    network_ : Layer
        The description that was used.
    n_features_in_ : int
        The length of the second axis of the inputs.

    Notes
    -----
    Inputs in float32 are computed in float32, all others in float64, whatever JAX is set to; the
    linear system is always solved in float64. Fitting takes :math:`O(n^3)` time, and
    :math:`O(n^2)` memory. Scale the inputs first, for example with
    ``sklearn.preprocessing.StandardScaler``.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        By ``fit``, if a parameter is out of range or inputs do not fit the network.

    Warns
    -----
    SingularGramWarning
        If the system is singular without a ridge, and a part of the targets is not learnt.

    Examples
    --------
    >>> import numpy as np
    >>> from ntk import NTKRegressor
    >>> x = np.linspace(-1.0, 1.0, 20)[:, None]
    >>> model = NTKRegressor(depth=1, activation="erf", ridge="loo").fit(x, np.sin(3 * x[:, 0]))
    >>> model.predict(np.array([[0.5]])).round(2)
    array([1.])
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
        ridge: Any = 1e-3,
        f0: Any = None,
        spread: Any = "posterior",
    ) -> None:
        self.network = network
        self.depth = depth
        self.activation = activation
        self.sigma_w = sigma_w
        self.sigma_b = sigma_b
        self.kernel = kernel
        self.ridge = ridge
        self.f0 = f0
        self.spread = spread

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "NTKRegressor":
        """Fit to targets.

        Parameters
        ----------
        X : array-like, shape (n, d) or what the network takes
            Training inputs.
        y : array-like, shape (n,) or (n, k)
            Targets.
        sample_weight : array-like, shape (n,), optional
            Weight of each squared residual. A point of weight 2 counts like two such points, one
            of weight 0 is left out.

        Returns
        -------
        NTKRegressor
            Itself.
        """
        X, y = validate_data(
            self, X, y, dtype=DTYPES, allow_nd=True, multi_output=True, y_numeric=True
        )
        checks.choice("spread", self.spread, ("posterior", "ensemble"))
        X, y, sample_weight = weighted(X, y, sample_weight)
        self._choose_network()
        self._flat = y.ndim == 1
        self._fit_columns(X, _columns(y), sample_weight)
        return self

    def add_points(self, X: Any, y: Any, sample_weight: Any = None) -> "NTKRegressor":
        r"""Add training points: the same as a fit to all of them, at lower cost.

        The Cholesky factor grows by a block, in :math:`O(n^2 m)` instead of :math:`O(n^3)`
        operations for :math:`m` new points. The ridge stays as it is, also if it was chosen.

        Parameters
        ----------
        X, y, sample_weight
            As for :meth:`fit`.

        Returns
        -------
        NTKRegressor
            Itself.
        """
        check_is_fitted(self)
        X, y = validate_data(
            self,
            X,
            y,
            reset=False,
            dtype=self.X_fit_.dtype,
            allow_nd=True,
            multi_output=True,
            y_numeric=True,
        )
        X, y, sample_weight = weighted(X, y, sample_weight)
        targets = _columns(y)
        if targets.shape[1] != self._targets.shape[1] or (y.ndim == 1) != self._flat:
            expected = "(n,)" if self._flat else f"(n, {self._targets.shape[1]})"
            raise InvalidValueError(f"y must have shape {expected} as in fit, got {y.shape}")
        self._add_columns(X, targets, sample_weight)
        return self

    def predict(self, X: Any, return_std: bool = False, return_cov: bool = False) -> Any:
        """Predict targets, if asked with their uncertainty.

        Parameters
        ----------
        X : array-like, shape (m, d) or what the network takes
            Inputs.
        return_std, return_cov : bool
            Return the standard deviation ``(m,)`` or the covariance ``(m, m)`` too, one of them,
            of the noiseless function and the same for every output. See ``spread``.

        Returns
        -------
        ndarray, shape (m,) or (m, k), or a tuple of it and the deviation or covariance
        """
        X = self._test_inputs(X)
        cross = self._kernel(X, self.X_fit_)
        mean = self._evaluate(X, cross)
        if self._flat:
            mean = mean[:, 0]
        if return_std and return_cov:
            raise InvalidValueError("return_std and return_cov: at most one of them may be True")
        if return_cov:
            return mean, self._covariance(X, cross).astype(mean.dtype)
        if return_std:
            variance = np.maximum(self._covariance(X, cross, diagonal=True), 0.0)
            return mean, np.sqrt(variance).astype(mean.dtype)
        return mean

    def leave_one_out(self, return_std: bool = False) -> Any:
        r"""Predict each training point from the fit to all the others, in closed form.

        .. math:: \mu_{-i}(x_i) = y_i - \frac{\alpha_i}{(A^{-1})_{ii}}, \qquad
                  \sigma_{-i}^2(x_i) = \frac{1}{(A^{-1})_{ii}}, \qquad A = K + \rho S^{-1}

        with :math:`\alpha = A^{-1}(y - f_0)` (Rasmussen and Williams 2006, equation 5.12). The
        ridge is that of the whole fit.

        Parameters
        ----------
        return_std : bool
            Return the standard deviations :math:`\sigma_{-i}`, noise included, of the Gaussian
            process too.

        Returns
        -------
        ndarray, shape (n,) or (n, k), or a tuple of it and the deviations ``(n,)``
            In the order of ``X_fit_``.
        """
        mean, deviation = self._left_out()
        mean = mean[:, 0] if self._flat else mean
        return (mean, deviation) if return_std else mean

    def _covariance(self, X: np.ndarray, cross: np.ndarray, *, diagonal: bool = False) -> Any:
        prior, part = (variances if diagonal else gram), self.kernel
        # What each training residual adds to a prediction: K(x, X) (K + ridge)^-1.
        weights = self._system.solve(cross.T.astype(np.float64)).T

        def product(a: np.ndarray, b: np.ndarray) -> Any:
            return np.einsum("ij,ij->i", a, b) if diagonal else a @ b.T

        if self.spread == "posterior":
            return prior(self.network_, part, X) - product(weights, cross)
        if self.f0 is not None:
            raise InvalidValueError(
                "spread='ensemble' is that of networks over their starts, but f0 gives one start; "
                "leave out f0, or use spread='posterior'"
            )
        across = gram(self.network_, "nngp", X, self.X_fit_)
        start = weights @ gram(self.network_, "nngp", self.X_fit_)
        mixed = product(weights, across)
        if not diagonal:
            mixed = 0.5 * (mixed + mixed.T)
        return prior(self.network_, "nngp", X) - 2 * mixed + product(start, weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _columns(y: np.ndarray) -> np.ndarray:
    return y.reshape(len(y), -1).astype(np.float64)
