"""Descriptions: layers that are both a finite network and its infinite-width limit."""

from ntk.layers.activations import (
    ACTIVATIONS,
    ABRelu,
    Abs,
    Activation,
    Cos,
    Elementwise,
    Elu,
    Erf,
    Exp,
    Expectations,
    ExpNormalized,
    Gabor,
    Gaussian,
    Gelu,
    Geometric,
    Hermite,
    Identity,
    LeakyRelu,
    Monomial,
    Polynomial,
    Rbf,
    RectifiedMonomial,
    Relu,
    Sigmoid,
    SigmoidLike,
    Sign,
    Silu,
    Sin,
    Softplus,
    Tanh,
    activation,
)
from ntk.layers.attention import SelfAttention
from ntk.layers.base import Layer, Params, description, static
from ntk.layers.batch_norm import BatchNorm
from ntk.layers.conv import Conv
from ntk.layers.conv_transpose import ConvTranspose
from ntk.layers.dense import Dense
from ntk.layers.dropout import Dropout
from ntk.layers.mlp import mlp
from ntk.layers.norm import LayerNorm
from ntk.layers.pair import Pair
from ntk.layers.pools import AvgPool, Flatten, GlobalAvgPool, SumPool
from ntk.layers.recurrent import Recurrent
from ntk.layers.serial import Serial
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
