"""Many networks of one description trained alike: outputs, kernels and weights on the way."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from ntk import checks
from ntk.dynamics import GradientDescent
from ntk.empirical import empirical_ntk
from ntk.errors import InvalidTypeError
from ntk.layers import Dense, Serial
from ntk.layers.weights import deviations
from ntk.training import Movement, train


@dataclass(frozen=True, eq=False)
class Trajectories:
    r"""What :func:`train_networks` returns: the networks along axis 0, the records along axis 1.

    Attributes
    ----------
    y : Array, shape (N, k)
        The targets of the first ``N`` points.
    learning_rate : float
        The rate.
    steps : Array, shape (r,)
        The steps after which there is a record.
    outputs : Array, shape (networks, r, N + M, k)
        Outputs on the training points and then on the further ones.
    kernels : Array, shape (networks, r, N + M, N + M)
        Tangent kernels on all of them, averaged over outputs.
    weights : Movement
        Of each parameter array, from the start.
    """

    y: Float[Array, "N k"]
    learning_rate: float
    steps: Int[np.ndarray, " r"]
    outputs: Float[Array, "networks r all k"]
    kernels: Float[Array, "networks r all all"]
    weights: Movement

    @cached_property
    def drift(self) -> Float[np.ndarray, " networks"]:
        r"""How far each kernel on the training points has moved: :func:`largest_drift`."""
        n = len(self.y)
        return largest_drift(self.kernels[:, :, :n, :n])

    @cached_property
    def linearised(self) -> Float[Array, "networks r all k"]:
        r"""Outputs of each network's linearisation after the same steps, in closed form."""
        starts, kernels = (
            jnp.asarray(leaf[:, 0], self.y.dtype) for leaf in (self.outputs, self.kernels)
        )
        rate, steps = float(self.learning_rate), tuple(int(s) for s in self.steps)
        outputs: Array = _linear_descent(self.y, starts, kernels, rate=rate, steps=steps)
        return outputs

    @cached_property
    def gap(self) -> Float[np.ndarray, " networks"]:
        r"""Largest :math:`\|f_t - f^{\mathrm{lin}}_t\|` over the records, on all points."""
        away = np.asarray(self.outputs - self.linearised, np.float64)
        return np.asarray(np.linalg.norm(away, axis=(2, 3)).max(axis=1))


@partial(jax.jit, static_argnames=("rate", "steps"))
def _linear_descent(
    y: Array, starts: Array, kernels: Array, *, rate: float, steps: tuple[int, ...]
) -> Array:
    n, when = len(y), np.asarray(steps)

    def one(start: Array, kernel: Array) -> Array:
        descent = GradientDescent(kernel[:n, :n], y, learning_rate=rate)
        on_train = descent.train(when, start[:n])
        on_test = descent.test(when, kernel[n:, :n], start[n:], start[:n])
        return jnp.concatenate([on_train, on_test], axis=1)

    outputs: Array = jax.vmap(one)(starts, kernels)
    return outputs


def draw_starts(net: Serial, features: int, networks: int, *, seed: int) -> Any:
    """Draw the parameters of many multi-layer perceptrons, without compiling anything.

    They have the law of ``net.init``, whose random numbers JAX compiles anew for each width,
    which takes longer than the training of a small network.

    Parameters
    ----------
    net : Serial
        The description, of dense layers and activations.
    features : int
        Number of features of an input.
    networks : int
        How many.
    seed : int
        Seed of NumPy's generator. The same seed gives the same normal variables in each
        parametrisation, in single precision, so that they are the same in each precision too.

    Returns
    -------
    pytree of Array, leading axis networks
        The parameters.

    Examples
    --------
    >>> import ntk
    >>> starts = draw_starts(ntk.mlp(1, 16, "tanh"), 3, 5, seed=0)
    >>> starts[0]["weight"].shape, starts[2]["weight"].shape
    ((5, 3, 16), (5, 16, 1))
    """
    count = checks.positive_integer("networks", networks)
    shapes = jax.eval_shape(lambda key: net.init(key, (features,)), jax.random.key(0))
    rng = np.random.default_rng(seed)
    starts = []
    for layer, parameters in zip(net.layers, shapes, strict=True):
        drawn = parameters
        if isinstance(layer, Dense):
            shape = parameters["weight"].shape
            scale = deviations(shape, layer.sigma_w, layer.sigma_b, layer.parametrization)
            each = zip(("weight", "bias"), scale, strict=True)
            drawn = {
                name: jnp.asarray(s * _normal(rng, count, parameters[name].shape), jnp.float32)
                for name, s in each
                if name in parameters
            }
        elif jax.tree.leaves(parameters):
            raise InvalidTypeError(
                f"net must be made of dense layers and activations, got {layer!r}; draw it by "
                "jax.vmap(lambda key: net.init(key, in_shape))(keys)"
            )
        starts.append(drawn)
    return jax.tree.unflatten(jax.tree.structure(shapes), jax.tree.leaves(starts))


def _normal(rng: np.random.Generator, count: int, shape: tuple[int, ...]) -> Any:
    return rng.standard_normal((count, *shape), np.float32)


def largest_drift(kernels: Any) -> Float[np.ndarray, "*networks"]:
    r"""Return the largest relative distance of kernels to those at the start.

    .. math:: \max_t \|\hat\Theta_t - \hat\Theta_0\|_F / \|\hat\Theta_0\|_F

    Parameters
    ----------
    kernels : Array, shape (*networks, r, N, N)
        The kernels of each network on its way, the start first.

    Returns
    -------
    NDArray, shape (*networks)
        The drift of each.

    Examples
    --------
    >>> import numpy as np
    >>> largest_drift(np.eye(3) * np.asarray([1.0, 1.5, 0.9])[None, :, None, None]).tolist()
    [0.5]
    """
    path = np.asarray(kernels, np.float64)
    moved = np.linalg.norm(path - path[..., :1, :, :], axis=(-2, -1)).max(axis=-1)
    return np.asarray(moved / np.linalg.norm(path[..., 0, :, :], axis=(-2, -1)))


def train_networks(
    net: Serial,
    x: Float[Array, "N d"],
    y: Float[Array, "N k"],
    *,
    x_test: Float[Array, "M d"],
    learning_rate: float,
    steps: int,
    records: int,
    networks: int,
    seed: int = 0,
    at_once: int | None = None,
    dtype: Any = None,
) -> Trajectories:
    r"""Train networks of one description from independent starts, by full-batch descent.

    The loss is half the sum of squares. One program is compiled; it trains ``at_once`` networks
    side by side.

    Parameters
    ----------
    net : Serial
        The description.
    x, y : Array, shapes (N, d) and (N, k)
        Training inputs and targets.
    x_test : Array, shape (M, d)
        Further inputs to look at.
    learning_rate : float
        The rate.
    steps : int
        How many steps.
    records : int
        How many records after the one at the start, about evenly spaced.
    networks : int
        How many networks.
    seed : int, default 0
        Seed of their starts: :func:`draw_starts`.
    at_once : int, optional
        Networks side by side; all by default.
    dtype : dtype, optional
        Of parameters and inputs; that of ``x`` by default. Targets and linearisation keep theirs.

    Returns
    -------
    Trajectories
        The records.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        If a count is not a positive whole number; and as :func:`ntk.train` says.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> x, y = jnp.eye(3), jnp.ones((3, 1))
    >>> runs = train_networks(
    ...     ntk.mlp(1, 16, "tanh"), x, y, x_test=x[:1] / 2,
    ...     learning_rate=0.5, steps=6, records=2, networks=5,
    ... )
    >>> runs.steps.tolist(), runs.outputs.shape, runs.drift.shape
    ([0, 3, 6], (5, 3, 4, 1), (5,))
    """
    checks.positive_integer("records", records)
    kind = x.dtype if dtype is None else dtype
    points = jnp.concatenate([x, x_test]).astype(kind)
    at = np.unique(np.rint(np.linspace(0, steps, records + 1)).astype(int))

    def one(start: Any) -> tuple[Array, Any, Any]:
        run = train(
            net.apply,
            jax.tree.map(lambda leaf: leaf.astype(kind), start),
            points[: len(x)],
            y,
            learning_rate=jnp.asarray(learning_rate, kind),
            steps=steps,
            at=at,
            record="weights",
            measure=lambda p: (net.apply(p, points), empirical_ntk(net.apply, p, points)),
        )
        return *run.measured, run.weight_movement

    starts = draw_starts(net, x.shape[1], networks, seed=seed)
    program = jax.jit(partial(jax.lax.map, one, batch_size=at_once or networks))
    outputs, kernels, weights = program(starts)
    return Trajectories(y, learning_rate, at, outputs, kernels, weights)
