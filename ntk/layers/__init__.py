"""Descriptions: layers that are both a finite network and its infinite-width limit."""

from ntk.layers.activations import ACTIVATIONS, activation
from ntk.layers.attention import SelfAttention
from ntk.layers.base import Layer, Params, description, static
from ntk.layers.batch_norm import BatchNorm
from ntk.layers.conv import Conv
from ntk.layers.conv_transpose import ConvTranspose
from ntk.layers.dense import Dense
from ntk.layers.dropout import Dropout
from ntk.layers.elementwise import Elementwise, Expectations, Geometric
from ntk.layers.elu import Elu
from ntk.layers.exponentials import Exp, ExpNormalized, Gabor, Gaussian
from ntk.layers.gates import Gelu, Silu, Softplus
from ntk.layers.kinked import ABRelu, Abs, LeakyRelu, Relu, Sign
from ntk.layers.mlp import mlp
from ntk.layers.norm import LayerNorm
from ntk.layers.pair import Pair
from ntk.layers.periodic import Cos, Rbf, Sin
from ntk.layers.polynomials import Hermite, Identity, Monomial, Polynomial
from ntk.layers.pools import AvgPool, Flatten, GlobalAvgPool, SumPool
from ntk.layers.quadrature import Activation
from ntk.layers.rectified import RectifiedMonomial
from ntk.layers.recurrent import Recurrent
from ntk.layers.serial import Serial
from ntk.layers.sigmoids import Erf, Sigmoid, SigmoidLike, Tanh
from ntk.layers.sums import ParallelSum, Residual

__all__ = [
    "ACTIVATIONS",
    "ABRelu",
    "Abs",
    "Activation",
    "AvgPool",
    "BatchNorm",
    "Conv",
    "ConvTranspose",
    "Cos",
    "Dense",
    "Dropout",
    "Elementwise",
    "Elu",
    "Erf",
    "Exp",
    "ExpNormalized",
    "Expectations",
    "Flatten",
    "Gabor",
    "Gaussian",
    "Gelu",
    "Geometric",
    "GlobalAvgPool",
    "Hermite",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyRelu",
    "Monomial",
    "Pair",
    "ParallelSum",
    "Params",
    "Polynomial",
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
    "SumPool",
    "Tanh",
    "activation",
    "description",
    "mlp",
    "static",
]
