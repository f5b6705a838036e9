"""Descriptions: layers that are both a finite network and its infinite-width limit."""

from ntk.layers.activations import ACTIVATIONS, Erf, Relu, activation
from ntk.layers.base import Layer, Params, description, static
from ntk.layers.dense import Dense
from ntk.layers.elementwise import Elementwise
from ntk.layers.mlp import mlp
from ntk.layers.serial import Serial

__all__ = [
    "ACTIVATIONS",
    "Dense",
    "Elementwise",
    "Erf",
    "Layer",
    "Params",
    "Relu",
    "Serial",
    "activation",
    "description",
    "mlp",
    "static",
]
