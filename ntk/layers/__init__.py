"""Descriptions: layers that are both a finite network and its infinite-width limit."""

from ntk.layers.activations import ACTIVATIONS, activation
from ntk.layers.base import Layer, Params, description, static
from ntk.layers.dense import Dense
from ntk.layers.elementwise import Elementwise, Expectations, Geometric
from ntk.layers.elu import Elu
from ntk.layers.exponentials import Exp, ExpNormalized, Gabor, Gaussian
from ntk.layers.gates import Gelu, Silu, Softplus
from ntk.layers.kinked import ABRelu, Abs, LeakyRelu, Relu, Sign
from ntk.layers.mlp import mlp
from ntk.layers.pair import Pair
from ntk.layers.periodic import Cos, Rbf, Sin
from ntk.layers.polynomials import Hermite, Identity, Monomial, Polynomial
from ntk.layers.quadrature import Activation
from ntk.layers.rectified import RectifiedMonomial
from ntk.layers.serial import Serial
from ntk.layers.sigmoids import Erf, Sigmoid, SigmoidLike, Tanh

__all__ = [
    "ACTIVATIONS",
    "ABRelu",
    "Abs",
    "Activation",
    "Cos",
    "Dense",
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
    "Layer",
    "LeakyRelu",
    "Monomial",
    "Pair",
    "Params",
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
    "Tanh",
    "activation",
    "description",
    "mlp",
    "static",
]
