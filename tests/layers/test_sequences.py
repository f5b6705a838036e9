"""Attention and recurrence as finite functions, and what they refuse."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import ntk
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError


def batch(shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def test_recurrent_network_is_the_written_formula(x64):
    net = ntk.Recurrent(7, activation="erf", sigma_w=1.3, sigma_u=0.8, sigma_b=0.4, outputs="all")
    x = np.asarray(batch((2, 4, 3)))
    params = net.init(jax.random.key(0), (4, 3))
    W, b, U = (*params["recurrent"].values(), params["input"]["weight"])
    h, every = np.zeros((2, 7)), []
    for t in range(4):
        s = 1.3 / 7**0.5 * h @ W + 0.8 / 3**0.5 * x[:, t] @ U + 0.4 * b
        h = np.asarray(jax.scipy.special.erf(s))
        every.append(h)
    np.testing.assert_allclose(net.apply(params, x), np.stack(every, 1), rtol=1e-12)


def test_last_and_mean_are_parts_of_the_kernel_over_all_times(x64):
    x, z = batch((3, 4, 2)), batch((2, 4, 2), seed=1)
    every, last, mean = (
        ntk.kernel(ntk.Recurrent(8, sigma_w=1.2, sigma_b=0.3, outputs=o), x, z)
        for o in ("all", "last", "mean")
    )
    for e, one, m in zip(every, last, mean, strict=True):
        assert e.shape == (3, 2, 4, 4)
        np.testing.assert_allclose(one, e[:, :, -1, -1], rtol=1e-12)
        np.testing.assert_allclose(m, e.mean((2, 3)), rtol=1e-12)


def test_one_time_is_a_dense_layer(x64):
    x = batch((5, 3))
    net = ntk.Recurrent(8, sigma_w=1.2, sigma_u=0.8, sigma_b=0.3)
    dense = ntk.Serial(ntk.Dense(8, sigma_w=0.8, sigma_b=0.3), ntk.Relu())
    for a, b in zip(ntk.kernel(net, x[:, None]), ntk.kernel(dense, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7)
        off = ~np.eye(5, dtype=bool)
        np.testing.assert_allclose(a[off], b[off], rtol=1e-12)


def test_attention_that_ignores_its_keys_is_a_global_pool(x64):
    x = batch((3, 4, 2))
    net = ntk.SelfAttention(heads=2, key_dim=3, sigma_key=0.0, sigma_value=1.3, sigma_out=0.7)
    K = ntk.kernel(net, x)
    pooled = 0.91**2 * ntk.kernel(ntk.GlobalAvgPool(), x, get="nngp")
    expected = jnp.broadcast_to(pooled[:, :, None, None], K.nngp.shape)
    np.testing.assert_allclose(K.nngp, expected, rtol=1e-12)
    np.testing.assert_allclose(K.ntk, 2 * expected, rtol=1e-12)


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


X = np.ones((2, 3), np.float32)
SEQUENCE = np.ones((2, 4, 3), np.float32)
IMAGE = np.ones((2, 4, 4, 3), np.float32)
BAD = {
    "softmax at standard scaling": (
        lambda: ntk.kernel(
            ntk.Serial(ntk.Dense(4), ntk.SelfAttention(heads=2, key_dim=3, scaling="standard")),
            SEQUENCE,
        ),
        InvalidValueError,
        r"in layer 1, SelfAttention\(.*: softmax attention at scaling='standard' has no kernel",
    ),
    "attention to points": (
        lambda: ntk.kernel(ntk.SelfAttention(heads=2, key_dim=3), X),
        ShapeError,
        "attention needs inputs with positions",
    ),
    "no heads": (lambda: ntk.SelfAttention(heads=0, key_dim=3), InvalidValueError, "heads"),
    "recurrent over points": (
        lambda: ntk.kernel(ntk.Serial(ntk.Dense(4), ntk.Recurrent(8)), X),
        ShapeError,
        r"in layer 1, Recurrent\(8, activation=Relu\(\)\): .*sequences \(n, T, d\)",
    ),
    "recurrent over images": (
        lambda: ntk.Recurrent(8).init(jax.random.key(0), (4, 4, 3)),
        ShapeError,
        "one axis of times",
    ),
    "recurrent activation": (
        lambda: ntk.Recurrent(8, activation="rleu"),
        InvalidValueError,
        "did you mean 'relu'",
    ),
    "a layer for an activation": (
        lambda: ntk.Recurrent(8, activation=ntk.Dense(3)),
        InvalidTypeError,
        "activation must be",
    ),
    "muP": (
        lambda: ntk.kernel(ntk.mlp(2, 8, parametrization="mup"), X),
        InvalidValueError,
        r"in layer 0, Dense\(8, parametrization='mup'\): parametrization='mup' has no kernel limit",
    ),
    "muP, convolution": (
        lambda: ntk.kernel(ntk.Serial(ntk.Conv(8, (3, 3), parametrization="mup")), IMAGE),
        InvalidValueError,
        r"in layer 0, Conv\(",
    ),
    "muP, recurrent": (
        lambda: ntk.kernel(ntk.Serial(ntk.Recurrent(8, parametrization="mup")), SEQUENCE),
        InvalidValueError,
        r"in layer 0, Recurrent\(",
    ),
    "convolution of points": (
        lambda: ntk.kernel(ntk.Serial(ntk.Dense(8), ntk.Relu(), ntk.Conv(8, (3, 3))), X),
        ShapeError,
        r"in layer 2, Conv\(8, \(3, 3\)\): window \(3, 3\) slides over 2 axes",
    ),
    "window in a run of equal layers": (
        lambda: ntk.kernel(
            ntk.Serial(*[ntk.Conv(8, (2, 2), padding="VALID"), ntk.Relu()] * 5, ntk.Flatten()),
            IMAGE,
        ),
        ShapeError,
        r"in layer 6, Conv\(.*larger than the input's positions \(1, 1\)",
    ),
    "channels": (
        lambda: ntk.Serial(ntk.Conv(8, (3, 3))).apply(
            ntk.Serial(ntk.Conv(8, (3, 3))).init(jax.random.key(0), (4, 4, 5)), IMAGE
        ),
        ShapeError,
        r"in layer 0, Conv\(.*\(n, \*positions, 5\)",
    ),
    "channels, transposed": (
        lambda: ntk.Serial(ntk.ConvTranspose(8, (3, 3))).apply(
            ntk.Serial(ntk.ConvTranspose(8, (3, 3))).init(jax.random.key(0), (4, 4, 5)), IMAGE
        ),
        ShapeError,
        r"in layer 0, ConvTranspose\(.*must have 5 channels",
    ),
    "an activation of what was flattened": (
        lambda: ntk.kernel(
            ntk.Serial(ntk.Conv(8, (3, 3)), ntk.Flatten(), ntk.Relu(), ntk.Dense(1)), IMAGE
        ),
        InvalidValueError,
        r"in layer 2, Relu\(\): Relu needs an input that comes from weights",
    ),
    "a class for a branch": (
        lambda: ntk.ParallelSum(ntk.Dense(3), ntk.Dense),
        InvalidTypeError,
        r"branch 1 of ParallelSum is the class Dense; create one with Dense\(\.\.\.\)",
    ),
    "half a branch": (
        lambda: ntk.ParallelSum(ntk.Dense(3), 3),
        InvalidTypeError,
        "branch 1 of ParallelSum must be a layer",
    ),
    "one branch": (lambda: ntk.ParallelSum(ntk.Dense(3)), InvalidValueError, "at least two"),
    "branches that are correlated": (
        lambda: ntk.ParallelSum(ntk.Relu(), ntk.Erf()),
        InvalidValueError,
        r"branches \[0, 1\] do not end in a layer with weights",
    ),
    "in a branch": (
        lambda: ntk.kernel(
            ntk.ParallelSum(ntk.Dense(8), ntk.Serial(ntk.Dense(8), ntk.Conv(8, (3,)))), X
        ),
        ShapeError,
        r"in branch 1, Serial\(.*: in layer 1, Conv\(8, \(3,\)\): window",
    ),
    "pool of points": (
        lambda: ntk.kernel(ntk.Serial(ntk.Dense(8), ntk.GlobalAvgPool()), X),
        ShapeError,
        r"in layer 1, GlobalAvgPool\(\): a pool needs",
    ),
    "block of another width": (
        lambda: ntk.kernel(ntk.Serial(ntk.Dense(8), ntk.Residual(ntk.Dense(7))), X),
        ShapeError,
        r"in layer 1, Residual\(Dense\(7\)\): .*same width.* 8 and 7",
    ),
    "nested": (
        lambda: ntk.kernel(
            ntk.Serial(ntk.Dense(8), ntk.Residual(ntk.Serial(ntk.Relu(), ntk.Conv(8, (3,))))), X
        ),
        ShapeError,
        r"in layer 1, Residual\(.*: in layer 1, Conv\(8, \(3,\)\): window",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_its_place(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("form", ["mup", "ntk"])
def test_features_move_by_one_step_at_every_width_in_mup_alone(x64, form):
    x, y = batch((6, 4)), batch((6, 1), seed=1)
    moved = []
    for width in (64, 1024):
        net = ntk.mlp(2, width, "erf", sigma_w=1.5, parametrization=form)
        hidden = ntk.Serial(*net.layers[:3])

        def movement(params, net=net, hidden=hidden):
            slope = jax.grad(lambda p: jnp.mean((net.apply(p, x) - y) ** 2))(params)
            after = jax.tree.map(lambda p, g: p - 0.5 * g, params, slope)
            change = hidden.apply(after[:3], x) - hidden.apply(params[:3], x)
            return jnp.sqrt(jnp.mean(change**2))

        starts = [net.init(jax.random.key(seed), (4,)) for seed in range(4)]
        moved.append(float(np.mean([*map(jax.jit(movement), starts)])))
    # Sixteen times the width: the same movement, or a quarter of it.
    ratio = moved[1] / moved[0]
    assert 0.7 < ratio < 1.5 if form == "mup" else ratio < 0.45
