"""Networks trained side by side: each as `ntk.train` trains it, drift and gap by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.companion.trajectories import draw_starts, largest_drift, train_networks
from ntk.errors import InvalidValueError

X = jnp.asarray(np.random.default_rng(0).standard_normal((3, 2)))
Y = jnp.asarray([[1.0], [-1.0], [1.0]])
NEW = jnp.asarray([[0.3, -0.7], [0.5, 0.5]])
NET = ntk.mlp(1, 12, "tanh")
HOW = {"x_test": NEW, "learning_rate": 0.2, "steps": 9, "records": 3}


def start_of(network):
    starts = draw_starts(NET, 2, 5, seed=0)
    return jax.tree.map(lambda leaf: leaf[network].astype(jnp.float64), starts)


@pytest.fixture
def runs(x64):
    x, y, new = (jnp.asarray(np.asarray(a), jnp.float64) for a in (X, Y, NEW))
    return train_networks(NET, x, y, **{**HOW, "x_test": new}, networks=5, at_once=2)


def test_each_network_is_trained_as_alone(runs):
    start = start_of(3)
    alone = ntk.train(
        NET.apply, start, X, Y, learning_rate=0.2, steps=9, at=[0, 3, 6, 9], x_test=NEW,
        record=("outputs", "kernel", "weights"),
    )  # fmt: skip
    np.testing.assert_array_equal(runs.steps, alone.steps)
    np.testing.assert_allclose(runs.outputs[3, :, :3], alone.outputs, rtol=1e-6)
    np.testing.assert_allclose(runs.outputs[3, :, 3:], alone.outputs_test, rtol=1e-6)
    np.testing.assert_allclose(runs.drift[3], alone.kernel_drift.max(), rtol=1e-5)
    jax.tree.map(
        lambda all_of_them, one: np.testing.assert_allclose(all_of_them[3], one, rtol=1e-5),
        runs.weights,
        alone.weight_movement,
    )


def test_the_linearisation_is_that_of_the_trained_linear_model(runs):
    start = start_of(1)
    f_lin = ntk.linearize(NET.apply, start)
    alone = ntk.train(f_lin, start, X, Y, learning_rate=0.2, steps=9, at=[0, 3, 6, 9], x_test=NEW)
    both = np.concatenate([alone.outputs, alone.outputs_test], axis=1)
    np.testing.assert_allclose(runs.linearised[1], both, rtol=1e-6)
    distance = np.linalg.norm((runs.outputs[1] - both)[..., 0], axis=1)
    np.testing.assert_allclose(runs.gap[1], distance.max(), rtol=1e-5)
    assert runs.gap[1] > 1e-4  # the network is not linear


def test_networks_differ_and_precision_is_as_asked(x64):
    x, y, new = (jnp.asarray(np.asarray(a), jnp.float64) for a in (X, Y, NEW))
    runs = train_networks(NET, x, y, **{**HOW, "x_test": new}, networks=5, dtype=jnp.float32)
    assert runs.outputs.dtype == runs.kernels.dtype == jnp.float32
    assert runs.linearised.dtype == jnp.float64
    assert len(np.unique(runs.drift)) == 5
    double = train_networks(NET, x, y, **{**HOW, "x_test": new}, networks=5)
    np.testing.assert_allclose(runs.outputs, double.outputs, atol=1e-5)  # the same networks


def test_the_largest_drift_is_that_of_each_network_by_itself():
    paths = np.random.default_rng(0).standard_normal((2, 4, 3, 5, 5))  # widths, seeds, records
    drift = largest_drift(paths)
    assert drift.shape == (2, 4)
    start, *later = paths[1, 2]
    farthest = max(np.sqrt(((K - start) ** 2).sum()) for K in later)
    np.testing.assert_allclose(drift[1, 2], farthest / np.sqrt((start**2).sum()), rtol=1e-14)


def test_no_networks_are_refused():
    with pytest.raises(InvalidValueError, match="networks"):
        train_networks(NET, X, Y, **HOW, networks=0)


@pytest.mark.parametrize("parametrization", ["ntk", "standard", "mup"])
def test_starts_have_the_law_of_init(parametrization):
    net = ntk.mlp(2, 40, sigma_w=1.5, sigma_b=0.3, outputs=3, parametrization=parametrization)
    drawn = draw_starts(net, 50, 30, seed=0)
    keys = jax.random.split(jax.random.key(0), 30)
    by_init = jax.vmap(lambda key: net.init(key, (50,)))(keys)
    assert jax.tree.structure(drawn) == jax.tree.structure(by_init)
    for ours, theirs in zip(jax.tree.leaves(drawn), jax.tree.leaves(by_init), strict=True):
        assert ours.shape == theirs.shape
        ratio = float(jnp.std(ours) / jnp.std(theirs))
        assert abs(ratio - 1) < 5 / ours.size**0.5  # five standard errors of a ratio
