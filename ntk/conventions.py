r"""How the papers' conventions map onto ``ntk.mlp``.

Each function returns keyword arguments for :func:`ntk.mlp`. The maps are exact: the same network
function, the same gradient, the same kernel.
"""

import math
from typing import Any

import jax.numpy as jnp

from ntk import checks
from ntk.errors import InvalidValueError
from ntk.layers.activations import activation as named_activation
from ntk.layers.activations.elementwise import Elementwise


def jacot(L: int, beta: float, activation: str | Elementwise = "relu") -> dict[str, Any]:
    r"""Convention of Jacot et al. 2018: ``L`` weight layers, bias scaled by ``beta``.

    .. math:: \tilde\alpha^{(\ell+1)} = \frac{1}{\sqrt{n_\ell}} W^{(\ell)} \alpha^{(\ell)}
              + \beta b^{(\ell)}

    (section 2), so that :math:`\sigma_w = 1`, :math:`\sigma_b = \beta` in each layer, and the
    network has :math:`L - 1` hidden layers.

    Parameters
    ----------
    L : int
        Number of weight layers, at least 2.
    beta : float
        Scale of the bias; 0 leaves no gradient with respect to it.
    activation : str or Elementwise, default "relu"
        The nonlinearity.

    Returns
    -------
    dict
        Keyword arguments for :func:`ntk.mlp`.

    Raises
    ------
    InvalidValueError
        If ``L`` is less than 2 or ``beta`` negative.

    Examples
    --------
    >>> import ntk
    >>> ntk.mlp(width=8, **ntk.conventions.jacot(L=2, beta=0.1))
    Serial(Dense(8, sigma_b=0.1), Relu(), Dense(1, sigma_b=0.1))
    """
    if checks.positive_integer("L", L) < 2:
        raise InvalidValueError("L counts weight layers and must be at least 2, got 1")
    return {
        "depth": L - 1,
        "activation": activation,
        "sigma_w": 1.0,
        "sigma_b": checks.scale("beta", beta),
    }


def arora(L: int, input_dimension: int, activation: str | Elementwise = "relu") -> dict[str, Any]:
    r"""Convention of Arora et al. 2019: ``L`` hidden layers, no bias, normalised by ``c_sigma``.

    .. math:: f^{(h)} = W^{(h)} g^{(h-1)}, \qquad
              g^{(h)} = \sqrt{c_\sigma / d_h}\, \sigma(f^{(h)}), \qquad g^{(0)} = x

    (section 2). The input is not divided by :math:`\sqrt d`, hence :math:`\sigma_w = \sqrt d` in
    the first layer and :math:`\sqrt{c_\sigma}` in all later ones.

    Parameters
    ----------
    L : int
        Number of hidden layers.
    input_dimension : int
        The number :math:`d` of features of an input.
    activation : str or Elementwise, default "relu"
        The nonlinearity.

    Returns
    -------
    dict
        Keyword arguments for :func:`ntk.mlp`.

    Raises
    ------
    InvalidValueError
        If a number is less than 1, or the activation unknown.

    Examples
    --------
    >>> import ntk
    >>> ntk.conventions.arora(L=1, input_dimension=4)["sigma_w"]
    (2.0, 1.4142135623730951)
    """
    L = checks.positive_integer("L", L)
    d = checks.positive_integer("input_dimension", input_dimension)
    later = math.sqrt(c_sigma(activation))
    return {
        "depth": L,
        "activation": activation,
        "sigma_w": (math.sqrt(d), *[later] * L),
        "sigma_b": None,
    }


def c_sigma(activation: str | Elementwise) -> float:
    r"""Constant that preserves the norm at unit variance.

    .. math:: c_\sigma = \bigl(\mathbb E_{z \sim \mathcal N(0, 1)} [\sigma(z)^2]\bigr)^{-1}

    (Arora et al. 2019, section 3).

    Parameters
    ----------
    activation : str or Elementwise
        The nonlinearity.

    Returns
    -------
    float
        The constant, in the precision that JAX is set to.

    Raises
    ------
    InvalidValueError
        If the activation is unknown.

    Examples
    --------
    >>> import ntk
    >>> ntk.conventions.c_sigma("relu")
    2.0
    """
    one = jnp.asarray(1.0)
    return 1.0 / float(named_activation(activation).dual(one, one, one))
