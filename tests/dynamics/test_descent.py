"""Closed forms of descent against loops, optax, exact arithmetic and the edge of stability."""

import warnings
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optax
import pytest

import ntk
from ntk.errors import InvalidTypeError, InvalidValueError, UnstableLearningRateWarning

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((9, 12))
TRAIN, TEST = FEATURES[:6], FEATURES[6:]
K, K_TEST = TRAIN @ TRAIN.T, TEST @ TRAIN.T
Y, F0, F0_TEST = (RNG.standard_normal((n, 2)) for n in (6, 6, 3))
METHODS = [(0.0, False), (0.6, False), (0.6, True)]
SCALES = ["sum", "mean"]


@partial(jax.jit, static_argnums=(2, 3, 5))
def by_optax(rate, scale, momentum, nesterov, ridge, steps):
    """Train the linear model f0 + X w by optax and return its outputs after each step."""

    def loss(w):
        residual = F0 + TRAIN @ w - Y
        return scale * (0.5 * jnp.sum(residual**2) + 0.5 * ridge * jnp.sum(w**2))

    optimiser = optax.sgd(rate, momentum or None, nesterov)
    w = jnp.zeros((12, 2))

    def step(carry, _):
        w, state = carry
        updates, state = optimiser.update(jax.grad(loss)(w), state)
        return (optax.apply_updates(w, updates), state), w

    path = jax.lax.scan(step, (w, optimiser.init(w)), None, steps)[1]
    return F0 + TRAIN @ path, F0_TEST + TEST @ path


@pytest.mark.parametrize(("momentum", "nesterov"), METHODS)
@pytest.mark.parametrize("loss_scale", SCALES)
@pytest.mark.parametrize("ridge", [0.0, 0.8])
def test_agrees_with_optax_on_a_linear_model(x64, momentum, nesterov, loss_scale, ridge):
    limit = ntk.max_learning_rate(
        K, loss_scale=loss_scale, outputs=2, ridge=ridge, momentum=momentum, nesterov=nesterov
    )
    rate = 0.9 * float(limit)
    descent = ntk.GradientDescent(
        K,
        Y,
        learning_rate=rate,
        loss_scale=loss_scale,
        ridge=ridge,
        momentum=momentum,
        nesterov=nesterov,
    )
    scale = 1 / Y.size if loss_scale == "mean" else 1.0
    train, test = by_optax(rate, scale, momentum, nesterov, ridge, 60)
    steps = np.arange(60.0)
    np.testing.assert_allclose(descent.train(steps, F0), train, atol=1e-11)
    np.testing.assert_allclose(descent.test(steps, K_TEST, F0_TEST, F0), test, atol=1e-10)


@pytest.mark.parametrize(("momentum", "nesterov"), METHODS)
def test_many_steps_are_kernel_regression(x64, momentum, nesterov):
    limit = float(ntk.max_learning_rate(K, momentum=momentum, nesterov=nesterov))
    descent = ntk.GradientDescent(
        K, Y, learning_rate=0.5 * limit, momentum=momentum, nesterov=nesterov, ridge=0.1
    )
    flow = ntk.GradientFlow(K, Y, ridge=0.1)
    np.testing.assert_allclose(descent.train(jnp.inf, F0), flow.train(jnp.inf, F0), rtol=1e-12)
    np.testing.assert_allclose(descent.train(2.0**30, F0), descent.train(jnp.inf, F0), rtol=1e-10)


def exact(x, steps, momentum, nesterov):
    """Return gain * eigenvalue after some steps, by the written iteration in rationals."""
    x, beta = Fraction(x), Fraction(momentum)
    position = velocity = Fraction(0)
    for _ in range(steps):
        push = x * (1 - position)
        velocity = beta * velocity + push
        position += beta * velocity + push if nesterov else velocity
    return float(position)


@pytest.mark.parametrize(("momentum", "nesterov"), METHODS)
def test_digits_are_kept_along_slow_directions(x64, momentum, nesterov):
    # Far apart in size, at a double root of the heavy ball, and close to the edge.
    double = (1 - momentum**0.5) ** 2
    for x in (1e-13, 1e-7, double, 0.5, 1.0, 1.3):
        rate = x
        descent = ntk.GradientDescent(
            np.eye(1), np.ones((1, 1)), learning_rate=rate, momentum=momentum, nesterov=nesterov
        )
        steps = np.asarray([1.0, 2.0, 17.0, 100.0])
        found = descent.train(steps, np.zeros((1, 1)))[:, 0, 0]
        expected = [exact(x, int(s), momentum, nesterov) for s in steps]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_plain_descent_keeps_its_digits_over_very_many_steps(x64):
    rate, steps = 1e-9, 2.0**30
    with mpmath.workdps(40):
        expected = float(1 - (1 - mpmath.mpf(rate)) ** int(steps))
    for momentum in (0.0, 1e-300):  # the closed form, and the powers of matrices
        descent = ntk.GradientDescent(
            np.eye(1), np.ones((1, 1)), learning_rate=rate, momentum=momentum
        )
        found = descent.train(steps, np.zeros((1, 1))).item()
        assert found == pytest.approx(expected, rel=1e-13)


def test_one_step_suffices_where_rate_times_eigenvalue_is_one(x64):
    descent = ntk.GradientDescent(2.0 * np.eye(2), np.ones((2, 1)), learning_rate=0.5)
    end = descent.train(np.asarray([0.0, 1.0, 2.0, np.inf]), np.zeros((2, 1)))
    np.testing.assert_array_equal(end[:, 0, 0], [0.0, 1.0, 1.0, 1.0])


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9, 0.99])
@pytest.mark.parametrize("nesterov", [False, True])
def test_the_limit_is_where_the_spectral_radius_reaches_one(x64, momentum, nesterov):
    limit = float(ntk.max_learning_rate(np.diag([0.5, 4.0]), momentum=momentum, nesterov=nesterov))

    def radius(rate):
        x = 4.0 * rate
        if nesterov:
            return np.abs(np.roots([1, -(1 + momentum) * (1 - x), momentum * (1 - x)])).max()
        return np.abs(np.roots([1, -(1 + momentum - x), momentum])).max()

    assert radius(limit) == pytest.approx(1.0, abs=1e-9)
    assert radius(0.999 * limit) < 1 < radius(1.001 * limit)
    # control: another method's formula is not the edge
    other = float(
        ntk.max_learning_rate(np.diag([0.5, 4.0]), momentum=momentum, nesterov=not nesterov)
    )
    assert momentum == 0 or radius(other) != pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("momentum", "nesterov"), METHODS)
@pytest.mark.parametrize("loss_scale", SCALES)
def test_beyond_the_limit_descent_warns_and_diverges(x64, momentum, nesterov, loss_scale):
    options = {"loss_scale": loss_scale, "momentum": momentum, "nesterov": nesterov}
    limit = float(ntk.max_learning_rate(K, outputs=2, ridge=0.3, **options))

    def loss(factor, steps):
        descent = ntk.GradientDescent(K, Y, learning_rate=factor * limit, ridge=0.3, **options)
        return float(descent.loss(steps, F0))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert loss(0.99, 2000) < 1.01 * loss(0.99, np.inf)
    with pytest.warns(UnstableLearningRateWarning, match=f"{limit:.6g}") as caught:
        assert loss(1.01, 2000) > 1e6 * loss(0.99, 0)
    assert caught[0].filename == __file__
    with pytest.warns(UnstableLearningRateWarning):
        assert np.isnan(loss(1.01, np.inf))  # there is no end


def test_traces_under_jit_vmap_and_grad(x64):
    def late(rate, momentum, steps):
        return ntk.GradientDescent(K, Y, learning_rate=rate, momentum=momentum).train(steps, F0)

    for momentum in (0.0, 0.5):
        np.testing.assert_allclose(
            jax.jit(late)(0.01, momentum, 9.0), late(0.01, momentum, 9.0), rtol=1e-10
        )
        slope = jax.grad(lambda r, m=momentum: late(r, m, 9.0).sum())(0.01)
        difference = (late(0.01 + 1e-6, momentum, 9.0) - late(0.01 - 1e-6, momentum, 9.0)).sum()
        np.testing.assert_allclose(slope, difference / 2e-6, rtol=1e-6)
    rates = jnp.asarray([0.01, 0.02])
    many = jax.vmap(late, in_axes=(0, None, None))(rates, 0.5, 9.0)
    np.testing.assert_allclose(many[1], late(0.02, 0.5, 9.0), rtol=1e-10)
    descent = ntk.GradientDescent(K, Y, learning_rate=0.01, momentum=0.5)
    np.testing.assert_allclose(
        jax.jit(lambda d: d.train(3.0, F0))(descent), descent.train(3.0, F0), rtol=1e-10
    )


def test_gradients_are_finite_on_a_singular_kernel(x64):
    twice = np.kron(np.eye(2), np.ones((2, 2))) * 1e-3

    def late(rate, momentum):
        descent = ntk.GradientDescent(twice, Y[:4], learning_rate=rate, momentum=momentum)
        return descent.modes(5.0, F0[:4]).residual.sum()

    for momentum in (0.0, 0.5):
        assert np.isfinite(jax.grad(late)(400.0, momentum))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"momentum": 1.0}, InvalidValueError, "momentum must be below 1"),
        ({"momentum": -0.1}, InvalidValueError, "momentum must be finite and at least 0"),
        ({"momentum": np.nan}, InvalidValueError, "momentum"),
        ({"learning_rate": -1.0}, InvalidValueError, "learning_rate must be finite and positive"),
        ({"learning_rate": np.inf}, InvalidValueError, "learning_rate"),
        ({"ridge": -1.0}, InvalidValueError, "ridge"),
    ],
)
def test_numbers_out_of_range_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        ntk.GradientDescent(
            np.eye(2, dtype=np.float32),
            np.ones((2, 1), np.float32),
            **{"learning_rate": 0.1} | options,
        )


@pytest.mark.parametrize(
    ("steps", "message"),
    [(1.5, "whole"), (-1.0, "at least 0"), (np.nan, "at least 0"), (2.0**31, r"2\*\*31")],
)
def test_steps_that_cannot_be_are_refused(steps, message):
    one = np.ones((1, 1), np.float32)
    descent = ntk.GradientDescent(one, one, learning_rate=0.1)
    with pytest.raises(InvalidValueError, match=message):
        descent.train(steps, one)


def test_a_flag_is_a_flag():
    one = np.ones((1, 1), np.float32)
    with pytest.raises((InvalidTypeError, TypeError), match="nesterov"):
        ntk.GradientDescent(one, one, learning_rate=0.1, nesterov=1)
