"""The neural tangent kernel in JAX: limits, finite networks, training dynamics."""

import importlib
from typing import TYPE_CHECKING, Any

from ntk import conventions, errors, function_space, phases, spectra
from ntk.analytic import kernel
from ntk.dynamics import (
    DirectionFlow,
    Eigensystem,
    FunctionFlow,
    GradientDescent,
    GradientFlow,
    Modes,
    Prediction,
    Uncertainty,
    calibration,
    ensemble,
    gp_posterior,
    max_learning_rate,
    ntkgp_correction,
    predictive_entropy,
    predictive_variance,
)
from ntk.empirical import (
    Estimate,
    Explanation,
    NTKOperator,
    empirical_nngp,
    empirical_ntk,
    empirical_ntk_parts,
    explain_empirical,
    monte_carlo,
    stream_empirical_ntk,
)
from ntk.errors import NTKError, NTKWarning
from ntk.layers import (
    ABRelu,
    Abs,
    Activation,
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Cos,
    Dense,
    Dropout,
    Elu,
    Erf,
    Exp,
    ExpNormalized,
    Flatten,
    Gabor,
    Gaussian,
    Gelu,
    GlobalAvgPool,
    Hermite,
    Identity,
    LayerNorm,
    LeakyRelu,
    Monomial,
    ParallelSum,
    Polynomial,
    Rbf,
    RectifiedMonomial,
    Recurrent,
    Relu,
    Residual,
    SelfAttention,
    Serial,
    Sigmoid,
    SigmoidLike,
    Sign,
    Silu,
    Sin,
    Softplus,
    SumPool,
    Tanh,
    mlp,
)
from ntk.state import Kernel, State
from ntk.taylor import linearize, taylor_expand
from ntk.training import Movement, TrainingRecord, train

if TYPE_CHECKING:
    from ntk.estimators import NTKClassifier as NTKClassifier
    from ntk.estimators import NTKRegressor as NTKRegressor

__version__ = "0.1.0"

__all__ = [
    "ABRelu",
    "Abs",
    "Activation",
    "AvgPool",
    "BatchNorm",
    "Conv",
    "ConvTranspose",
    "Cos",
    "Dense",
    "DirectionFlow",
    "Dropout",
    "Eigensystem",
    "Elu",
    "Erf",
    "Estimate",
    "Exp",
    "ExpNormalized",
    "Explanation",
    "Flatten",
    "FunctionFlow",
    "Gabor",
    "Gaussian",
    "Gelu",
    "GlobalAvgPool",
    "GradientDescent",
    "GradientFlow",
    "Hermite",
    "Identity",
    "Kernel",
    "LayerNorm",
    "LeakyRelu",
    "Modes",
    "Monomial",
    "Movement",
    "NTKError",
    "NTKOperator",
    "NTKWarning",
    "ParallelSum",
    "Polynomial",
    "Prediction",
    "Rbf",
    "RectifiedMonomial",
    "Recurrent",
    "Relu",
    "Residual",
    "SelfAttention",
    "Serial",
    "Sigmoid",
    "SigmoidLike",
    "Sign",
    "Silu",
    "Sin",
    "Softplus",
    "State",
    "SumPool",
    "Tanh",
    "TrainingRecord",
    "Uncertainty",
    "calibration",
    "conventions",
    "empirical_nngp",
    "empirical_ntk",
    "empirical_ntk_parts",
    "ensemble",
    "errors",
    "explain_empirical",
    "function_space",
    "gp_posterior",
    "kernel",
    "linearize",
    "max_learning_rate",
    "mlp",
    "monte_carlo",
    "ntkgp_correction",
    "phases",
    "predictive_entropy",
    "predictive_variance",
    "spectra",
    "stream_empirical_ntk",
    "taylor_expand",
    "train",
]

# What needs an extra is loaded when it is asked for, so that this import stays light.
_LAZY = {"NTKClassifier": "ntk.estimators", "NTKRegressor": "ntk.estimators"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
