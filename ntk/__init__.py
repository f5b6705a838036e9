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
    ConvTranspose,
    Dense,
    Dropout,
    Erf,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    LeakyRelu,
    ParallelSum,
    Recurrent,
    Relu,
    Residual,
    SelfAttention,
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
    "ConvTranspose",
    "Dense",
    "Dropout",
    "Erf",
    "Flatten",
    "GlobalAvgPool",
    "GradientFlow",
    "Kernel",
    "LayerNorm",
    "LeakyRelu",
    "NTKError",
    "NTKWarning",
    "ParallelSum",
    "Prediction",
    "Recurrent",
    "Relu",
    "Residual",
    "SelfAttention",
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
