"""Networks drawn without their weights have the law of those with weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk.companion.backward import passes
from ntk.companion.weightless import ERF, RELU, Vectors, draw_relu_diagonal, draw_vectors
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError

NETWORKS = 40_000


def rng(seed=0):
    return np.random.default_rng(seed)


def moments(vectors):
    """Numbers that feel the joint law of all layers: kernels, squares, norms, a cross term."""
    first, kernels = vectors.backward[0], vectors.kernels
    norms = first.swapaxes(1, 2) @ first
    values = [kernels, kernels**2, norms, norms * kernels]
    return np.concatenate([v.reshape(len(v), -1) for v in values], axis=1)


def standard_errors_apart(a, b):
    off = np.abs(a.mean(0) - b.mean(0))
    return np.max(off / np.sqrt(a.var(0) / len(a) + b.var(0) / len(b)))


@pytest.mark.parametrize(
    ("sigma", "nonlinearity", "readout"),
    [(jax.nn.relu, RELU, "gaussian"), (jax.lax.erf, ERF, "ones")],
)
def test_law_of_networks_with_weights(sigma, nonlinearity, readout):
    x = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]], np.float32)

    def with_weights(key):
        keys = jax.random.split(key, 3)
        shapes = [(3, 5), (5, 4), (4, 1)]
        weights = [jax.random.normal(k, s) for k, s in zip(keys, shapes, strict=True)]
        if readout == "ones":
            weights[-1] = jnp.ones((4, 1))
        return passes(weights, jnp.asarray(x), sigma, nonlinearity.c_sigma)

    known = jax.jit(jax.vmap(with_weights))(jax.random.split(jax.random.key(0), NETWORKS))
    forward, backward = jax.tree.map(lambda a: np.asarray(a).swapaxes(1, 2), known)
    drawn = draw_vectors(rng(), x, (5, 4), nonlinearity, NETWORKS, readout=readout)
    assert standard_errors_apart(moments(Vectors(forward, backward)), moments(drawn)) < 4.5


def test_homogeneous_networks_satisfy_eulers_identity():
    x = rng(1).standard_normal((4, 3))
    forward, backward = draw_vectors(rng(), x, (7, 6, 5), RELU, 10)
    # <f, b> is the output, in every layer; g is f times the root of 2 / width where b is not zero.
    outputs = [
        (g * b).sum(axis=1) * (g.shape[1] / 2) ** 0.5
        for g, b in zip(forward[1:], backward[:-1], strict=True)
    ]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(outputs[2], outputs[0], rtol=1e-10, atol=1e-13)


def test_collinear_and_equal_inputs():
    x = np.array([[0.6, 0.8], [1.2, 1.6], [0.6, 0.8]])
    forward, backward = draw_vectors(rng(), x, (6, 3), RELU, 20)
    for g in forward:
        expected = np.stack([2 * g[..., 0], g[..., 0]], axis=-1)
        np.testing.assert_allclose(g[..., 1:], expected, rtol=1e-10, atol=1e-12)
    for b in backward:
        expected = np.stack([b[..., 0]] * 2, axis=-1)
        np.testing.assert_allclose(b[..., 1:], expected, rtol=1e-8, atol=1e-10)


def test_zero_input_gives_zero_kernel():
    kernels = draw_vectors(rng(), np.zeros((1, 3)), (4, 4), RELU, 5).kernels
    assert not kernels.any()


def test_more_inputs_than_neurons_in_single_precision():
    x = rng().standard_normal((6, 2)).astype(np.float32)
    forward, backward = draw_vectors(rng(), x, (3, 2), ERF, 7)
    assert [g.shape for g in forward] == [(7, 2, 6), (7, 3, 6), (7, 2, 6)]
    assert [b.shape for b in backward] == [(7, 3, 6), (7, 2, 6), (7, 1, 6)]
    assert {a.dtype for a in (*forward, *backward)} == {np.dtype(np.float32)}


def test_diagonal_has_the_law_of_the_vectors():
    vectors = draw_vectors(rng(1), np.eye(1), (4, 3, 5), RELU, NETWORKS).kernels[:, 0]
    scalars = draw_relu_diagonal(rng(2), (4, 3, 5), NETWORKS)[:, None]
    a, b = (np.concatenate([t, t**2, t == 0], axis=1) for t in (vectors, scalars))
    assert standard_errors_apart(a, b) < 4.5


@pytest.mark.parametrize("n", [1, 3, 50])
def test_diagonal_of_one_hidden_layer_in_closed_form(n):
    theta = draw_relu_diagonal(rng(n), (n,), 200_000)
    squares = (theta - 2.0) ** 2
    assert abs(theta.mean() - 2.0) < 5 * theta.std() / len(theta) ** 0.5
    assert abs(squares.mean() - 12 / n) < 5 * squares.std() / len(theta) ** 0.5
    assert abs(np.mean(theta == 0) - 0.5**n) <= 5 * (0.5**n / len(theta)) ** 0.5


@pytest.mark.parametrize(
    ("widths", "error"), [((), InvalidValueError), ((4, 0), InvalidValueError), ((2.5,), TypeError)]
)
def test_bad_widths(widths, error):
    with pytest.raises(error, match="widths"):
        draw_vectors(rng(), np.eye(2), widths, RELU, 3)
    with pytest.raises(error, match="widths"):
        draw_relu_diagonal(rng(), widths, 3)


@pytest.mark.parametrize(
    ("x", "error"),
    [(np.ones(3), ShapeError), (np.ones((0, 2)), ShapeError), ([[np.nan]], InvalidValueError)],
)
def test_bad_inputs(x, error):
    with pytest.raises(error, match="x"):
        draw_vectors(rng(), x, (3,), RELU, 3)


def test_bad_readout_and_count():
    # A wrong word is a type error where types are checked, as they are in the tests.
    with pytest.raises((InvalidValueError, TypeError), match="readout"):
        draw_vectors(rng(), np.eye(2), (3,), RELU, 3, readout="one")
    with pytest.raises((InvalidTypeError, TypeError), match="networks"):
        draw_relu_diagonal(rng(), (3,), 1.5)
