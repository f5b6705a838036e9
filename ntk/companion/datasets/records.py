"""What the loaders return: small frozen records of numpy arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntk.errors import ShapeError

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]

ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {"relu": lambda z: np.maximum(z, 0.0), "tanh": np.tanh}
)


@dataclass(frozen=True, eq=False)
class Split:
    """A data set with a training and a test part.

    Attributes
    ----------
    name : str
        The name of the data set.
    x_train, x_test : numpy.ndarray
        Inputs `(n, *input_shape)`.
    y_train, y_test : numpy.ndarray
        Class numbers `(n,)`, int64, counted from 0 in the order of `class_names`.
    class_names : tuple of str
        What the class numbers stand for.
    """

    name: str
    x_train: Floats
    y_train: Labels
    x_test: Floats
    y_test: Labels
    class_names: tuple[str, ...]

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    def __repr__(self) -> str:
        return (
            f"Split({self.name}: {len(self.x_train)} train, {len(self.x_test)} test, "
            f"inputs {self.x_train.shape[1:]} {self.x_train.dtype}, {self.classes} classes)"
        )


@dataclass(frozen=True, eq=False)
class Table:
    """A data set of one part, for the user to split or to cross-validate.

    Attributes
    ----------
    name : str
        The name of the data set.
    x : numpy.ndarray
        Inputs `(n, d)`.
    y : numpy.ndarray
        Class numbers `(n,)`, int64, counted from 0.
    classes : int
        The number of classes.
    copy : str
        Where this copy of the data came from.
    """

    name: str
    x: Floats
    y: Labels
    classes: int
    copy: str

    def __repr__(self) -> str:
        return (
            f"Table({self.name}: {len(self.x)} rows, "
            f"inputs {self.x.shape[1:]} {self.x.dtype}, {self.classes} classes)"
        )


@dataclass(frozen=True, eq=False)
class Teacher:
    r"""A fixed random network with one hidden layer that labels inputs.

    .. math::
        f(x) = \sqrt{\frac{c_\sigma}{m}}\, A\, \sigma\!\left(\frac{W x}{\sqrt d}\right),
        \qquad c_\sigma = \frac{1}{\mathbb E_{z \sim \mathcal N(0, 1)}[\sigma(z)^2]},

    with standard normal :math:`W` and :math:`A`: over the draw of the teacher an output at an
    input of norm :math:`\sqrt d` has mean zero and variance one.

    Attributes
    ----------
    hidden : numpy.ndarray
        The weights `W`, `(m, d)`.
    readout : numpy.ndarray
        The weights `A`, `(k, m)`.
    activation : str
        `"relu"` or `"tanh"`.
    scale : float
        The factor in front of `A`.
    """

    hidden: Floats
    readout: Floats
    activation: str
    scale: float

    def __call__(self, x: ArrayLike) -> Floats:
        """Return the teacher's clean outputs.

        Parameters
        ----------
        x : array_like
            Inputs `(n, d)`.

        Returns
        -------
        numpy.ndarray
            Outputs `(n, k)`, in the dtype of a floating `x`.

        Raises
        ------
        ShapeError
            If `x` is not `(n, d)` with the teacher's own `d`.
        """
        points = np.asarray(x)
        d = self.hidden.shape[1]
        if points.ndim != 2 or points.shape[1] != d:
            raise ShapeError(
                f"x: got shape {points.shape}, expected (n, {d}), the inputs of this teacher."
            )
        pre = points.astype(np.float64) @ self.hidden.T / np.sqrt(d)
        outputs = self.scale * ACTIVATIONS[self.activation](pre) @ self.readout.T
        floating = np.issubdtype(points.dtype, np.floating)
        return outputs.astype(points.dtype) if floating else outputs

    def __repr__(self) -> str:
        m, d = self.hidden.shape
        return f"Teacher({d} -> {m} {self.activation} -> {self.readout.shape[0]})"


@dataclass(frozen=True, eq=False)
class TeacherStudent:
    r"""Inputs on a sphere, a teacher's answers, and the same answers with noise.

    Attributes
    ----------
    x : numpy.ndarray
        Inputs `(n, d)` of norm :math:`\sqrt d`.
    clean : numpy.ndarray
        The teacher's outputs `(n, k)`.
    noisy : numpy.ndarray
        `clean` plus Gaussian noise, `(n, k)`; equal to `clean` if the noise level is 0.
    teacher : Teacher
        The teacher itself: call it on new inputs for test targets.
    """

    x: Floats
    clean: Floats
    noisy: Floats
    teacher: Teacher

    def __repr__(self) -> str:
        return f"TeacherStudent({len(self.x)} rows, {self.teacher!r}, {self.x.dtype})"
