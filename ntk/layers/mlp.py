"""The multi-layer perceptron, the network of most theorems."""

from collections.abc import Sequence
from typing import Any

from ntk import checks
from ntk.errors import ShapeError
from ntk.layers.activations import activation as named_activation
from ntk.layers.activations.elementwise import Elementwise
from ntk.layers.base import Layer
from ntk.layers.dense import Dense
from ntk.layers.serial import Serial
from ntk.layers.weights import Parametrization


def mlp(
    depth: int,
    width: int = 512,
    activation: str | Elementwise = "relu",
    *,
    sigma_w: Any = 1.0,
    sigma_b: Any = None,
    outputs: int = 1,
    parametrization: Parametrization = "ntk",
) -> Serial:
    r"""Describe a fully-connected network with ``depth`` hidden layers of equal width.

    .. math:: f(x) = D_{L+1}(\sigma(D_L(\cdots \sigma(D_1(x)))))

    with dense layers :math:`D_h`, as in Arora et al. 2019, section 3.

    Parameters
    ----------
    depth : int
        Number :math:`L` of hidden layers, at least 1; the network has ``depth + 1`` dense layers.
    width : int, default 512
        Width of each hidden layer. The limit does not depend on it.
    activation : str or Elementwise, default "relu"
        A name or an activation of one's own.
    sigma_w : float or sequence of ``depth + 1`` floats
        Scale of the weights of each dense layer, the readout included.
    sigma_b : float, None, or sequence of ``depth + 1`` of these
        Scale of the biases; ``None`` means no bias.
    outputs : int, default 1
        Number of outputs.
    parametrization : {"ntk", "standard", "mup"}
        See :class:`ntk.Dense`.

    Returns
    -------
    Serial
        The description: both the finite network and its limit.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        If a number is out of range, the activation unknown, or a sequence of the wrong length.

    Examples
    --------
    >>> import ntk
    >>> ntk.mlp(1, 64, "erf", sigma_w=1.5)
    Serial(Dense(64, sigma_w=1.5), Erf(), Dense(1, sigma_w=1.5))
    """
    depth = checks.positive_integer("depth", depth)
    nonlinearity = named_activation(activation)
    widths = [checks.positive_integer("width", width)] * depth
    widths.append(checks.positive_integer("outputs", outputs))
    layers: list[Layer] = []
    for n, w, b in zip(
        widths,
        _per_layer("sigma_w", sigma_w, depth + 1),
        _per_layer("sigma_b", sigma_b, depth + 1),
        strict=True,
    ):
        layers += [Dense(n, sigma_w=w, sigma_b=b, parametrization=parametrization), nonlinearity]
    return Serial(*layers[:-1])


def _per_layer(name: str, value: Any, count: int) -> Sequence[Any]:
    is_sequence = isinstance(value, Sequence) or getattr(value, "ndim", 0) == 1
    if not is_sequence or isinstance(value, str):
        return [value] * count
    if len(value) != count:
        raise ShapeError(
            f"{name} must be one number or {count} of them, one for each of the depth + 1 dense "
            f"layers with the readout last; got {len(value)}"
        )
    return list(value)
