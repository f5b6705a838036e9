"""Regression targets from a random teacher network."""

from typing import Literal, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from ntk.companion.datasets.arguments import (
    Real,
    Seed,
    float_dtype,
    generator,
    known_name,
    positive_int,
)
from ntk.companion.datasets.records import ACTIVATIONS, Teacher, TeacherStudent
from ntk.companion.datasets.spheres import sphere
from ntk.errors import InvalidValueError


def teacher_student(
    n: SupportsIndex,
    d: SupportsIndex,
    *,
    seed: Seed,
    width: SupportsIndex = 64,
    outputs: SupportsIndex = 1,
    activation: Literal["relu", "tanh"] = "relu",
    noise: Real = 0.0,
    dtype: DTypeLike = np.float32,
) -> TeacherStudent:
    r"""Draw inputs on a sphere and let a fixed random network label them.

    The targets are :math:`y = f(x) + s\,\varepsilon` with the teacher :math:`f` of
    :class:`Teacher`, the noise level :math:`s` and standard normal :math:`\varepsilon`.
    Teacher, inputs and noise come from three independent streams of the one seed: with another
    `n` or `noise` the teacher stays the same, and a larger sample begins with the smaller one.

    Parameters
    ----------
    n : int
        How many inputs.
    d : int
        Their dimension; they lie on the sphere of radius :math:`\sqrt d`.
    seed : int or numpy.random.Generator
        The source of randomness.
    width : int
        Hidden units of the teacher.
    outputs : int
        Outputs of the teacher.
    activation : "relu" or "tanh"
        The teacher's nonlinearity.
    noise : float
        The standard deviation :math:`s` of the noise; an output has variance one over teachers.
    dtype : dtype
        A floating type; all is drawn and computed in float64.

    Returns
    -------
    TeacherStudent
        Inputs, clean and noisy targets, and the teacher, which labels test inputs as well.

    Raises
    ------
    InvalidValueError
        If a count is below 1, or the noise level is negative or not finite.
    UnknownNameError
        If the activation is not one of the two.

    Examples
    --------
    >>> from ntk.companion import datasets
    >>> data = datasets.teacher_student(100, 5, seed=0, noise=0.1)
    >>> data
    TeacherStudent(100 rows, Teacher(5 -> 64 relu -> 1), float32)
    >>> x_test = datasets.sphere(20, 5, seed=1)
    >>> data.teacher(x_test).shape
    (20, 1)
    """
    result = float_dtype(dtype)
    rows, features = positive_int("n", n), positive_int("d", d)
    hidden, k = positive_int("width", width), positive_int("outputs", outputs)
    known_name("activation", activation, ACTIVATIONS)
    if not (np.isfinite(noise) and noise >= 0):
        raise InvalidValueError(f"noise: got {noise!r}, expected a finite number of 0 or more.")
    for_teacher, for_inputs, for_noise = generator(seed).spawn(3)
    teacher = Teacher(
        hidden=for_teacher.standard_normal((hidden, features)),
        readout=for_teacher.standard_normal((k, hidden)),
        activation=activation,
        scale=float(np.sqrt(1.0 / (_mean_square(activation) * hidden))),
    )
    x = sphere(rows, features, seed=for_inputs, dtype=np.float64)
    clean = teacher(x)
    noisy = clean + noise * for_noise.standard_normal(clean.shape)
    return TeacherStudent(x.astype(result), clean.astype(result), noisy.astype(result), teacher)


def _mean_square(activation: str) -> float:
    """Return the mean of the squared activation under a standard normal argument."""
    if activation == "relu":
        return 0.5  # exact; quadrature converges slowly at the kink
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    return float(weights @ ACTIVATIONS[activation](nodes) ** 2 / np.sqrt(2 * np.pi))
