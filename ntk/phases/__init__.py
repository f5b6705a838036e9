r"""Mean-field theory of depth: where lengths and correlations come to rest, order and chaos.

A deep network at initialisation maps variances and correlations of preactivations from layer to
layer (:class:`MeanField`). Fixed points of these maps, and the slope :math:`\chi_1` there, decide
whether different inputs become equal (order, *freeze*) or forget each other (*chaos*).

Fixed points are plain numbers in double precision, whatever JAX is set to; the maps are JAX
functions in the precision of their arguments.
"""

from ntk.phases.critical import (
    CriticalPoint,
    characteristic_value,
    critical_beta,
    critical_line,
    critical_point,
)
from ntk.phases.diagrams import Diagram, diagram
from ntk.phases.fixed_points import FixedPoint, fixed_correlation, fixed_length, fixed_point
from ntk.phases.mean_field import MeanField
from ntk.phases.standardized import Standardized
from ntk.phases.trajectories import Trajectory, trajectory

__all__ = [
    "CriticalPoint",
    "Diagram",
    "FixedPoint",
    "MeanField",
    "Standardized",
    "Trajectory",
    "characteristic_value",
    "critical_beta",
    "critical_line",
    "critical_point",
    "diagram",
    "fixed_correlation",
    "fixed_length",
    "fixed_point",
    "trajectory",
]
