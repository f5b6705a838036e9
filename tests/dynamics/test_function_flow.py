"""The differential equation of any loss: against closed forms, small steps and other solvers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.special

import ntk
from ntk.dynamics.ode import TOLERANCE
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError

RNG = np.random.default_rng(5)
FEATURES = RNG.standard_normal((8, 6)) / 2
K, K_TEST = FEATURES[:5] @ FEATURES[:5].T, FEATURES[5:] @ FEATURES[:5].T
Y, F0, F0_TEST = (RNG.standard_normal((n, 3)) for n in (5, 5, 3))
ONE_HOT = np.eye(3)[[0, 1, 2, 1, 0]]
SIGNS = np.where(RNG.standard_normal((5, 3)) > 0, 1.0, -1.0)
TIMES = np.asarray([0.7, 0.0, 3.0, 0.7])  # in no order, one of them twice


def gradient(loss, f):
    """Gradients written by hand."""
    if loss == "squared":
        return f - Y
    if loss == "cross_entropy":
        return scipy.special.softmax(f, axis=1) - ONE_HOT
    if loss == "huber":
        return np.clip(f - Y, -1, 1)
    return -SIGNS * scipy.special.expit(-SIGNS * f)


TARGETS = {"squared": Y, "cross_entropy": ONE_HOT, "huber": Y, "logistic": SIGNS}


def by_scipy(loss, times, rate, momentum):
    """Integrate train and test outputs by another solver, without dual coefficients."""
    both = np.concatenate([K, K_TEST])
    start = np.concatenate([F0, F0_TEST])

    def velocity(_, state):
        f = state[: start.size].reshape(start.shape)
        push = -rate * both @ gradient(loss, f[:5])
        if momentum is None:
            return push.ravel()
        q = state[start.size :]
        return np.concatenate([q, push.ravel() - (1 - momentum) * q])

    begin = (
        start.ravel() if momentum is None else np.concatenate([start.ravel(), 0 * start.ravel()])
    )
    order = np.unique(times)
    path = scipy.integrate.solve_ivp(
        velocity, (0, order[-1]), begin, "DOP853", order, rtol=1e-12, atol=1e-13
    ).y.T[:, : start.size]
    path = path.reshape(-1, *start.shape)[np.searchsorted(order, times)]
    return path[:, :5], path[:, 5:]


@pytest.mark.parametrize(
    ("loss", "momentum"), [*((name, None) for name in TARGETS), ("cross_entropy", 0.4)]
)
def test_agrees_with_another_solver_on_hand_written_gradients(x64, loss, momentum):
    # A step across the kink of the Huber gradient is of first order, whatever its estimated error.
    tolerance = 1e-12 if loss == "huber" else None
    flow = ntk.FunctionFlow(
        K, TARGETS[loss], loss, learning_rate=0.8, momentum=momentum, tolerance=tolerance
    )
    train, test = by_scipy(loss, TIMES, 0.8, momentum)
    np.testing.assert_allclose(flow.train(TIMES, F0), train, atol=1e-7)
    np.testing.assert_allclose(flow.test(TIMES, K_TEST, F0_TEST, F0), test, atol=1e-7)


def test_closed_form_equation_and_small_steps_agree(x64):
    t = TIMES * Y.size
    options = {"learning_rate": 0.6, "loss_scale": "mean"}
    closed = ntk.GradientFlow(K, Y, **options)
    equation = ntk.FunctionFlow(K, Y, "squared", **options)
    np.testing.assert_allclose(equation.train(t, F0), closed.train(t, F0), atol=1e-8)
    np.testing.assert_allclose(
        equation.test(t, K_TEST, F0_TEST, F0), closed.test(t, K_TEST, F0_TEST, F0), atol=1e-8
    )
    steps = 2.0**22
    last, end = float(t.max()), closed.train(t.max(), F0)
    descent = ntk.GradientDescent(K, Y, **options | {"learning_rate": 0.6 * last / steps})
    np.testing.assert_allclose(descent.train(steps, F0), end, atol=1e-6)
    # control: large steps are another path
    large = ntk.GradientDescent(K, Y, **options | {"learning_rate": 0.6 * last / 16}).train(16, F0)
    assert np.abs(large - end).max() > 1e-3


def test_momentum_is_the_limit_of_the_heavy_ball(x64):
    # Rate and 1 - momentum become small together: h**2 and c * h at the time s * h = 2.
    gaps = []
    for h in (1e-3, 1e-4):
        momentum = 1 - 0.5 * h
        equation = ntk.FunctionFlow(K, Y, "squared", learning_rate=h**2, momentum=momentum)
        descent = ntk.GradientDescent(K, Y, learning_rate=h**2, momentum=momentum)
        steps = round(2 / h)
        gaps.append(float(np.abs(equation.train(steps, F0) - descent.train(steps, F0)).max()))
    assert gaps[0] < 1e-2
    assert gaps[1] == pytest.approx(gaps[0] / 10, rel=0.1)  # first order


def test_agrees_with_the_library_of_record(x64, golden):
    flow = ntk.FunctionFlow(
        golden["predict/kernels/ntk_tt"],
        golden["inputs/pred_y_train"],
        "squared",
        learning_rate=0.5,
        loss_scale="mean",
    )
    f0, f0_test = golden["inputs/pred_fx_train_0"], golden["inputs/pred_fx_test_0"]
    times = np.asarray([1.0, 10.0, 100.0])
    test = flow.test(times, golden["predict/kernels/ntk_st"], f0_test, f0)
    for i, (t, train) in enumerate(zip(times, flow.train(times, f0), strict=True)):
        case = f"predict/gd_mse/lr0.5/momNone/t{t}"
        np.testing.assert_allclose(train, golden[f"{case}/train"], atol=1e-6)
        np.testing.assert_allclose(test[i], golden[f"{case}/test"], atol=1e-6)


def test_a_loss_of_ones_own(x64):
    def quartic(f, y):
        return jnp.sum((f - y) ** 4) / 4

    flow = ntk.FunctionFlow(np.eye(2), np.zeros((2, 1)), quartic)
    # df/dt = -f**3 from 1: f = 1 / sqrt(1 + 2 t)
    found = flow.train(np.asarray([0.5, 4.0]), np.ones((2, 1)))[:, 0, 0]
    np.testing.assert_allclose(found, [0.5**0.5, 1 / 3], atol=1e-8)
    scaled = ntk.FunctionFlow(np.eye(2), np.zeros((2, 1)), quartic, loss_scale="mean")
    found = scaled.train(np.asarray([1.0, 8.0]), np.ones((2, 1)))[:, 1, 0]
    np.testing.assert_allclose(found, [0.5**0.5, 1 / 3], atol=1e-8)


def test_a_kernel_may_couple_the_outputs(x64):
    # A kernel (n, n, k, k) against the flow of the parameters of a linear model that has it.
    jacobian = RNG.standard_normal((8, 3, 11)) / 2
    full = np.einsum("iap,jbp->ijab", jacobian[:5], jacobian[:5])
    cross = np.einsum("iap,jbp->ijab", jacobian[5:], jacobian[:5])
    flow = ntk.FunctionFlow(full, ONE_HOT, "cross_entropy")
    theta = scipy.integrate.solve_ivp(
        lambda _, w: (
            -np.einsum("iap,ia->p", jacobian[:5], gradient("cross_entropy", F0 + jacobian[:5] @ w))
        ),
        (0, 1.3),
        np.zeros(11),
        "DOP853",
        rtol=1e-12,
        atol=1e-13,
    ).y[:, -1]
    np.testing.assert_allclose(flow.train(1.3, F0), F0 + jacobian[:5] @ theta, atol=1e-7)
    np.testing.assert_allclose(
        flow.test(1.3, cross, F0_TEST, F0), F0_TEST + jacobian[5:] @ theta, atol=1e-7
    )


def test_a_direction_from_outside(x64):
    pattern = RNG.standard_normal((5, 3))
    flow = ntk.DirectionFlow(K, lambda t, _: jnp.exp(-t) * pattern, learning_rate=2.0)
    # The integral of the direction is all that matters: it does not look at the outputs.
    np.testing.assert_allclose(
        flow.train(TIMES, F0),
        F0 + 2 * (1 - np.exp(-TIMES))[:, None, None] * (K @ pattern),
        atol=1e-8,
    )
    np.testing.assert_allclose(
        flow.test(TIMES, K_TEST, F0_TEST, F0),
        F0_TEST + 2 * (1 - np.exp(-TIMES))[:, None, None] * (K_TEST @ pattern),
        atol=1e-8,
    )
    # Rotating outputs: no gradient of any loss does that.
    spin = jnp.asarray([[0.0, -1.0], [1.0, 0.0]])
    circle = ntk.DirectionFlow(np.eye(1), lambda _, f: f @ spin)
    turned = circle.train(np.pi / 2, np.asarray([[1.0, 0.0]]))
    np.testing.assert_allclose(turned, [[0.0, -1.0]], atol=1e-8)


def test_cross_entropy_separates_without_an_end(x64):
    flow = ntk.FunctionFlow(np.eye(5), ONE_HOT, "cross_entropy")
    f = flow.train(np.asarray([1.0, 1e2, 1e4]), np.zeros((5, 3)))
    margin = (f * ONE_HOT).sum(-1) - jnp.max(f - 1e9 * ONE_HOT, axis=-1)
    # Ever larger, as log t.
    np.testing.assert_allclose(margin[2] - margin[1], np.log(100), rtol=0.05)
    with pytest.raises(InvalidValueError, match="finite"):
        flow.train(np.inf, np.zeros((5, 3)))


def test_stiff_equations_have_their_solver(x64):
    import diffrax

    stiff = np.diag([1e5, 1.0])
    y, zero = np.ones((2, 1)), np.zeros((2, 1))
    with pytest.raises(InvalidValueError, match="Kvaerno5"):
        ntk.FunctionFlow(stiff, y, "squared", max_steps=1000).train(5.0, zero)
    flow = ntk.FunctionFlow(stiff, y, "squared", solver=diffrax.Kvaerno5(), max_steps=1000)
    np.testing.assert_allclose(flow.train(5.0, zero), 1 - np.exp([[-5e5], [-5.0]]), atol=1e-6)


def test_single_precision_and_the_null_space():
    twice = np.ones((2, 2), np.float32)
    flow = ntk.FunctionFlow(twice, np.asarray([[3.0], [1.0]], np.float32), "squared")
    end = flow.train(20.0, np.zeros((2, 1), np.float32))
    assert end.dtype == np.float32
    # The outputs are K a, where the null direction of a has grown to 20: so much may a step miss.
    of_a_step = TOLERANCE["float32"] * (1 + 20)
    np.testing.assert_allclose(end, [[2.0], [2.0]], atol=np.linalg.norm(twice, 2) * of_a_step)
    still = ntk.FunctionFlow(0 * twice, np.ones((2, 1), np.float32), "squared")
    np.testing.assert_array_equal(still.train(3.0, np.zeros((2, 1), np.float32)), np.zeros((2, 1)))
    start = np.asarray([[0.5], [2.0]], np.float32)
    np.testing.assert_array_equal(flow.train(0.0, start), start)


def test_traces_under_jit_vmap_and_grad(x64):
    def late(rate, t):
        flow = ntk.FunctionFlow(K, ONE_HOT, "cross_entropy", learning_rate=rate)
        return flow.train(t, F0)[0, 0]

    rates = jnp.asarray([0.499, 0.5, 0.501])
    many = jax.jit(jax.vmap(jax.value_and_grad(late), in_axes=(0, None)))
    values, slopes = many(rates, 1.0)
    np.testing.assert_allclose(values[1], late(0.5, 1.0), atol=1e-8)
    np.testing.assert_allclose(slopes[1], (values[2] - values[0]) / 2e-3, rtol=1e-4)


def test_it_is_a_pytree(x64):
    flow = ntk.FunctionFlow(K, ONE_HOT, "cross_entropy", learning_rate=0.5)
    leaves, structure = jax.tree.flatten(flow)
    again = jax.tree.unflatten(structure, leaves)
    assert len(leaves) == 3  # kernel, rate, targets
    assert again.loss is flow.loss
    np.testing.assert_array_equal(again.K, flow.K)
    assert repr(again) == "FunctionFlow(K of shape (5, 5), learning_rate=0.5)"


ONE = np.ones((2, 1))
EYE = np.eye(2)
BAD = {
    "asymmetric": (lambda: ntk.FunctionFlow([[1.0, 0.5], [0.0, 1.0]], ONE, "squared"), "symmetric"),
    "indefinite": (lambda: ntk.FunctionFlow(-EYE, ONE, "squared"), "semi-definite"),
    "NaN": (lambda: ntk.FunctionFlow(EYE * np.nan, ONE, "squared"), "K has 4"),
    "oblong": (lambda: ntk.FunctionFlow(np.ones((2, 3)), ONE, "squared"), r"\(n, n\)"),
    "three axes": (lambda: ntk.FunctionFlow(np.ones((2, 2, 2)), ONE, "squared"), r"\(n, n\)"),
    "coupled": (
        lambda: ntk.FunctionFlow(RNG.standard_normal((2, 2, 3, 3)), np.ones((2, 3)), "squared"),
        "not symmetric",
    ),
    "loss": (lambda: ntk.FunctionFlow(EYE, ONE, "hubber"), "did you mean 'huber'"),
    "no loss": (lambda: ntk.FunctionFlow(EYE, ONE, 3), "loss must be a name or a function"),
    "loss of each": (lambda: ntk.FunctionFlow(EYE, ONE, lambda f, y: (f - y) ** 2), "take its sum"),
    "one class": (lambda: ntk.FunctionFlow(EYE, ONE, "cross_entropy"), "one_hot"),
    "labels": (
        lambda: ntk.FunctionFlow(EYE, np.asarray([[1.0, 1.0], [0.0, 1.0]]), "cross_entropy"),
        "probabilities",
    ),
    "signs": (lambda: ntk.FunctionFlow(EYE, 0 * ONE, "logistic"), "2 . y - 1"),
    "targets": (lambda: ntk.FunctionFlow(EYE, ONE[:1], "squared"), "y must have shape"),
    "scale": (lambda: ntk.FunctionFlow(EYE, ONE, "squared", loss_scale="avg"), "loss_scale"),
    "rate": (lambda: ntk.FunctionFlow(EYE, ONE, "squared", learning_rate=0.0), "positive"),
    "momentum": (lambda: ntk.FunctionFlow(EYE, ONE, "squared", momentum=1.0), "below 1"),
    "tolerance": (lambda: ntk.FunctionFlow(EYE, ONE, "squared", tolerance=-1.0), "tolerance"),
    "zero tolerance": (lambda: ntk.FunctionFlow(EYE, ONE, "squared", tolerance=0.0), "tolerance"),
    "steps": (lambda: ntk.FunctionFlow(EYE, ONE, "squared", max_steps=0), "max_steps"),
    "start": (lambda: ntk.FunctionFlow(EYE, ONE, "squared").train(1.0, ONE[:1]), "f0 must have"),
    "negative time": (lambda: ntk.FunctionFlow(EYE, ONE, "squared").train(-1.0, ONE), "at least 0"),
    "NaN time": (lambda: ntk.FunctionFlow(EYE, ONE, "squared").train(np.nan, ONE), "at least 0"),
    "no time": (lambda: ntk.FunctionFlow(EYE, ONE, "squared").train(np.ones(0), ONE), "t must be"),
    "cross": (
        lambda: ntk.FunctionFlow(EYE, ONE, "squared").test(1.0, np.ones((2, 3)), ONE, ONE),
        r"K_test_train must have shape \(m, 2\)",
    ),
    "test start": (
        lambda: ntk.FunctionFlow(EYE, ONE, "squared").test(1.0, EYE, ONE[:1], ONE),
        "f0_test must have",
    ),
    "direction": (lambda: ntk.DirectionFlow(EYE, "down"), "direction must be a function"),
    "its shape": (
        lambda: ntk.DirectionFlow(EYE, lambda _, f: f[:1]).train(1.0, ONE),
        "must return the shape",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(x64, as_a_user_would, name):
    call, message = BAD[name]
    with pytest.raises((InvalidValueError, InvalidTypeError, ShapeError), match=message):
        call()
