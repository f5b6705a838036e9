"""Gradient flow in function space with a constant kernel, in closed form."""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Num

from ntk import checks
from ntk.errors import InvalidValueError, ShapeError

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
"""Relative asymmetry, and relative negative eigenvalue, that is taken for rounding."""


@jax.tree_util.register_pytree_node_class
class GradientFlow:
    r"""Training of a model with a constant tangent kernel under squared loss.

    For the loss :math:`\tfrac12 \sum_i \| f(x_i) - y_i \|^2` gradient flow at the rate
    :math:`\eta` gives (Jacot et al. 2018, section 5; Lee et al. 2019, section 2)

    .. math:: f_t(X) &= f_0(X) + K M_t (y - f_0(X)), \\
              f_t(x) &= f_0(x) + K(x, X) M_t (y - f_0(X)), \\
              M_t &= (K + \rho)^{-1} \bigl(1 - e^{-\eta (K + \rho) t}\bigr),

    where :math:`\rho` is the ridge: the weight of :math:`\tfrac\rho2\|\theta - \theta_0\|^2`
    beside the sum. At :math:`t = \infty` this is kernel (ridge) regression on the residual. One
    eigendecomposition serves all times. Directions in the null space of ``K`` are never learnt:
    the inverse is the pseudo-inverse there.

    Parameters
    ----------
    K : ArrayLike, shape (n, n)
        Gram matrix of the training inputs: symmetric, positive semi-definite.
    y : ArrayLike, shape (n, k)
        Targets.
    learning_rate : float, default 1.0
        The rate :math:`\eta`, in units of 1 / (kernel * time).
    loss_scale : {"sum", "mean"}
        ``"mean"`` divides the loss, and with it the kernel and the ridge, by ``y.size``: time
        runs slower by that factor, and nothing else changes.
    ridge : float, default 0.0
        The ridge :math:`\rho`, in units of the kernel.

    Raises
    ------
    ShapeError
        If ``K`` is not square, or ``y`` has another length.
    InvalidValueError
        If something is not finite, ``K`` is asymmetric or indefinite beyond rounding (1e-10 in
        float64, 1e-5 in float32, relative), or a number is out of range.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> flow = ntk.GradientFlow(2.0 * jnp.eye(3), jnp.ones((3, 1)))
    >>> f_t = flow.train(jnp.asarray([0.0, 0.5, jnp.inf]), jnp.zeros((3, 1)))
    >>> f_t[:, 0, 0].round(3).tolist()
    [0.0, 0.6320000290870667, 1.0]
    """

    eigenvalues: Float[Array, " n"]
    eigenvectors: Float[Array, "n n"]
    y: Float[Array, "n k"]
    learning_rate: Any
    ridge: Any
    loss_scale: Literal["sum", "mean"]

    def __init__(
        self,
        K: Num[ArrayLike, "n n"],
        y: Num[ArrayLike, "n k"],
        *,
        learning_rate: float = 1.0,
        loss_scale: Literal["sum", "mean"] = "sum",
        ridge: float = 0.0,
    ) -> None:
        gram = checks.matrix("K", K, (None, None))
        n = gram.shape[0]
        if gram.shape[1] != n:
            raise ShapeError(
                f"K must be square, train x train; got shape {gram.shape}. "
                "The kernel of test against training points belongs to flow.test(...)"
            )
        targets = checks.matrix("y", y, (n, None))
        checks.choice("loss_scale", loss_scale, ("sum", "mean"))
        self.learning_rate = _not_negative("learning_rate", learning_rate, strictly=True)
        self.ridge = _not_negative("ridge", ridge)
        self.loss_scale = loss_scale
        dtype = jnp.promote_types(gram.dtype, targets.dtype)
        _check_symmetric(gram)
        self.y = targets.astype(dtype)
        self.eigenvalues, self.eigenvectors = jnp.linalg.eigh(gram.astype(dtype))
        _check_semidefinite(self.eigenvalues, gram.dtype)

    def train(
        self, t: Num[ArrayLike, "*times"], f0: Num[ArrayLike, "n k"]
    ) -> Float[Array, "*times n k"]:
        """Return the outputs on the training points.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0.
        f0 : ArrayLike, shape (n, k)
            Outputs at time 0.

        Returns
        -------
        Array, shape (n, k), or (len(t), n, k) for an array of times

        Raises
        ------
        InvalidValueError, ShapeError
            If a time is negative or NaN, or ``f0`` does not have the shape of the targets.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(jnp.eye(2), jnp.ones((2, 1)))
        >>> flow.train(jnp.inf, jnp.zeros((2, 1))).tolist()
        [[1.0], [1.0]]
        """
        times, start = self._start(t, f0)
        weights = self.eigenvalues * self._filter(times)
        residual = self.eigenvectors.T @ (self.y - start)
        return start + self.eigenvectors @ (weights[..., None] * residual)

    def test(
        self,
        t: Num[ArrayLike, "*times"],
        K_test_train: Num[ArrayLike, "m n"],
        f0_test: Num[ArrayLike, "m k"],
        f0: Num[ArrayLike, "n k"],
    ) -> Float[Array, "*times m k"]:
        """Return the outputs on further points.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0.
        K_test_train : ArrayLike, shape (m, n)
            Kernel of the further points against the training points.
        f0_test : ArrayLike, shape (m, k)
            Outputs on the further points at time 0.
        f0 : ArrayLike, shape (n, k)
            Outputs on the training points at time 0.

        Returns
        -------
        Array, shape (m, k), or (len(t), m, k) for an array of times

        Raises
        ------
        InvalidValueError, ShapeError
            If a time is negative or NaN, or shapes do not match.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(jnp.eye(2), jnp.ones((2, 1)))
        >>> zeros = jnp.zeros((2, 1))
        >>> flow.test(jnp.inf, jnp.asarray([[0.5, 0.0]]), zeros[:1], zeros).tolist()
        [[0.5]]
        """
        times, start = self._start(t, f0)
        n, k = self.y.shape
        cross = checks.matrix("K_test_train", K_test_train, (None, n))
        start_test = checks.matrix("f0_test", f0_test, (cross.shape[0], k))
        residual = self.eigenvectors.T @ (self.y - start)
        weighted = self._filter(times)[..., None] * residual
        return start_test + (cross @ self.eigenvectors) @ weighted

    def weights(
        self, t: Num[ArrayLike, "*times"], K_test_train: Num[ArrayLike, "m n"]
    ) -> Float[Array, "*times m n"]:
        r"""Return :math:`A_t = K(x, X) M_t`: what each training residual adds to a prediction.

        Parameters
        ----------
        t : float, inf, or array of these
            Times, at least 0.
        K_test_train : ArrayLike, shape (m, n)
            Kernel of the further points against the training points.

        Returns
        -------
        Array, shape (m, n), or (len(t), m, n) for an array of times

        Raises
        ------
        InvalidValueError, ShapeError
            If a time is negative or NaN, or shapes do not match.

        Examples
        --------
        >>> import jax.numpy as jnp, ntk
        >>> flow = ntk.GradientFlow(2.0 * jnp.eye(2), jnp.ones((2, 1)))
        >>> flow.weights(jnp.inf, jnp.asarray([[1.0, 0.0]])).tolist()
        [[0.5, 0.0]]
        """
        cross = checks.matrix("K_test_train", K_test_train, (None, self.y.shape[0]))
        along = cross.astype(self.y.dtype) @ self.eigenvectors
        return (along * self._filter(self._times(t))[..., None, :]) @ self.eigenvectors.T

    def _start(self, t: ArrayLike, f0: ArrayLike) -> tuple[Array, Array]:
        return self._times(t), checks.matrix("f0", f0, self.y.shape).astype(self.y.dtype)

    def _times(self, t: ArrayLike) -> Array:
        if checks.is_concrete(t):  # no warning for a float64 time beside float32 data
            t = np.asarray(t, self.y.dtype)
        times = checks.as_array("t", t).astype(self.y.dtype)
        if times.ndim > 1:
            raise ShapeError(f"t must be a number or a sequence of numbers, got {times.shape}")
        if checks.is_concrete(times) and not (np.asarray(times) >= 0).all():
            raise InvalidValueError(f"t must be at least 0 (inf is allowed), got {t}")
        return times

    def _filter(self, times: Array) -> Float[Array, "*times n"]:
        r"""Eigenvalues of :math:`M_t`, zero on the null space of the kernel."""
        scale = 1.0 / self.y.size if self.loss_scale == "mean" else 1.0
        noise = checks.rounding(self.eigenvalues.dtype) * self.eigenvalues.size
        null = self.eigenvalues <= noise * jnp.max(self.eigenvalues)
        stiffness = jnp.where(null, 1.0, self.eigenvalues + self.ridge)
        rate = self.learning_rate * scale * stiffness
        # 0 * inf is NaN, but no such product arises: every rate is positive.
        return jnp.where(null, 0.0, -jnp.expm1(-rate * times[..., None]) / stiffness)

    def tree_flatten(self) -> tuple[tuple[Any, ...], str]:
        """Split into arrays and structure, for JAX."""
        leaves = (self.eigenvalues, self.eigenvectors, self.y, self.learning_rate, self.ridge)
        return leaves, self.loss_scale

    @classmethod
    def tree_unflatten(cls, loss_scale: Any, leaves: tuple[Any, ...]) -> "GradientFlow":
        """Rebuild from arrays and structure, without decomposing again."""
        flow = object.__new__(cls)
        flow.eigenvalues, flow.eigenvectors, flow.y, flow.learning_rate, flow.ridge = leaves
        flow.loss_scale = loss_scale
        return flow


def _not_negative(name: str, value: Any, *, strictly: bool = False) -> Any:
    value = checks.as_float(value)
    if checks.is_concrete(value):
        number = float(value)
        if not (0 <= number < float("inf")) or (strictly and number == 0):
            bound = "positive" if strictly else "at least 0"
            raise InvalidValueError(f"{name} must be finite and {bound}, got {number}")
    return value


def _check_symmetric(gram: Array) -> None:
    if not checks.is_concrete(gram):
        return
    values = np.asarray(gram)
    gap, size = np.abs(values - values.T).max(), np.abs(values).max()
    if gap > TOLERANCE.get(str(gram.dtype), 1e-2) * size:
        raise InvalidValueError(
            f"K is not symmetric: K and K.T differ by {gap:.3g} where the largest entry is "
            f"{size:.3g}. Pass a train x train Gram matrix; symmetrise (K + K.T) / 2 if the "
            "difference is rounding"
        )


def _check_semidefinite(eigenvalues: Array, dtype: Any) -> None:
    if not checks.is_concrete(eigenvalues):
        return
    low, high = float(eigenvalues[0]), float(jnp.max(jnp.abs(eigenvalues)))
    if low < -TOLERANCE.get(str(dtype), 1e-2) * high:
        raise InvalidValueError(
            f"K is not positive semi-definite: its least eigenvalue is {low:.3g} where the "
            f"largest is {high:.3g}. A Gram matrix has no negative ones; check how K was made"
        )
