r"""The linear system of kernel ridge regression: solved, extended, and with one point left out.

All solve :math:`(K + \rho S^{-1})\, \alpha = y` for weights :math:`S` of the points, by way of
:math:`B = S^{1/2} K S^{1/2} + \rho`, in float64 whatever the dtype of the kernel.
"""

import abc
import sys
import warnings
from typing import Any

import numpy as np
import scipy.linalg
from jaxtyping import Float

from ntk.checks import levels_outside
from ntk.errors import SingularGramWarning

Matrix = Float[np.ndarray, "n n"]
Vector = Float[np.ndarray, " n"]
Columns = Float[np.ndarray, "n k"]

EPSILON = float(np.finfo(np.float64).eps)


class System(abc.ABC):
    """A factored system."""

    roots: Vector
    ridge: float
    noise: float

    @abc.abstractmethod
    def matrix(self) -> Matrix:
        """Return :math:`B` without the ridge."""

    @abc.abstractmethod
    def solve(self, y: Columns) -> Columns:
        r"""Return :math:`\alpha`."""

    @abc.abstractmethod
    def left_out(self, y: Columns) -> tuple[Columns, Vector]:
        """Return, for each point, residual and variance under the fit without it."""


class Cholesky(System):
    """A positive definite system."""

    def __init__(self, lower: Matrix, roots: Vector, ridge: float, noise: float) -> None:
        self.lower, self.roots, self.ridge, self.noise = lower, roots, ridge, noise

    def matrix(self) -> Matrix:
        """Multiply the factors."""
        found: Matrix = self.lower @ self.lower.T - self.ridge * np.eye(len(self.lower))
        return found

    def solve(self, y: Columns) -> Columns:
        """Substitute forwards and backwards."""
        roots = self.roots[:, None]
        found: Columns = roots * scipy.linalg.cho_solve((self.lower, True), roots * y)
        return found

    def left_out(self, y: Columns) -> tuple[Columns, Vector]:
        r"""Rasmussen and Williams 2006, equation 5.12.

        .. math:: y_i - \mu_{-i}(x_i) = \alpha_i / (A^{-1})_{ii}, \qquad
                  \sigma_{-i}^2(x_i) = 1 / (A^{-1})_{ii}, \qquad A = K + \rho S^{-1}
        """
        inverse = scipy.linalg.solve_triangular(self.lower, np.diag(self.roots), lower=True)
        diagonal = np.sum(inverse**2, axis=0)
        return self.solve(y) / diagonal[:, None], 1.0 / diagonal


class Spectral(System):
    """A system by its eigenvectors: for many ridges, or singular to working precision.

    What lies in the null space is not learnt: the inverse is the pseudo-inverse there.
    """

    def __init__(self, matrix: Matrix, roots: Vector, ridge: float, noise: float) -> None:
        self.roots, self.noise = roots, noise
        self.values, self.vectors = scipy.linalg.eigh(matrix)
        self.set_ridge(ridge)

    def set_ridge(self, ridge: float) -> None:
        """Choose another ridge for the same kernel."""
        self.ridge = ridge
        stiffness = np.maximum(self.values, 0.0) + ridge
        self.null = stiffness <= _cutoff(len(self.values), self.noise) * self.values[-1]
        self.inverse = np.where(self.null, 0.0, 1.0 / np.where(self.null, 1.0, stiffness))

    def matrix(self) -> Matrix:
        """Put the eigenvectors together again."""
        found: Matrix = (self.vectors * self.values) @ self.vectors.T
        return found

    def solve(self, y: Columns) -> Columns:
        """Divide in the basis of eigenvectors."""
        roots = self.roots[:, None]
        along = self.inverse[:, None] * (self.vectors.T @ (roots * y))
        found: Columns = roots * (self.vectors @ along)
        return found

    def left_out(self, y: Columns) -> tuple[Columns, Vector]:
        """Take the formula of the definite case for a ridge that tends to 0.

        A point with a part in the null space is reproduced by the others alone: the parts of the
        projector take the place of those of the inverse, and the variance vanishes.
        """
        inside = self.vectors[:, self.null]
        share = np.sum(inside**2, axis=1)
        repeated = share > EPSILON**0.5
        along = inside @ (inside.T @ (self.roots[:, None] * y)) / self.roots[:, None]
        diagonal = self.roots**2 * (self.vectors**2 @ self.inverse)
        safe = np.where(repeated, 1.0, diagonal)
        residual = np.where(
            repeated[:, None],
            along / np.where(repeated, share, 1.0)[:, None],
            self.solve(y) / safe[:, None],
        )
        return residual, np.where(repeated, 0.0, 1.0 / safe)


def factored(gram: Any, roots: Vector, ridge: float, noise: float) -> System:
    """Factor a system; ``noise`` is the relative precision of its kernel."""
    matrix = roots[:, None] * np.asarray(gram, np.float64) * roots
    return _factored(matrix, roots, ridge, noise)


def extended(
    system: System, cross: Float[np.ndarray, "m n"], corner: Any, roots: Float[np.ndarray, " m"]
) -> System:
    r"""Add points by a block update of the Cholesky factor.

    .. math:: \begin{pmatrix} L & 0 \\ C L^{-\mathsf T} & L' \end{pmatrix}, \qquad
              L' L'^{\mathsf T} = D - C (L L^{\mathsf T})^{-1} C^{\mathsf T}

    for :math:`m` new points costs :math:`O(n^2 m)` where a new factorisation costs
    :math:`O(n^3)`. A singular system is factored anew.
    """
    n, m = len(system.roots), len(roots)
    cross = roots[:, None] * np.asarray(cross, np.float64) * system.roots
    corner = roots[:, None] * np.asarray(corner, np.float64) * roots
    every = np.concatenate([system.roots, roots])
    if isinstance(system, Cholesky):
        side = scipy.linalg.solve_triangular(system.lower, cross.T, lower=True).T
        try:
            last = np.linalg.cholesky(corner + system.ridge * np.eye(m) - side @ side.T)
        except np.linalg.LinAlgError:
            pass
        else:
            lower = np.block([[system.lower, np.zeros((n, m))], [side, last]])
            if _is_safe(lower, system.noise):
                return Cholesky(lower, every, system.ridge, system.noise)
    matrix = np.block([[system.matrix(), cross.T], [cross, corner]])
    return _factored(matrix, every, system.ridge, system.noise)


def best_ridge(
    gram: Any,
    roots: Vector,
    y: Columns,
    candidates: Float[np.ndarray, " r"],
    noise: float,
) -> tuple[float, Float[np.ndarray, " r"]]:
    """Return the ridge with the least weighted square of left-out residuals, and all of these."""
    matrix = roots[:, None] * np.asarray(gram, np.float64) * roots
    system, errors = Spectral(matrix, roots, 0.0, noise), []
    for ridge in candidates:
        system.set_ridge(float(ridge))
        residual, _ = system.left_out(y)
        errors.append(np.average(np.mean(residual**2, axis=1), weights=roots**2))
    return float(candidates[int(np.argmin(errors))]), np.asarray(errors)


def warn_unlearnt(system: System, y: Columns) -> None:
    """Warn if the null space of a singular system has a part of the targets."""
    if not isinstance(system, Spectral) or not system.null.any():
        return
    targets = system.roots[:, None] * y
    lost = np.linalg.norm(system.vectors[:, system.null].T @ targets)
    if lost > EPSILON**0.5 * np.linalg.norm(targets):
        warnings.warn(
            f"the kernel of {len(y)} points with the ridge {system.ridge:g} is singular to working "
            f"precision, and {int(system.null.sum())} direction(s) of the targets are not learnt. "
            "Raise the ridge, merge repeated points, or pass float64 data",
            SingularGramWarning,
            stacklevel=levels_outside(sys._getframe()),
        )


def _factored(matrix: Matrix, roots: Vector, ridge: float, noise: float) -> System:
    try:
        lower = np.linalg.cholesky(matrix + ridge * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        pass
    else:
        if _is_safe(lower, noise):
            return Cholesky(lower, roots, ridge, noise)
    return Spectral(matrix, roots, ridge, noise)


def _cutoff(n: int, noise: float) -> float:
    """Return the eigenvalue, relative to the greatest, that is taken for rounding.

    That of the decomposition grows with the size of the matrix. That of the kernel's entries is
    of either sign, and does not add up.
    """
    return max(n * EPSILON, noise)


def _is_safe(lower: Matrix, noise: float) -> bool:
    """Whether a factor is that of a definite matrix: a singular one may leave a tiny pivot."""
    # The trace stands in for the norm, which would cost a product: at worst we look closer.
    reciprocal, _ = scipy.linalg.lapack.dpocon(lower, np.sum(lower**2), uplo="L")
    return bool(reciprocal > 100 * _cutoff(len(lower), noise))
