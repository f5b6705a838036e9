"""Empirical kernels of any model ``f(params, x)``."""

from ntk.empirical.api import empirical_ntk
from ntk.empirical.explain import Explanation, explain_empirical
from ntk.empirical.nngp import Estimate, empirical_nngp, monte_carlo
from ntk.empirical.operator import NTKOperator
from ntk.empirical.parts import empirical_ntk_parts
from ntk.empirical.stream import stream_empirical_ntk

__all__ = [
    "Estimate",
    "Explanation",
    "NTKOperator",
    "empirical_nngp",
    "empirical_ntk",
    "empirical_ntk_parts",
    "explain_empirical",
    "monte_carlo",
    "stream_empirical_ntk",
]
