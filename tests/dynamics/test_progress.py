"""Modes, loss, degrees of freedom and the equivalence of stopping and ridge."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import ntk

RNG = np.random.default_rng(3)
FEATURES = RNG.standard_normal((7, 4))  # seven points, four features: three null directions
K = FEATURES @ FEATURES.T
FULL = K + np.diag(RNG.uniform(0.1, 1.0, 7))
Y, F0 = RNG.standard_normal((2, 7, 3))
TIMES = np.asarray([0.0, 0.05, 1.0, 30.0, np.inf])

pytestmark = pytest.mark.filterwarnings("ignore::ntk.errors.SingularGramWarning")


def trainings(kernel, **options):
    yield ntk.GradientFlow(kernel, Y, learning_rate=0.02, **options), TIMES
    steps = np.asarray([0.0, 1.0, 7.0, 1000.0, np.inf])
    for momentum, nesterov in ((0.0, False), (0.7, False), (0.7, True)):
        yield (
            ntk.GradientDescent(
                kernel, Y, learning_rate=0.02, momentum=momentum, nesterov=nesterov, **options
            ),
            steps,
        )


@pytest.mark.parametrize("ridge", [0.0, 0.6])
@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
@pytest.mark.parametrize("kernel", [K, FULL], ids=["singular", "regular"])
def test_modes_are_the_residual_along_the_eigenvectors(x64, kernel, ridge, loss_scale):
    for training, times in trainings(kernel, ridge=ridge, loss_scale=loss_scale):
        modes = training.modes(times, F0)
        residual = np.asarray(training.train(times, F0)) - Y
        along = np.asarray(training.eigenvectors).T @ residual
        np.testing.assert_allclose(modes.residual, along, atol=1e-12)
        scale = 1 / Y.size if loss_scale == "mean" else 1.0
        np.testing.assert_allclose(modes.loss, 0.5 * scale * along**2, atol=1e-12)
        np.testing.assert_allclose(
            training.loss(times, F0),
            0.5 * scale * (residual**2).sum((1, 2)),
            rtol=1e-10,
            atol=1e-25,
        )
        assert np.all(np.isfinite(modes.speed))
        np.testing.assert_array_equal(modes.speed[-1], 0.0)  # at the end nothing moves


def test_speed_of_the_flow_is_the_derivative_of_the_residual(x64):
    flow = ntk.GradientFlow(K, Y, learning_rate=0.3, ridge=0.2, loss_scale="mean")
    speed = flow.modes(0.7, F0).speed
    slope = jax.jacfwd(lambda t: flow.modes(t, F0).residual)(0.7)
    np.testing.assert_allclose(speed, slope, rtol=1e-10, atol=1e-14)


def test_speed_of_descent_is_the_next_step(x64):
    for training, _ in list(trainings(FULL, ridge=0.1))[1:]:
        modes = training.modes(np.asarray([0.0, 1.0, 5.0, 6.0]), F0)
        np.testing.assert_allclose(modes.speed[0], modes.residual[1] - modes.residual[0])
        np.testing.assert_allclose(modes.speed[2], modes.residual[3] - modes.residual[2])


def test_the_null_space_stays_exactly(x64):
    for training, times in trainings(K):
        null = np.asarray(training.spectrum.null)
        assert null.sum() == 3
        modes = training.modes(times, F0)
        np.testing.assert_array_equal(
            modes.residual[:, null], modes.residual[:1, null].repeat(5, 0)
        )
        np.testing.assert_array_equal(modes.speed[:, null], 0.0)
        # What is reported is what the end of training misses.
        missed = Y - np.asarray(training.train(np.inf, F0))
        np.testing.assert_allclose(training.unlearnable(F0), missed, atol=1e-12)
        assert np.linalg.norm(missed) > 1


def test_decays_keep_their_digits_when_they_are_tiny(x64):
    flow = ntk.GradientFlow(np.diag([1.0, 2.0]), np.zeros((2, 1)))
    left = flow.modes(200.0, np.ones((2, 1))).residual[:, 0]
    np.testing.assert_allclose(np.abs(left), np.exp([-200.0, -400.0]), rtol=1e-12)
    descent = ntk.GradientDescent(np.diag([1.0, 2.0]), np.zeros((2, 1)), learning_rate=0.25)
    left = descent.modes(400, np.ones((2, 1))).residual[:, 0]
    np.testing.assert_allclose(np.abs(left), [0.75**400, 0.5**400], rtol=1e-12)


def test_degrees_of_freedom_are_the_trace_of_the_map_from_targets_to_outputs(x64):
    zero = np.zeros_like(Y)
    for training, times in trainings(K, ridge=0.3):
        found = training.degrees_of_freedom(times)
        smoother = np.stack([training.weights(t, K) for t in times])
        np.testing.assert_allclose(found, np.trace(smoother, axis1=1, axis2=2), atol=1e-10)
        np.testing.assert_allclose(smoother @ Y, training.train(times, zero), atol=1e-10)
    ridgeless = ntk.GradientFlow(K, Y)
    np.testing.assert_allclose(ridgeless.degrees_of_freedom(np.asarray([0.0, np.inf])), [0, 4])


@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_stopping_and_ridge_differ_by_at_most_two_tenths(x64, loss_scale):
    values = np.logspace(-3, 3, 241)
    y = np.zeros((len(values), 1))
    flow = ntk.GradientFlow(np.diag(values), y, learning_rate=0.4, loss_scale=loss_scale)
    t = 3.0 * (len(values) if loss_scale == "mean" else 1.0)
    ridge = float(flow.equivalent_ridge(t))
    assert ridge == pytest.approx(1 / 1.2)
    assert float(flow.equivalent_time(ridge)) == pytest.approx(t)
    stopped = np.diag(flow.weights(t, np.diag(values)))
    gap = np.abs(stopped - values / (values + ridge))
    # The bound, from the filters themselves.
    best = scipy.optimize.minimize_scalar(
        lambda x: np.exp(-x) - 1 / (1 + x), bounds=(1, 5), method="bounded", options={"xatol": 1e-9}
    )
    assert -best.fun == pytest.approx(0.2036, abs=5e-5)
    assert best.x == pytest.approx(2.51, abs=5e-3)
    assert gap.max() <= -best.fun + 1e-12
    # On a grid of 6 % the maximum, which is flat, is met within 1e-3.
    assert gap.max() == pytest.approx(-best.fun, abs=1e-3)
    assert values[gap.argmax()] / ridge == pytest.approx(best.x, rel=0.06)
    # control: a ridge of twice that breaks the bound
    assert np.abs(stopped - values / (values + 2 * ridge)).max() > -best.fun + 0.05


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.8, False), (0.8, True)])
def test_small_steps_are_a_flow_and_a_ridge(x64, momentum, nesterov):
    options = {"momentum": momentum, "nesterov": nesterov}
    flow = ntk.GradientFlow(FULL, Y)
    gaps = []
    for rate in (1e-3, 1e-4):
        descent = ntk.GradientDescent(FULL, Y, learning_rate=rate, **options)
        steps = round(0.5 * (1 - momentum) / rate)
        flowed = flow.train(descent.flow_time(steps), F0)
        gaps.append(float(np.abs(descent.train(steps, F0) - flowed).max()))
        np.testing.assert_allclose(descent.equivalent_ridge(steps), 2.0, rtol=1e-9)
        np.testing.assert_allclose(descent.equivalent_time(2.0), steps, rtol=1e-9)
    assert gaps[1] == pytest.approx(gaps[0] / 10, rel=0.2)  # of first order in the rate


def test_times_without_steps_have_an_infinite_ridge():
    flow = ntk.GradientFlow(np.eye(2, dtype=np.float32), np.zeros((2, 1), np.float32))
    assert flow.equivalent_ridge(jnp.asarray([0.0, jnp.inf])).tolist() == [float("inf"), 0.0]
