r"""Where the scale of weights stands: in front of them, in their variance, or as muP has it.

A layer with :math:`n_\text{in}` inputs and :math:`n_\text{out}` outputs is
:math:`y = a\, w x + a_b\, b` with :math:`w \sim \mathcal N(0, s^2)` and
:math:`b \sim \mathcal N(0, s_b^2)`:

- ntk: :math:`a = \sigma_w n_\text{in}^{-1/2}`, :math:`a_b = \sigma_b`, :math:`s = s_b = 1`;
- standard: :math:`a = a_b = 1`, :math:`s = \sigma_w n_\text{in}^{-1/2}`, :math:`s_b = \sigma_b`;
- mup: :math:`a = (n_\text{out} / n_\text{in})^{1/2}`, :math:`a_b = n_\text{out}^{1/2}`,
  :math:`s = \sigma_w \max(n_\text{in}, n_\text{out})^{-1/2}`,
  :math:`s_b = \sigma_b n_\text{out}^{-1/2}`.

For input, hidden and output weights muP is the abc-parametrisation with
:math:`a = (-\tfrac12, 0, \tfrac12)`, :math:`b = \tfrac12` and :math:`c = 0` of Yang and Hu 2021,
"Tensor Programs IV", Table 1: gradient descent with one learning rate that does not depend on the
width moves each representation by an amount that does not either.
"""

import math
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PRNGKeyArray

from ntk.errors import InvalidValueError
from ntk.layers.base import Params

Parametrization = Literal["ntk", "standard", "mup"]
PARAMETRIZATIONS = ("ntk", "standard", "mup")


def draw(
    key: PRNGKeyArray,
    shape: tuple[int, ...],
    sigma_w: Any,
    sigma_b: Any,
    parametrization: Parametrization,
    dtype: Any,
) -> Params:
    """Draw ``{"weight": shape}``, and ``"bias": shape[-1:]`` where there is one.

    Parameters
    ----------
    key : PRNGKeyArray
        A JAX random key.
    shape : tuple of int
        Of the weights, ``(*window, n_in, n_out)``.
    sigma_w, sigma_b : float
        Standard deviations; no bias if ``sigma_b`` is ``None``.
    parametrization : {"ntk", "standard", "mup"}
        See above.
    dtype : dtype or None
        Of the parameters.
    """
    weight_key, bias_key = jax.random.split(key)
    dtype = jnp.result_type(float) if dtype is None else dtype
    params = {"weight": jax.random.normal(weight_key, shape, dtype)}
    if sigma_b is not None:
        params["bias"] = jax.random.normal(bias_key, shape[-1:], dtype)
    if parametrization != "ntk":
        weight, bias = deviations(shape, sigma_w, sigma_b, parametrization)
        params["weight"] *= weight
        if sigma_b is not None:
            params["bias"] *= bias
    return params


def deviations(
    shape: tuple[int, ...], sigma_w: Any, sigma_b: Any, parametrization: Parametrization
) -> tuple[Any, Any]:
    r"""Return the standard deviations :math:`s` of weights and :math:`s_b` of biases.

    Parameters
    ----------
    shape : tuple of int
        Of the weights, ``(*window, n_in, n_out)``.
    sigma_w, sigma_b : float
        Scales of the layer; ``sigma_b=None`` counts as 1, for there is nothing to scale.
    parametrization : {"ntk", "standard", "mup"}
        See above.
    """
    n_in, n_out = math.prod(shape[:-1]), math.prod((*shape[:-2], shape[-1]))
    scale_b = 1.0 if sigma_b is None else sigma_b
    if parametrization == "standard":
        return sigma_w / math.sqrt(n_in), scale_b
    if parametrization == "mup":
        return sigma_w / math.sqrt(max(n_in, n_out)), scale_b / math.sqrt(shape[-1])
    return 1.0, 1.0


def scaled(
    product: Array, params: Params, sigma_w: Any, sigma_b: Any, parametrization: Parametrization
) -> Array:
    """Return the layer's result from the product of bare weights and input."""
    shape = params["weight"].shape
    y = product
    if parametrization == "ntk":
        y = y * (sigma_w / math.sqrt(math.prod(shape[:-1])))
    elif parametrization == "mup":
        y = y * math.sqrt(shape[-1] / shape[-2])
    if sigma_b is None:
        return y
    front = {"ntk": sigma_b, "standard": 1.0, "mup": math.sqrt(shape[-1])}[parametrization]
    shifted: Array = y + front * params["bias"]
    return shifted


def require_limit(parametrization: Parametrization) -> Literal["ntk", "standard"]:
    """Return the parametrisation; raise for muP, which has no kernel limit."""
    if parametrization == "mup":
        raise InvalidValueError(
            "parametrization='mup' has no kernel limit: its features move at infinite width and "
            "its function at initialisation vanishes (Yang and Hu 2021); use 'ntk' or 'standard' "
            "for a kernel, or ntk.empirical_ntk for this finite network"
        )
    return parametrization
