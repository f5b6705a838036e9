"""Networks drawn without their weights have the law of those with weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk.companion.backward import passes, tangent_kernel
from ntk.companion.weightless import draw_passes, draw_relu_diagonal
from ntk.errors import InvalidTypeError, InvalidValueError

WIDTHS = (5, 4)
NETWORKS = 20_000


def moments(vectors):
    """Numbers that feel the joint law of all layers: kernel, its square, norms, and a cross term."""
    kernel = tangent_kernel(vectors)
    (_, g1, g2), (b1, b2, _) = vectors
    values = [kernel, kernel**2, b1 @ b1.T, (b1 @ b1.T) * (g1 @ g1.T), (b2 @ b2.T) * (g2 @ g2.T)]
    return jnp.concatenate([v.ravel() for v in values])


def standard_errors_apart(a, b):
    off = np.abs(a.mean(0) - b.mean(0))
    return np.max(off / np.sqrt((a.var(0) + b.var(0)) / len(a)))


@pytest.mark.parametrize("readout", ["gaussian", "ones"])
@pytest.mark.parametrize(("sigma", "c"), [(jax.nn.relu, 2.0), (jax.lax.erf, 1.0)])
def test_law_of_networks_with_weights(sigma, c, readout):
    x = jnp.asarray([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]])

    def with_weights(key):
        keys = jax.random.split(key, 3)
        shapes = [(3, 5), (5, 4), (4, 1)]
        weights = [jax.random.normal(k, s) for k, s in zip(keys, shapes, strict=True)]
        if readout == "ones":
            weights[-1] = jnp.ones((4, 1))
        return moments(passes(weights, x, sigma, c))

    def without(key):
        return moments(draw_passes(key, x, WIDTHS, sigma, c, readout=readout))

    drawn = [
        np.asarray(jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(seed), NETWORKS)))
        for seed, one in enumerate((with_weights, without))
    ]
    assert standard_errors_apart(*drawn) < 4.5


def test_homogeneous_networks_satisfy_eulers_identity(x64):
    x = jax.random.normal(jax.random.key(1), (4, 3))
    forward, backward = draw_passes(jax.random.key(0), x, (7, 6, 5), jax.nn.relu, 2.0)
    # <f, b> is the output, in every layer; g is f times the root of 2 / width where b is not zero.
    outputs = [
        jnp.sum(g * b, axis=1) * (g.shape[1] / 2) ** 0.5
        for g, b in zip(forward[1:], backward[:-1], strict=True)
    ]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-10)
    np.testing.assert_allclose(outputs[2], outputs[0], rtol=1e-10)


def test_collinear_and_equal_inputs(x64):
    x = jnp.asarray([[0.6, 0.8], [1.2, 1.6], [0.6, 0.8]])
    forward, backward = draw_passes(jax.random.key(3), x, (6, 3), jax.nn.relu, 2.0)
    for g in forward:
        np.testing.assert_allclose(g[1:], jnp.stack([2 * g[0], g[0]]), rtol=1e-10, atol=1e-12)
    for b in backward:
        np.testing.assert_allclose(b[1:], jnp.stack([b[0], b[0]]), rtol=1e-8, atol=1e-10)


def test_zero_input_gives_zero_kernel():
    vectors = draw_passes(jax.random.key(0), jnp.zeros((1, 3)), (4, 4), jax.nn.relu, 2.0)
    assert tangent_kernel(vectors).tolist() == [[0.0]]


def test_more_inputs_than_neurons():
    x = jax.random.normal(jax.random.key(0), (6, 2))
    forward, backward = draw_passes(jax.random.key(1), x, (3, 2), jax.lax.erf, 1.0)
    assert [g.shape for g in forward] == [(6, 2), (6, 3), (6, 2)]
    assert [b.shape for b in backward] == [(6, 3), (6, 2), (6, 1)]


def test_diagonal_has_the_law_of_the_vectors():
    draw = jax.vmap(
        lambda key: tangent_kernel(draw_passes(key, jnp.eye(1), (4, 3, 5), jax.nn.relu, 2.0))
    )
    vectors = np.asarray(jax.jit(draw)(jax.random.split(jax.random.key(2), NETWORKS)))[:, 0]
    scalars = draw_relu_diagonal(np.random.default_rng(0), (4, 3, 5), NETWORKS)[:, None]
    a, b = (np.concatenate([t, t**2, t == 0], axis=1) for t in (vectors, scalars))
    assert standard_errors_apart(a, b) < 4.5


@pytest.mark.parametrize("n", [1, 3, 50])
def test_diagonal_of_one_hidden_layer_in_closed_form(n):
    theta = draw_relu_diagonal(np.random.default_rng(n), (n,), 200_000)
    squares = (theta - 2.0) ** 2
    assert abs(theta.mean() - 2.0) < 5 * theta.std() / len(theta) ** 0.5
    assert abs(squares.mean() - 12 / n) < 5 * squares.std() / len(theta) ** 0.5
    dead = np.mean(theta == 0)
    assert abs(dead - 0.5**n) <= 5 * (0.5**n / len(theta)) ** 0.5


@pytest.mark.parametrize(
    ("widths", "error"), [((), InvalidValueError), ((4, 0), InvalidValueError), ((2.5,), TypeError)]
)
def test_bad_widths(widths, error):
    with pytest.raises(error, match="widths"):
        draw_passes(jax.random.key(0), jnp.eye(2), widths, jax.nn.relu, 2.0)
    with pytest.raises(error, match="widths"):
        draw_relu_diagonal(np.random.default_rng(0), widths, 3)


def test_bad_readout_and_count():
    # A wrong word is a type error where types are checked, as they are in the tests.
    with pytest.raises((InvalidValueError, TypeError), match="readout"):
        draw_passes(jax.random.key(0), jnp.eye(2), (3,), jax.nn.relu, 2.0, readout="one")
    with pytest.raises(InvalidTypeError, match="networks"):
        draw_relu_diagonal(np.random.default_rng(0), (3,), 1.5)
