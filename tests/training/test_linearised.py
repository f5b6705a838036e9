"""The linearised network, trained in its parameters and through its Gram matrix."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ntk

pytestmark = pytest.mark.usefixtures("quick")

STEPS, ETA = 60, 0.03
AT = [0, 1, 7, 30, 60]


def setting(outputs):
    net = ntk.mlp(1, 24, "erf", sigma_w=1.4, sigma_b=0.3, outputs=outputs)
    params = net.init(jax.random.key(0), (4,))
    rng = np.random.default_rng(0)
    points, y = (jnp.asarray(rng.standard_normal(s)) for s in ((9, 4), (6, outputs)))
    full = ntk.empirical_ntk(net.apply, params, points, points[:6], output="full")
    # All outputs with all outputs, as one matrix.
    gram = np.asarray(full).transpose(0, 2, 1, 3).reshape(9 * outputs, 6 * outputs)
    K, cross = gram[: 6 * outputs], gram[6 * outputs :]
    return net.apply, params, (points[:6], points[6:], y), (K, cross)


def recursion(K, cross, start, start_test, y, eta, momentum=0.0):
    """Outputs on training and test points after each step, from Gram matrices alone."""
    u, v, m, m_test, path = start, start_test, 0.0, 0.0, [(start, start_test)]
    for _ in range(STEPS):
        residual = u - y
        m, m_test = momentum * m + K @ residual, momentum * m_test + cross @ residual
        u, v = u - eta * m, v - eta * m_test
        path.append((u, v))
    return tuple(np.stack([np.asarray(step[i]) for step in path]) for i in (0, 1))


@pytest.mark.parametrize(("outputs", "momentum"), [(1, 0.6), (3, 0.0)])
def test_parameter_space_and_function_space_agree(x64, outputs, momentum):
    f, params, (x, x_test, y), (K, cross) = setting(outputs)
    trained = ntk.train(
        ntk.linearize(f, params),
        params,
        x,
        y,
        learning_rate=ETA,
        steps=STEPS,
        at=AT,
        x_test=x_test,
        optimizer=partial(optax.sgd, momentum=momentum),
    )
    flat = (np.ravel(f(params, x)), np.ravel(f(params, x_test)), np.ravel(y))
    u, v = recursion(K, cross, *flat, ETA, momentum)
    np.testing.assert_allclose(trained.outputs.reshape(5, -1), u[AT], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(trained.outputs_test.reshape(5, -1), v[AT], rtol=1e-8, atol=1e-10)
    if outputs == 1:
        descent = ntk.GradientDescent(K, y, learning_rate=ETA, momentum=momentum)
        f0, f0_test = f(params, x), f(params, x_test)
        path = descent.train(jnp.asarray(AT), f0), descent.test(jnp.asarray(AT), cross, f0_test, f0)
        for got, want in zip((trained.outputs, trained.outputs_test), path, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10)
    # The network itself is another matter.
    net = ntk.train(f, params, x, y, learning_rate=ETA, steps=STEPS, at=AT)
    assert np.abs(net.outputs.reshape(5, -1) - u[AT]).max() > 1e-3


def test_steps_are_powers_and_not_exponentials(x64):
    f, params, (x, _, y), (K, _) = setting(1)
    f_lin = ntk.linearize(f, params)
    start = f(params, x)

    def gaps(eta, steps):
        trained = ntk.train(f_lin, params, x, y, learning_rate=eta, steps=steps)
        power = ntk.GradientDescent(K, y, learning_rate=eta).train(steps, start)
        flow = ntk.GradientFlow(K, y).train(trained.times[-1], start)
        return [np.abs(trained.outputs[-1] - other).max() for other in (power, flow)]

    (exact, first), (_, second) = gaps(ETA, STEPS), gaps(ETA / 2, 2 * STEPS)
    assert exact < 1e-10
    assert first > 1e-4
    assert 1.8 < first / second < 2.2
