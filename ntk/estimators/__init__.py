"""Kernel regression and classification as scikit-learn has them; needs the extra ``estimators``."""

from ntk.errors import MissingExtraError

try:
    import sklearn  # noqa: F401  (if it is missing, say so before a submodule fails)
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "NTKRegressor and NTKClassifier need scikit-learn, which is not installed; "
        "it comes with pip install 'ntk-companion[estimators]'"
    ) from error

from ntk.estimators.classifier import NTKClassifier
from ntk.estimators.regressor import NTKRegressor

__all__ = ["NTKClassifier", "NTKRegressor"]
