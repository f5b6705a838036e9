"""Gradient flow against the matrix exponential, small steps, and trained linear models."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import ntk

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((9, 12))
TRAIN, TEST = FEATURES[:6], FEATURES[6:]
K, K_TEST = TRAIN @ TRAIN.T, TEST @ TRAIN.T
Y, F0, F0_TEST = (RNG.standard_normal((n, 2)) for n in (6, 6, 3))


@pytest.mark.parametrize("t", [0.0, 0.01, 0.3, 5.0])
@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_train_is_the_matrix_exponential(x64, t, loss_scale):
    flow = ntk.GradientFlow(K, Y, learning_rate=0.7, loss_scale=loss_scale)
    scale = 0.7 / (Y.size if loss_scale == "mean" else 1)
    expected = Y + scipy.linalg.expm(-scale * t * K) @ (F0 - Y)
    np.testing.assert_allclose(flow.train(t, F0), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("ridge", [0.0, 0.8])
@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_small_steps_of_a_linear_model_follow_the_flow(x64, ridge, loss_scale):
    # The model f0 + X w with the loss that the docstring states, by explicit small steps.
    scale = 1 / Y.size if loss_scale == "mean" else 1.0
    t, steps = 0.2 / scale, 20000
    w = np.zeros((12, 2))
    for _ in range(steps):
        gradient = TRAIN.T @ (F0 + TRAIN @ w - Y) + ridge * w
        w -= t / steps * scale * gradient
    flow = ntk.GradientFlow(K, Y, ridge=ridge, loss_scale=loss_scale)
    np.testing.assert_allclose(flow.train(t, F0), F0 + TRAIN @ w, atol=1e-3)
    np.testing.assert_allclose(flow.test(t, K_TEST, F0_TEST, F0), F0_TEST + TEST @ w, atol=1e-3)


@pytest.mark.parametrize("ridge", [0.0, 0.8])
def test_infinite_time_is_kernel_regression(x64, ridge):
    flow = ntk.GradientFlow(K, Y, ridge=ridge)
    weights = np.linalg.solve(K + ridge * np.eye(6), Y - F0)
    np.testing.assert_allclose(flow.train(jnp.inf, F0), F0 + K @ weights, rtol=1e-9)
    np.testing.assert_allclose(
        flow.test(jnp.inf, K_TEST, F0_TEST, F0), F0_TEST + K_TEST @ weights, rtol=1e-9
    )
    np.testing.assert_allclose(flow.train(1e9, F0), flow.train(jnp.inf, F0), rtol=1e-12)


def test_times_lead_the_result(x64):
    flow = ntk.GradientFlow(K, Y)
    times = jnp.asarray([0.0, 0.1, jnp.inf])
    train, test = flow.train(times, F0), flow.test(times, K_TEST, F0_TEST, F0)
    assert train.shape == (3, 6, 2)
    assert test.shape == (3, 3, 2)
    for i, t in enumerate(times):
        np.testing.assert_allclose(train[i], flow.train(t, F0), rtol=1e-14)
        np.testing.assert_allclose(test[i], flow.test(t, K_TEST, F0_TEST, F0), rtol=1e-14)


@pytest.mark.filterwarnings("ignore::ntk.errors.SingularGramWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_lies_in_the_null_space_is_never_learnt(x64, dtype):
    narrow = TRAIN[:, :4].astype(dtype)  # six points, four features: two null directions
    flow = ntk.GradientFlow(narrow @ narrow.T, Y.astype(dtype))
    projector = narrow @ np.linalg.pinv(narrow)
    final = flow.train(jnp.inf, np.zeros_like(Y, dtype))
    assert final.dtype == dtype
    np.testing.assert_allclose(final, projector @ Y, atol=2e-5 if dtype == np.float32 else 1e-12)
    test = flow.test(
        jnp.inf,
        TEST[:, :4].astype(dtype) @ narrow.T,
        np.zeros((3, 2), dtype),
        np.zeros_like(Y, dtype),
    )
    expected = TEST[:, :4] @ np.linalg.pinv(narrow.astype(float)) @ Y
    np.testing.assert_allclose(test, expected, rtol=2e-3 if dtype == np.float32 else 1e-9)


def test_traces_under_jit_vmap_and_grad(x64):
    def late(k, t):
        return ntk.GradientFlow(k, Y).train(t, F0)

    np.testing.assert_allclose(jax.jit(late)(K, 0.3), late(K, 0.3), rtol=1e-10)
    assert jax.vmap(late, in_axes=(None, 0))(K, jnp.asarray([0.1, 0.2])).shape == (2, 6, 2)
    slope = jax.grad(lambda t: late(jnp.asarray(K), t).sum())(0.3)
    difference = (late(K, 0.3 + 1e-6).sum() - late(K, 0.3 - 1e-6).sum()) / 2e-6
    np.testing.assert_allclose(slope, difference, rtol=1e-6)
    flow = ntk.GradientFlow(K, Y)
    np.testing.assert_allclose(
        jax.jit(lambda g: g.train(0.3, F0))(flow), flow.train(0.3, F0), rtol=1e-12
    )


@pytest.mark.parametrize("t", [1.0, 10.0, 100.0])
def test_agrees_with_the_library_of_record(x64, t):
    golden = np.load(Path(__file__).parent.parent / "data" / "golden_neural_tangents.npz")
    case = "predict/gd_mse/lr0.5/momNone"
    flow = ntk.GradientFlow(
        golden["predict/kernels/ntk_tt"],
        golden["inputs/pred_y_train"],
        learning_rate=0.5,
        loss_scale="mean",
    )
    f0, f0_test = golden["inputs/pred_fx_train_0"], golden["inputs/pred_fx_test_0"]
    test = flow.test(t, golden["predict/kernels/ntk_st"], f0_test, f0)
    # The stored values come from an ODE solver with a tolerance of 1.4e-8 a step.
    np.testing.assert_allclose(flow.train(t, f0), golden[f"{case}/t{t}/train"], atol=1e-6)
    np.testing.assert_allclose(test, golden[f"{case}/t{t}/test"], atol=1e-6)


@pytest.mark.filterwarnings("ignore::ntk.errors.SingularGramWarning")
def test_the_inverse_is_the_pseudo_inverse(x64):
    # A cross kernel that is not zero on the null space tells the pseudo-inverse from any other.
    narrow = TRAIN[:, :4]
    flow = ntk.GradientFlow(narrow @ narrow.T, Y)
    zero = np.zeros((3, 2))
    expected = K_TEST @ np.linalg.pinv(narrow @ narrow.T, rcond=1e-10) @ Y
    np.testing.assert_allclose(flow.test(jnp.inf, K_TEST, zero, 0 * Y), expected, rtol=1e-9)
    np.testing.assert_allclose(flow.test(1e6, K_TEST, zero, 0 * Y), expected, rtol=1e-9)
