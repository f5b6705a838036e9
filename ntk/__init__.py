"""The neural tangent kernel in JAX: limits, finite networks, training dynamics."""

from ntk import conventions, errors
from ntk.analytic import kernel
from ntk.empirical import empirical_ntk
from ntk.errors import NTKError, NTKWarning
from ntk.flow import GradientFlow
from ntk.layers import (
    ABRelu,
    Abs,
    Activation,
    Cos,
    Dense,
    Elu,
    Erf,
    Exp,
    ExpNormalized,
    Gabor,
    Gaussian,
    Gelu,
    Hermite,
    Identity,
    LeakyRelu,
    Monomial,
    Polynomial,
    Rbf,
    RectifiedMonomial,
    Relu,
    Serial,
    Sigmoid,
    SigmoidLike,
    Sign,
    Silu,
    Sin,
    Softplus,
    Tanh,
    mlp,
)
from ntk.state import Kernel, State
from ntk.taylor import linearize

__version__ = "0.1.0"

__all__ = [
    "ABRelu",
    "Abs",
    "Activation",
    "Cos",
    "Dense",
    "Elu",
    "Erf",
    "Exp",
    "ExpNormalized",
    "Gabor",
    "Gaussian",
    "Gelu",
    "GradientFlow",
    "Hermite",
    "Identity",
    "Kernel",
    "LeakyRelu",
    "Monomial",
    "NTKError",
    "NTKWarning",
    "Polynomial",
    "Rbf",
    "RectifiedMonomial",
    "Relu",
    "Serial",
    "Sigmoid",
    "SigmoidLike",
    "Sign",
    "Silu",
    "Sin",
    "Softplus",
    "State",
    "Tanh",
    "conventions",
    "empirical_ntk",
    "errors",
    "kernel",
    "linearize",
    "mlp",
]
