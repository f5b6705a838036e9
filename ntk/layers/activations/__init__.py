"""Activations: the functions of the layers, and what they make of a Gaussian pair."""

from ntk.layers.activations.elementwise import Elementwise, Expectations, Geometric
from ntk.layers.activations.elu import Elu
from ntk.layers.activations.exponentials import Exp, ExpNormalized, Gabor, Gaussian
from ntk.layers.activations.gates import Gelu, Silu, Softplus
from ntk.layers.activations.kinked import ABRelu, Abs, LeakyRelu, Relu, Sign
from ntk.layers.activations.names import ACTIVATIONS, activation
from ntk.layers.activations.periodic import Cos, Rbf, Sin
from ntk.layers.activations.polynomials import Hermite, Identity, Monomial, Polynomial
from ntk.layers.activations.quadrature import Activation
from ntk.layers.activations.rectified import RectifiedMonomial
from ntk.layers.activations.sigmoids import Erf, Sigmoid, SigmoidLike, Tanh

__all__ = [
    "ACTIVATIONS",
    "ABRelu",
    "Abs",
    "Activation",
    "Cos",
    "Elementwise",
    "Elu",
    "Erf",
    "Exp",
    "ExpNormalized",
    "Expectations",
    "Gabor",
    "Gaussian",
    "Gelu",
    "Geometric",
    "Hermite",
    "Identity",
    "LeakyRelu",
    "Monomial",
    "Polynomial",
    "Rbf",
    "RectifiedMonomial",
    "Relu",
    "Sigmoid",
    "SigmoidLike",
    "Sign",
    "Silu",
    "Sin",
    "Softplus",
    "Tanh",
    "activation",
]
