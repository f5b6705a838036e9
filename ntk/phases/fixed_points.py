"""Fixed points of a layer's maps, and how fast depth approaches them."""

from typing import Any, Literal, NamedTuple

import numpy as np

from ntk import checks
from ntk.checks import is_concrete
from ntk.errors import InvalidTypeError, InvalidValueError
from ntk.phases import fixed_correlations, fixed_lengths
from ntk.phases.mean_field import MeanField, lengths
from ntk.phases.moments import length_slope
from ntk.phases.search import in_double_precision

Phase = Literal["ordered", "critical", "chaotic"]

CRITICAL = 1e-10
r"""How close to 1 counts as critical, for :math:`\chi_1`."""


class FixedPoint(NamedTuple):
    r"""Where a deep network comes to rest, and at what depth.

    Attributes
    ----------
    length : float
        The variance :math:`q^*` of preactivations.
    correlation : float
        The correlation :math:`c^*` of two different inputs.
    chi_1 : float
        The slope of the correlation map at 1, :math:`\chi_1`.
    length_scale, correlation_scale : float
        The depths :math:`\xi_q = -1 / \log |V'(q^*)|` and :math:`\xi_c = -1 / \log \chi(c^*)` in
        layers, over which a difference to the fixed point falls by a factor e; infinite at
        criticality.
    phase : "ordered", "critical" or "chaotic"
        Whether :math:`\chi_1` is less than 1 (*freeze*), 1 to within 1e-10, or greater.
    """

    length: float
    correlation: float
    chi_1: float
    length_scale: float
    correlation_scale: float
    phase: Phase


@in_double_precision
def fixed_length(field: MeanField, *, start: float = 1.0) -> float:
    r"""Return the length :math:`q^* = V(q^*)` that is reached from a first one.

    Parameters
    ----------
    field : MeanField
        The layer.
    start : float, default 1.0
        The variance of the first layer's preactivations. It matters only where there are several
        fixed points.

    Returns
    -------
    float
        In double precision, whatever JAX is set to; 0.0 where lengths die out.

    Raises
    ------
    InvalidValueError
        If lengths grow without bound, or every length is a fixed point.
    InvalidTypeError
        If ``field`` is none, or its numbers are traced.

    Examples
    --------
    >>> import ntk
    >>> field = ntk.phases.MeanField("relu", sigma_w=1.0, sigma_b=1.0)
    >>> round(ntk.phases.fixed_length(field), 12)  # q = q / 2 + 1
    2.0
    """
    activation, sigma_w, sigma_b = _numbers(field)
    if not (np.isfinite(start) and start > 0):
        raise InvalidValueError(f"start is a variance and must be positive, got {start}")
    found, outcomes = fixed_lengths.settle(
        activation, np.array([sigma_w]), np.array([sigma_b]), float(start)
    )
    if outcomes[0] == fixed_lengths.ANY:
        raise InvalidValueError(
            f"every length is a fixed point of {field!r}: choose one, as in "
            "fixed_point(field, length=1.0)"
        )
    if outcomes[0] == fixed_lengths.GROWS:
        raise InvalidValueError(
            f"{field!r} has no fixed length above start={start:g}: lengths grow from layer to "
            "layer without bound; lower sigma_w, or start where the activation grows faster than "
            "linearly"
        )
    return float(found[0])


@in_double_precision
def fixed_correlation(
    field: MeanField, *, length: float | None = None, start: float = 1.0
) -> float:
    r"""Return the correlation :math:`c^* = C(c^*)` at which different inputs arrive.

    In the ordered phase it is 1; in the chaotic one the stable fixed point in :math:`[0, 1)`.

    Parameters
    ----------
    field : MeanField
        The layer.
    length : float, optional
        A fixed length; found if omitted. Needed where every length is one.
    start : float, default 1.0
        See :func:`fixed_length`.

    Returns
    -------
    float
        In double precision.

    Raises
    ------
    InvalidValueError
        If there is no fixed length or it is zero, ``length`` is none, or every correlation is a
        fixed point, as in a linear network without bias.

    Examples
    --------
    >>> import ntk
    >>> field = ntk.phases.MeanField("erf", sigma_w=3.0)
    >>> ntk.phases.fixed_correlation(field)  # odd, without bias: inputs become orthogonal
    0.0
    """
    activation, sigma_w, _ = _numbers(field)
    q = fixed_length(field, start=start) if length is None else _fixed(field, length)
    if q == 0:
        raise InvalidValueError(
            f"lengths die out in {field!r}: at the fixed length 0 correlations are not defined; "
            "raise sigma_w or sigma_b"
        )
    c = float(fixed_correlations.settle(activation, np.array([sigma_w]), np.array([q]))[0])
    if np.isnan(c):
        raise InvalidValueError(
            f"every correlation is a fixed point of {field!r}, since the layer is linear"
        )
    return c


@in_double_precision
def fixed_point(field: MeanField, *, length: float | None = None, start: float = 1.0) -> FixedPoint:
    r"""Return fixed length and correlation, the phase and the depth scales.

    .. math:: \xi_q^{-1} = -\log |V'(q^*)|, \qquad
              \xi_c^{-1} = -\log \chi(c^*)

    (Schoenholz et al. 2017, section 3): signals can be told apart, and networks be trained, to
    depths of some :math:`\xi_c`.

    Parameters
    ----------
    field : MeanField
        The layer.
    length : float, optional
        A fixed length; found if omitted. Needed where every length is one.
    start : float, default 1.0
        See :func:`fixed_length`.

    Returns
    -------
    FixedPoint
        Numbers in double precision.

    Raises
    ------
    InvalidValueError
        As :func:`fixed_correlation` does.

    Examples
    --------
    >>> import ntk
    >>> point = ntk.phases.fixed_point(ntk.phases.MeanField("tanh", sigma_w=1.0, sigma_b=0.05**0.5))
    >>> point.phase, round(point.correlation_scale, 4)
    ('ordered', 3.627)
    """
    activation, sigma_w, _ = _numbers(field)
    q = fixed_length(field, start=start) if length is None else _fixed(field, length)
    c = fixed_correlation(field, length=q)
    chi_1, at_rest = (
        float(fixed_correlations.chi(activation, q, value, sigma_w)) for value in (1.0, c)
    )
    slope = sigma_w**2 * float(length_slope(activation, q))
    return FixedPoint(
        length=q,
        correlation=c,
        chi_1=chi_1,
        length_scale=float(depth_scale(abs(slope))),
        correlation_scale=float(depth_scale(at_rest)),
        phase=phase(chi_1),
    )


def phase(chi_1: float) -> Phase:
    r"""Return the phase to a value of :math:`\chi_1`."""
    if abs(chi_1 - 1) <= CRITICAL:
        return "critical"
    return "ordered" if chi_1 < 1 else "chaotic"


def depth_scale(factor: Any) -> Any:
    """Return after how many layers a factor for each of them makes 1/e; infinite at 1."""
    factor = np.asarray(factor, float)
    with np.errstate(divide="ignore"):
        scale = -1.0 / np.log(factor)
    return np.where(np.abs(factor - 1) <= CRITICAL, np.inf, np.where(factor == 0, 0.0, scale))


def _numbers(field: Any) -> tuple[Any, float, float]:
    if not isinstance(field, MeanField):
        raise InvalidTypeError(
            "field must be a layer such as ntk.phases.MeanField('tanh', sigma_w=1.5), got "
            f"{field!r}"
        )
    if not (is_concrete(field.sigma_w) and is_concrete(field.sigma_b)):
        raise InvalidTypeError(
            "fixed points are searched for with plain numbers: sigma_w and sigma_b are traced; "
            "call this outside jit, grad and vmap"
        )
    return field.activation, float(field.sigma_w), float(field.sigma_b)


def _fixed(field: MeanField, length: float) -> float:
    q = float(lengths("length", checks.number("length", length)))
    after = float(field.length_map(q))
    if abs(after - q) > 1e-6 * q:
        raise InvalidValueError(
            f"length={q:g} is not a fixed point of {field!r}: it becomes {after:.6g} in one layer; "
            "leave length out to have one found"
        )
    return q
