"""Spectra of kernels: on given points, on the sphere, and what they say of learning.

Functions of a Gram matrix are JAX functions in its precision. What is fitted, integrated or solved
for is plain NumPy in double precision, whatever JAX is set to.
"""

from ntk.spectra.alignment import cka, target_alignment
from ntk.spectra.gram import (
    Decomposition,
    condition_number,
    decompose,
    effective_dimension,
    eigenvalues,
)
from ntk.spectra.learning_curves import LearningCurve, learning_curve
from ntk.spectra.power_laws import PowerLaw, local_exponents, power_law
from ntk.spectra.zonal import ZonalSpectrum, multiplicity, zonal_spectrum

__all__ = [
    "Decomposition",
    "LearningCurve",
    "PowerLaw",
    "ZonalSpectrum",
    "cka",
    "condition_number",
    "decompose",
    "effective_dimension",
    "eigenvalues",
    "learning_curve",
    "local_exponents",
    "multiplicity",
    "power_law",
    "target_alignment",
    "zonal_spectrum",
]
