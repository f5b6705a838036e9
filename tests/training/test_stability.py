"""What runs away is said, with the step and the rate that would have been stable."""

import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.dynamics.losses import cross_entropy
from ntk.errors import UnstableLearningRateWarning
from ntk.training.objective import scaled
from ntk.training.stability import stable_learning_rate

pytestmark = pytest.mark.usefixtures("quick")

RNG = np.random.default_rng(1)
X, Y, W0 = RNG.standard_normal((8, 5)), RNG.standard_normal((8, 3)), np.zeros((5, 3))


def linear(w, x):
    return jnp.asarray(x) @ w


@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_the_warning_names_the_stable_rate(x64, loss_scale):
    top = np.linalg.eigvalsh(X @ X.T)[-1] / (Y.size if loss_scale == "mean" else 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ntk.train(linear, W0, X, Y, learning_rate=1.99 / top, steps=400, loss_scale=loss_scale)
    with pytest.warns(
        UnstableLearningRateWarning, match="the loss rose from .* after step 400"
    ) as caught:
        result = ntk.train(
            linear, W0, X, Y, learning_rate=2.1 / top, steps=400, loss_scale=loss_scale
        )
    assert caught[0].filename == __file__
    named = float(re.search(r"below about (\S+) is stable", str(caught[0].message)).group(1))
    np.testing.assert_allclose(named, 2 / top, rtol=0.01)
    assert int(result.diverged_at) == -1


def test_the_warning_names_the_step():
    x, y, w = (a.astype("f") for a in (X, Y, W0))
    rate = 3e3 / float(np.linalg.eigvalsh(X @ X.T)[-1])
    step = -1
    losses = [0.0]
    while np.isfinite(losses[-1]):
        with np.errstate(over="ignore", invalid="ignore"):
            losses.append(0.5 * ((x @ w - y) ** 2).sum(dtype="f"))
            w = w - np.float32(rate) * (x.T @ (x @ w - y))
        step += 1
    with pytest.warns(UnstableLearningRateWarning, match=f"not finite from step {step} on"):
        result = ntk.train(linear, W0.astype("f"), x, y, learning_rate=rate, steps=step + 3)
    assert int(result.diverged_at) == step


def test_under_vmap_the_field_tells():
    x, y, w = (a.astype("f") for a in (X, Y, W0))
    top = float(np.linalg.eigvalsh(X @ X.T)[-1])

    def train(rate):
        return ntk.train(linear, w, x, y, learning_rate=rate, steps=60)

    result = jax.vmap(train)(jnp.asarray([1.0 / top, 1e3 / top]))
    assert int(result.diverged_at[0]) == -1
    assert int(result.diverged_at[1]) > 0
    assert np.isfinite(result.loss[0]).all()


def test_the_stable_rate_of_another_loss_counts_its_curvature(x64):
    y = jnp.eye(3)[RNG.integers(0, 3, 8)]
    w = RNG.standard_normal((5, 3))
    total = scaled(cross_entropy, "sum", 8, y.size)
    rate = stable_learning_rate(linear, w, jnp.asarray(X), y, total)
    flat = jax.hessian(lambda v: total(linear(v.reshape(5, 3), X), y))(jnp.ravel(w))
    np.testing.assert_allclose(rate, 2 / np.linalg.eigvalsh(flat)[-1], rtol=0.01)
