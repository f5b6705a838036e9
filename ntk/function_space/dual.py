"""Linear forms on functions that see the data only, and the map that makes functions of them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError
from ntk.function_space.kernels import act, multidimensional
from ntk.function_space.measure import function, inner_product
from ntk.pytrees import register

Cost = Callable[[Array], Any]
"""A functional cost: from the values ``(n, k)`` of a function on the data to a number."""


@register
@dataclasses.dataclass(frozen=True, eq=False, init=False)
class DualElement:
    r"""A linear form on functions, represented by a function.

    .. math:: \mu = \langle d, \cdot \rangle_{p^{in}} \in \mathcal F^*

    (Jacot et al. 2018, section 3). Two :math:`d` that agree on the data are the same form, so the
    values there are all that is kept. A form is called on a function: ``mu(f)`` is the dual
    pairing :math:`\langle d, f \rangle_{p^{in}}`.

    Parameters
    ----------
    d : ArrayLike, shape (n, k)
        Values of the representing function on the data.
    weights : ArrayLike, shape (n,), optional
        Weights of the points, as for :func:`inner_product`; 1 / n each if omitted.

    Raises
    ------
    ShapeError, InvalidValueError
        As for :func:`inner_product`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import DualElement
    >>> mean = DualElement(jnp.ones((3, 1)))
    >>> float(mean(jnp.asarray([[1.0], [2.0], [6.0]])))
    3.0
    """

    d: Float[Array, "n k"]
    weights: Float[Array, " n"]

    def __init__(
        self, d: Num[ArrayLike, "n k"], weights: Num[ArrayLike, " n"] | None = None
    ) -> None:
        values, w = function("d", d, weights)
        object.__setattr__(self, "d", values)
        object.__setattr__(self, "weights", w)

    def __call__(self, f: Num[ArrayLike, "n k"]) -> Float[Array, ""]:
        """Return the dual pairing with a function, given by its values on the data."""
        return inner_product(self.d, f, self.weights)


def derivative(
    cost: Cost, f: Num[ArrayLike, "n k"], weights: Num[ArrayLike, " n"] | None = None
) -> DualElement:
    r"""Return the functional derivative of a cost, as a dual element.

    .. math:: \partial^{in}_f C |_f = \langle d|_f, \cdot \rangle_{p^{in}}, \qquad
              w_i\, d|_f(x_i) = \frac{\partial C}{\partial f(x_i)}

    (Jacot et al. 2018, section 3). For the cost
    :math:`\tfrac12 \| f - f^* \|^2_{p^{in}}` it is :math:`d = f - f^*`.

    Parameters
    ----------
    cost : callable
        From values ``(n, k)`` to a number, written with ``jax.numpy``.
    f : ArrayLike, shape (n, k)
        Where to differentiate.
    weights : ArrayLike, shape (n,), optional
        Weights of the points, as for :func:`inner_product`. They change :math:`d`, not the form.

    Returns
    -------
    DualElement
        The derivative.

    Raises
    ------
    InvalidTypeError, ShapeError
        If ``cost`` is not a function, or its result not one real number.
    InvalidValueError
        If the cost depends on a point of weight zero: its derivative is no dual element then.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import derivative
    >>> mu = derivative(lambda f: 0.5 * jnp.mean(f**2), jnp.asarray([[2.0], [4.0]]))
    >>> mu.d.tolist()
    [[2.0], [4.0]]
    """
    values, w = function("f", f, weights)
    slope = cost_gradient(cost, values)
    zero = (w == 0)[:, None]
    if checks.is_concrete(slope) and checks.is_concrete(w):
        ignored = np.asarray(zero & (slope != 0)).any(axis=1)
        if ignored.any():
            raise InvalidValueError(
                f"cost depends on f at point {int(np.flatnonzero(ignored)[0])}, whose weight is "
                "0; a cost may depend on points of the measure only. Give it a weight"
            )
    return DualElement(jnp.where(zero, 0.0, slope / jnp.where(zero, 1.0, w[:, None])), w)


def dual_map(
    K: Num[ArrayLike, "m n"] | Num[ArrayLike, "m n k k"], mu: DualElement
) -> Float[Array, "m k"]:
    r"""Turn a linear form into a function, by partial application of the kernel.

    .. math:: \Phi_K(\mu)_a(x) = \mu\, K_{a, \cdot}(x, \cdot)
              = \sum_j w_j \sum_b K_{ab}(x, x_j)\, d_b(x_j)

    (Jacot et al. 2018, section 3). The result is defined wherever the kernel is, off the data
    too: the rows of ``K`` may be any points.

    Parameters
    ----------
    K : ArrayLike, shape (m, n) or (m, n, k, k)
        Kernel of any points against the data.
    mu : DualElement
        The form, on ``n`` points and ``k`` outputs.

    Returns
    -------
    Array, shape (m, k)
        Values of the function at the points of the rows.

    Raises
    ------
    InvalidTypeError, ShapeError
        If ``mu`` is no dual element, or shapes do not match.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from ntk.function_space import DualElement, dual_map
    >>> mean = DualElement(jnp.ones((2, 1)))
    >>> dual_map(jnp.asarray([[1.0, 3.0]]), mean).tolist()
    [[2.0]]
    """
    if not isinstance(mu, DualElement):
        raise InvalidTypeError(
            f"mu must be a DualElement, got {type(mu).__name__}; make one with DualElement(d) or "
            "derivative(cost, f)"
        )
    n, k = mu.d.shape
    return act(multidimensional("K", K, None, n, k), mu.weights[:, None] * mu.d)


def cost_gradient(cost: Cost, values: Float[Array, "n k"]) -> Float[Array, "n k"]:
    """Differentiate a cost in the values of the function, point by point."""
    if not callable(cost):
        raise InvalidTypeError(
            f"cost must be a function of the values (n, k), got {type(cost).__name__}"
        )
    result = jax.eval_shape(cost, values)
    if getattr(result, "shape", None) != () or not jnp.issubdtype(result.dtype, jnp.floating):
        raise ShapeError(
            f"cost must return one real number, got {result}; take a sum or a mean over the points"
        )
    slope: Array = jax.grad(cost)(values)
    return slope
