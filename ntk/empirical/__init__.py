"""Empirical kernels of any model ``f(params, x)``."""

from ntk.empirical.api import empirical_ntk

__all__ = ["empirical_ntk"]
