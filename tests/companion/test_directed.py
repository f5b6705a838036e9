"""Parameters that follow a direction: a linear model in closed form, and bad directions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.companion.descent import parameter_flow
from ntk.companion.directed import directed_flow
from ntk.errors import InvalidValueError, ShapeError

X = np.random.default_rng(0).standard_normal((4, 3))
Y = np.random.default_rng(1).standard_normal((4, 1))
TIMES = np.asarray([0.0, 0.5, 1.0])
HOW = {"time": 1.0, "steps": 40, "records": 2}


def linear(w, x):
    return jnp.asarray(x) @ w


def along(direction, **options):
    start = jnp.ones((3, 1))
    options = {**HOW, "observe": lambda w: linear(w, X), **options}
    return directed_flow(linear, start, X, direction, **options)


def test_an_external_direction_moves_a_linear_model_by_its_kernel_times_the_integral(x64):
    turning = along(lambda t, _: jnp.cos(t) * Y)
    expected = linear(np.ones((3, 1)), X) + np.sin(TIMES)[:, None, None] * (X @ X.T @ Y)
    np.testing.assert_allclose(turning, expected, atol=1e-7)


def test_a_linear_model_follows_the_flow_of_its_kernel_along_no_gradient(x64):
    twist = np.triu(np.ones((4, 4)))  # not symmetric: no potential has this field
    direction = lambda _, f: jnp.asarray(twist) @ (Y - f)  # noqa: E731
    flow = ntk.DirectionFlow(jnp.asarray(X @ X.T), direction)
    expected = flow.train(TIMES, linear(jnp.ones((3, 1)), X))
    np.testing.assert_allclose(along(direction), expected, atol=1e-6)


def test_towards_the_targets_it_is_gradient_flow(x64):
    net = ntk.mlp(1, 8, "tanh")
    params = net.init(jax.random.key(0), (3,))
    observe = lambda p: net.apply(p, X)  # noqa: E731
    seen = directed_flow(net.apply, params, X, lambda _, f: Y - f, observe=observe, **HOW)
    np.testing.assert_allclose(seen[0], net.apply(params, X), rtol=1e-12)
    end = parameter_flow(net.apply, params, X, jnp.asarray(Y), time=1.0)
    np.testing.assert_allclose(seen[-1], net.apply(end, X), atol=1e-6)


def test_a_direction_of_another_shape_is_refused(x64):
    with pytest.raises(ShapeError, match=r"\(4, 1\); got \(1,\)"):
        along(lambda *_: Y[0])


def test_records_must_divide_steps(x64):
    with pytest.raises(InvalidValueError, match="multiple of records=3"):
        along(lambda _, f: f, records=3)
