"""A phase diagram: fixed points over a grid of scales."""

from typing import Any, NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Num

from ntk.errors import InvalidValueError, ShapeError
from ntk.layers.activations import activation as named_activation
from ntk.layers.activations.elementwise import Elementwise
from ntk.phases import fixed_correlations, fixed_lengths
from ntk.phases.fixed_points import depth_scale
from ntk.phases.moments import length_slope
from ntk.phases.search import in_double_precision


class Diagram(NamedTuple):
    r"""Fixed points over a grid; NumPy arrays in double precision.

    Attributes
    ----------
    sigma_w2 : array, shape (m,)
        Variances of the weights, the columns.
    sigma_b2 : array, shape (k,)
        Variances of the biases, the rows.
    length : array, shape (k, m)
        The fixed length :math:`q^*`; NaN where there is none or any length is one.
    correlation : array, shape (k, m)
        The fixed correlation :math:`c^*`; NaN where it is not defined.
    chi_1 : array, shape (k, m)
        Less than 1 in the ordered phase, greater than 1 in the chaotic one.
    length_scale, correlation_scale : array, shape (k, m)
        The depth scales :math:`\xi_q` and :math:`\xi_c` in layers.
    """

    sigma_w2: Any
    sigma_b2: Any
    length: Any
    correlation: Any
    chi_1: Any
    length_scale: Any
    correlation_scale: Any


@in_double_precision
def diagram(
    activation: str | Elementwise,
    sigma_w2: Num[ArrayLike, " m"],
    sigma_b2: Num[ArrayLike, " k"],
    *,
    start: float = 1.0,
) -> Diagram:
    r"""Return the phase diagram of an activation, all grid points at once.

    What :func:`ntk.phases.fixed_point` says of one layer, for each pair of variances: the picture
    of Poole et al. 2016 and Schoenholz et al. 2017.

    Parameters
    ----------
    activation : str or Elementwise
        The nonlinearity.
    sigma_w2 : ArrayLike, shape (m,)
        Variances :math:`\sigma_w^2` of the weights (squares of ``sigma_w``).
    sigma_b2 : ArrayLike, shape (k,)
        Variances :math:`\sigma_b^2` of the biases.
    start : float, default 1.0
        The length from which the fixed one is looked for.

    Returns
    -------
    Diagram
        Arrays of shape ``(k, m)``; NaN where a number does not exist, never an error.

    Raises
    ------
    ShapeError, InvalidValueError
        If the variances are no vectors, negative or not finite, or the activation is unknown.

    Examples
    --------
    >>> import numpy as np, ntk
    >>> grid = ntk.phases.diagram("tanh", np.array([1.0, 1.5, 2.5]), np.array([0.05]))
    >>> (grid.chi_1 > 1).tolist()
    [[False, False, True]]
    """
    sigma = named_activation(activation)
    columns, rows = _variances("sigma_w2", sigma_w2), _variances("sigma_b2", sigma_b2)
    if not (np.isfinite(start) and start > 0):
        raise InvalidValueError(f"start is a variance and must be positive, got {start}")
    shape = (len(rows), len(columns))
    w, b = (np.sqrt(part).ravel() for part in np.meshgrid(columns, rows))
    lengths, _ = fixed_lengths.settle(sigma, w, b, float(start))
    known, positive = np.isfinite(lengths), lengths > 0
    correlations, chi_1, xi_q, xi_c = (np.full(lengths.shape, np.nan) for _ in range(4))
    chi_1[known] = fixed_correlations.chi(sigma, lengths[known], 1.0, w[known])
    q, scale = lengths[positive], w[positive]
    xi_q[positive] = depth_scale(scale**2 * np.abs(length_slope(sigma, q)))
    at_rest = fixed_correlations.settle(sigma, scale, q)
    correlations[positive] = at_rest
    slope = fixed_correlations.chi(sigma, q, np.nan_to_num(at_rest), scale)
    xi_c[positive] = np.where(np.isfinite(at_rest), depth_scale(slope), np.nan)
    grids = (part.reshape(shape) for part in (lengths, correlations, chi_1, xi_q, xi_c))
    return Diagram(columns, rows, *grids)


def _variances(name: str, value: Any) -> Any:
    array = np.asarray(value, float)
    if array.ndim != 1 or array.size == 0:
        raise ShapeError(f"{name} must be a vector (n,), got shape {array.shape}")
    if not (np.isfinite(array) & (array >= 0)).all():
        raise InvalidValueError(f"{name} holds variances, finite and at least 0; got {array}")
    return array
