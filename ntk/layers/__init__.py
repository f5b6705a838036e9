"""Descriptions: layers that are both a finite network and its infinite-width limit."""

from ntk.layers.activations import ACTIVATIONS, Erf, activation
from ntk.layers.attention import SelfAttention
from ntk.layers.base import Layer, Params, description, static
from ntk.layers.conv import Conv
from ntk.layers.conv_transpose import ConvTranspose
from ntk.layers.dense import Dense
from ntk.layers.dropout import Dropout
from ntk.layers.elementwise import Elementwise, Expectations, Geometric
from ntk.layers.kinked import ABRelu, Abs, LeakyRelu, Relu, Sign
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
    "AvgPool",
    "Conv",
    "ConvTranspose",
    "Dense",
    "Dropout",
    "Elementwise",
    "Erf",
    "Expectations",
    "Flatten",
    "Geometric",
    "GlobalAvgPool",
    "Layer",
    "LayerNorm",
    "LeakyRelu",
    "Pair",
    "ParallelSum",
    "Params",
    "Recurrent",
    "Relu",
    "Residual",
    "SelfAttention",
    "Serial",
    "Sign",
    "SumPool",
    "activation",
    "description",
    "mlp",
    "static",
]
