"""The neural tangent kernel in JAX: limits, finite networks, training dynamics."""

from ntk import conventions, errors
from ntk.analytic import kernel
from ntk.empirical import empirical_ntk
from ntk.errors import NTKError, NTKWarning
from ntk.flow import GradientFlow
from ntk.layers import (
    ABRelu,
    Abs,
    AvgPool,
    Conv,
    Dense,
    Erf,
    Flatten,
    GlobalAvgPool,
    LeakyRelu,
    ParallelSum,
    Relu,
    Residual,
    Serial,
    Sign,
    SumPool,
    mlp,
)
from ntk.predictions import Prediction, ensemble, gp_posterior
from ntk.state import Kernel, State
from ntk.taylor import linearize

__version__ = "0.1.0"

__all__ = [
    "ABRelu",
    "Abs",
    "AvgPool",
    "Conv",
    "Dense",
    "Erf",
    "Flatten",
    "GlobalAvgPool",
    "GradientFlow",
    "Kernel",
    "LeakyRelu",
    "NTKError",
    "NTKWarning",
    "ParallelSum",
    "Prediction",
    "Relu",
    "Residual",
    "Serial",
    "Sign",
    "State",
    "SumPool",
    "conventions",
    "empirical_ntk",
    "ensemble",
    "errors",
    "gp_posterior",
    "kernel",
    "linearize",
    "mlp",
]
