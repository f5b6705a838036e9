"""Training with a constant kernel: outputs at any time, ensembles, posteriors, calibration."""

from ntk.dynamics import calibration, losses
from ntk.dynamics.correction import ntkgp_correction
from ntk.dynamics.descent import GradientDescent
from ntk.dynamics.eigensystem import Eigensystem
from ntk.dynamics.flow import GradientFlow
from ntk.dynamics.function_flow import DirectionFlow, FunctionFlow
from ntk.dynamics.predictions import Prediction, ensemble, gp_posterior
from ntk.dynamics.progress import Modes
from ntk.dynamics.stability import max_learning_rate
from ntk.dynamics.uncertainty import Uncertainty, predictive_entropy, predictive_variance

__all__ = [
    "DirectionFlow",
    "Eigensystem",
    "FunctionFlow",
    "GradientDescent",
    "GradientFlow",
    "Modes",
    "Prediction",
    "Uncertainty",
    "calibration",
    "ensemble",
    "gp_posterior",
    "losses",
    "max_learning_rate",
    "ntkgp_correction",
    "predictive_entropy",
    "predictive_variance",
]
