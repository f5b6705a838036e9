"""Descriptions: layers that are both a finite network and its infinite-width limit."""

from ntk.layers.activations import ACTIVATIONS, Erf, activation
from ntk.layers.base import Layer, Params, description, static
from ntk.layers.dense import Dense
from ntk.layers.elementwise import Elementwise, Expectations, Geometric
from ntk.layers.kinked import ABRelu, Abs, LeakyRelu, Relu, Sign
from ntk.layers.mlp import mlp
from ntk.layers.pair import Pair
from ntk.layers.serial import Serial

__all__ = [
    "ACTIVATIONS",
    "ABRelu",
    "Abs",
    "Dense",
    "Elementwise",
    "Erf",
    "Expectations",
    "Geometric",
    "Layer",
    "LeakyRelu",
    "Pair",
    "Params",
    "Relu",
    "Serial",
    "Sign",
    "activation",
    "description",
    "mlp",
    "static",
]
