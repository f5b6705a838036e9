"""LayerNorm and Dropout: what they are, and what they refuse."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import ntk
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError


def batch(shape, seed=0, dtype=np.float64):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


@pytest.mark.parametrize("axis", [-1, (2, 3), (-1, 1, 2)])
def test_layer_norm_is_the_written_formula(x64, axis):
    x = 2 + 3 * batch((4, 5, 6, 7))
    y = ntk.LayerNorm(axis, eps=0.1).apply((), x)
    expected = (x - x.mean(axis, keepdims=True)) / jnp.sqrt(x.var(axis, keepdims=True) + 0.1)
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_normalised_kernel_has_ones_on_its_diagonal_and_knows_no_scale(x64):
    x = batch((5, 3))
    net = ntk.Serial(ntk.Dense(8, sigma_w=1.7), ntk.LayerNorm(), ntk.Relu(), ntk.Dense(1))
    first = ntk.Serial(*net.layers[:2])
    np.testing.assert_allclose(jnp.diag(ntk.kernel(first, x, get="nngp")), 1, rtol=1e-11)
    K, S = ntk.kernel(net, x), ntk.kernel(net, 1e3 * x)
    np.testing.assert_allclose(K.nngp, S.nngp, rtol=1e-11)


def test_eps_is_added_to_both_variances(x64):
    x = batch((4, 3))
    plain = ntk.kernel(ntk.Dense(8, sigma_b=0.3), x)
    net = ntk.Serial(ntk.Dense(8, sigma_b=0.3), ntk.LayerNorm(eps=0.5))
    root = jnp.sqrt(jnp.diag(plain.nngp) + 0.5)
    for part, before in zip(ntk.kernel(net, x), plain, strict=True):
        np.testing.assert_allclose(part, before / root[:, None] / root, rtol=1e-13)


@pytest.mark.parametrize("axis", [-1, (1, 2, 3), (2, 3)])
def test_all_pairs_of_positions_and_each_with_itself_agree(x64, axis):
    x, z = batch((3, 4, 5, 2)), batch((2, 4, 5, 2), seed=1)
    conv = ntk.Conv(8, (3, 3), sigma_w=1.4, sigma_b=0.2)
    net = ntk.Serial(conv, ntk.LayerNorm(axis, eps=0.1), ntk.Relu(), conv)
    whole = ntk.kernel(net, x, z)
    flat = ntk.kernel(ntk.Serial(*net.layers, ntk.Flatten()), x, z)
    for w, f in zip(whole, flat, strict=True):
        np.testing.assert_allclose(jnp.einsum("ijpqpq->ij", w) / 20, f, rtol=1e-12)


def test_spatial_norm_divides_by_the_variance_of_the_whole_image(x64):
    x = batch((3, 4, 5, 2))
    conv = ntk.Conv(8, (3, 3), sigma_w=1.4, sigma_b=0.2)
    plain = ntk.kernel(conv, x, get="nngp")
    normal = ntk.kernel(ntk.Serial(conv, ntk.LayerNorm((1, 2, 3))), x, get="nngp")
    own = jnp.einsum("iipqpq->i", plain) / 20
    expected = plain / jnp.sqrt(own[:, None] * own[None])[:, :, None, None, None, None]
    np.testing.assert_allclose(normal, expected, rtol=1e-11)


@pytest.mark.parametrize("eps", [0.0, 1e-12])
def test_norm_of_an_input_of_zeros_is_finite(x64, eps):
    x = jnp.concatenate([batch((2, 3)), jnp.zeros((2, 3))])
    net = ntk.Serial(ntk.Dense(8), ntk.LayerNorm(eps=eps), ntk.Relu(), ntk.Dense(1))
    K = ntk.kernel(net, x)
    assert all(np.isfinite(part).all() for part in K)
    slope = jax.grad(lambda v: ntk.kernel(net, v, get="ntk").sum())(x)
    assert np.isfinite(slope).all()


def test_dropout_is_the_average_over_masks(x64):
    # One hidden layer: the mean over initialisations is the limit at every width.
    x = batch((3, 4))
    rate, dense = 0.4, ntk.Dense(32, sigma_w=1.3, sigma_b=0.2)
    drop = ntk.Dropout(rate)
    net = ntk.Serial(drop, dense, ntk.Relu(), ntk.Dense(1, sigma_w=1.3))
    x = jnp.tile(x, 200) + 0.1 * batch((3, 800), seed=1)  # many entries: a Gaussian sum

    def passes(key):
        keys = jax.random.split(key, 3)
        params = dense.init(keys[0], (800,))
        hidden = [jax.nn.relu(dense.apply(params, drop.mask(k, x))) for k in keys[1:]]
        return 1.3**2 * hidden[0] @ hidden[1].T / 32

    draws = jax.lax.map(passes, jax.random.split(jax.random.key(0), 1000), batch_size=100)
    error = draws.std(0, ddof=1) / 1000**0.5
    limit = ntk.kernel(net, x, get="nngp")
    assert np.all(np.abs(draws.mean(0) - limit) < 4.5 * error)
    without = ntk.kernel(ntk.Serial(*net.layers[1:]), x, get="nngp")
    assert np.any(np.abs(draws.mean(0) - without) > 6 * error)


def test_dropout_of_images_needs_not_all_pairs(x64):
    x = batch((3, 4, 4, 2))
    conv = ntk.Conv(8, (3, 3), sigma_w=1.4, sigma_b=0.2)
    net = ntk.Serial(conv, ntk.Relu(), ntk.Dropout(0.3), conv, ntk.Erf(), ntk.Dropout(0.1))
    whole, flat = ntk.kernel(net, x), ntk.kernel(ntk.Serial(*net.layers, ntk.Flatten()), x)
    for w, f in zip(whole, flat, strict=True):
        np.testing.assert_allclose(jnp.einsum("ijpqpq->ij", w) / 16, f, rtol=1e-12)


def test_dropout_at_rate_zero_and_in_use_changes_nothing(x64):
    x = batch((3, 4))
    dense = ntk.Dense(8, sigma_b=0.1)
    nets = [
        ntk.Serial(dense, ntk.Relu(), *drop, dense, ntk.Relu()) for drop in ([ntk.Dropout(0.0)], [])
    ]
    for a, b in zip(*(ntk.kernel(net, x) for net in nets), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    np.testing.assert_array_equal(ntk.Dropout(0.5).apply((), x), x)


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


X = np.ones((2, 3), np.float32)
IMAGE = np.ones((2, 4, 4, 3), np.float32)
BAD = {
    "rate of one": (lambda: ntk.Dropout(1.0), InvalidValueError, "rate .*below 1, got 1.0"),
    "rate below zero": (lambda: ntk.Dropout(-0.1), InvalidValueError, "rate"),
    "a word": (lambda: ntk.Dropout("half"), InvalidTypeError, "rate"),
    "the batch": (lambda: ntk.LayerNorm(0), InvalidValueError, "axis must not hold 0"),
    "an axis in words": (lambda: ntk.LayerNorm("C"), InvalidTypeError, "axis"),
    "half an axis": (lambda: ntk.LayerNorm((1, 0.5)), InvalidTypeError, "axis .*0.5"),
    "negative eps": (lambda: ntk.LayerNorm(eps=-1), InvalidValueError, "eps"),
    "no such axis": (
        lambda: ntk.kernel(ntk.Serial(ntk.Dense(4), ntk.LayerNorm((1, 2))), X),
        ShapeError,
        r"in layer 1, LayerNorm\(axis=\(1, 2\)\): axis 2 is not there: .*0 to 1",
    ),
    "no such axis, drawn": (
        lambda: ntk.Serial(ntk.Dense(4), ntk.LayerNorm(-3)).init(jax.random.key(0), (3,)),
        ShapeError,
        r"in layer 1, LayerNorm\(axis=-3\): axis -3",
    ),
    "space alone": (
        lambda: ntk.kernel(ntk.Serial(ntk.Conv(4, (3, 3)), ntk.LayerNorm((1, 2))), IMAGE),
        InvalidValueError,
        "layer 1.*hold the features, axis -1 or 3",
    ),
    "twice": (
        lambda: ntk.kernel(ntk.Serial(ntk.Conv(4, (3, 3)), ntk.LayerNorm((3, -1))), IMAGE),
        InvalidValueError,
        "twice",
    ),
    "after an activation": (
        lambda: ntk.kernel(ntk.Serial(ntk.Dense(4), ntk.Relu(), ntk.LayerNorm()), X),
        InvalidValueError,
        r"in layer 2, LayerNorm\(\): .*right after weights",
    ),
    "dropout before an activation": (
        lambda: ntk.kernel(ntk.Serial(ntk.Dense(4), ntk.Dropout(0.1), ntk.Relu()), X),
        InvalidValueError,
        r"in layer 2, Relu\(\): Relu needs an input that comes from weights",
    ),
    "two activations": (
        lambda: ntk.kernel(ntk.Serial(ntk.Dense(4), ntk.Relu(), ntk.Erf()), X),
        InvalidValueError,
        r"in layer 2, Erf\(\)",
    ),
    "of the input": (
        lambda: ntk.kernel(ntk.Serial(ntk.LayerNorm(), ntk.Dense(4)), X),
        InvalidValueError,
        "in layer 0, .*right after weights",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call()
