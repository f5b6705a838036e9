"""BatchNorm: its integrals against closed forms, draws, and finite networks."""

import math

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import ntk
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError


def batch(shape, seed=0, dtype=np.float64):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


def before(*after, eps=1e-3, **kwargs):
    """Return a network with the normalisation before what is given."""
    return ntk.Serial(ntk.Dense(8, sigma_w=1.3), ntk.BatchNorm(eps=eps, **kwargs), *after)


@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 2, 5)])
def test_is_the_written_formula(x64, shape):
    x = 2 + 3 * batch(shape)
    axes = tuple(range(len(shape) - 1))
    y = ntk.BatchNorm(eps=0.1).apply((), x)
    np.testing.assert_allclose(y, (x - x.mean(axes)) / jnp.sqrt(x.var(axes) + 0.1), rtol=1e-12)


@pytest.mark.parametrize("n", [5, 20])
def test_orthonormal_batch_has_a_closed_form(x64, n):
    # Direction and length of the centred batch are independent, and the length is a chi.
    x = n**0.5 * jnp.eye(n)
    centre = np.eye(n) - 1 / n
    linear, rectified = (
        ntk.kernel(ntk.Serial(ntk.Dense(8), ntk.BatchNorm(eps=0.0), *act), x)
        for act in ((), (ntk.Relu(),))
    )
    dual = ntk.Relu().dual(*np.broadcast_arrays(centre, 1 - 1 / n, 1 - 1 / n))
    slope = ntk.Relu().dual_derivative(*np.broadcast_arrays(centre, 1 - 1 / n, 1 - 1 / n))
    np.testing.assert_allclose(linear.nngp, n / (n - 1) * centre, atol=1e-9)
    np.testing.assert_allclose(rectified.nngp, n / (n - 1) * dual, atol=1e-9)
    factor = n / (n - 3)
    np.testing.assert_allclose(linear.ntk, factor * (n - 2) / (n - 1) * centre, atol=1e-8)
    expected = factor * (slope * centre - dual / (n - 1))
    np.testing.assert_allclose(rectified.ntk, expected, atol=1e-8)


def test_independent_batches_are_the_product_of_their_means(x64):
    x = 14**0.5 * jnp.eye(14)
    K = ntk.kernel(ntk.Serial(ntk.Dense(8), ntk.BatchNorm(), ntk.Relu()), x[:5], x[5:])

    def mean(n):
        chi = math.sqrt(2) * math.gamma(n / 2) / math.gamma((n - 1) / 2)
        return math.sqrt(n * (1 - 1 / n) / (2 * math.pi)) / chi

    np.testing.assert_allclose(K.nngp, np.full((5, 9), mean(5) * mean(9)), rtol=1e-8)
    np.testing.assert_allclose(K.ntk, 0, atol=1e-10)


@pytest.mark.parametrize("activation", [ntk.ABRelu(-0.4, 1.2), ntk.Identity()])
def test_a_batch_beside_itself_is_a_batch_alone(x64, activation):
    # Two integrals against one.
    net, x = before(activation), batch((7, 9))
    for one, two in zip(ntk.kernel(net, x), ntk.kernel(net, x, x), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-8 * float(jnp.abs(one).max()))


@pytest.mark.parametrize("columns", [None, 6])
def test_integrals_and_draws_agree(x64, columns):
    x = batch((8, 9))
    z = None if columns is None else batch((columns, 9), seed=1) + 0.5
    integral = ntk.kernel(before(ntk.Relu(), eps=0.3), x, z)
    # One activation more than an integral takes. What is left falls as the draws grow.
    draws = ntk.kernel(before(ntk.Relu(), ntk.Identity(), eps=0.3), x, z)
    wrong = ntk.kernel(ntk.Serial(ntk.Dense(8, sigma_w=1.3), ntk.Relu()), x, z)
    for a, b, c in zip(integral, draws, wrong, strict=True):
        assert np.abs(a - b).max() < 0.02 * np.abs(a).max()
        assert np.abs(c - b).max() > 0.1 * np.abs(a).max()


PLACES = {
    "before": (ntk.BatchNorm(eps=1e-3), ntk.Relu()),
    "after": (ntk.Relu(), ntk.BatchNorm(eps=1e-3)),
    "between": (ntk.Erf(), ntk.BatchNorm(eps=1e-3), ntk.Abs()),
}


@pytest.mark.parametrize(
    ("place", "two_sets"),
    [("before", False), ("before", True), ("after", True), ("between", False)],
)
def test_one_hidden_layer_is_the_mean_of_finite_networks(x64, place, two_sets):
    # With one hidden layer the mean over initialisations is the limit at every width.
    dense, last = (ntk.Dense(w, sigma_w=1.3, sigma_b=0.4) for w in (32, 1))
    net = ntk.Serial(dense, *PLACES[place], last)
    x = batch((9, 10))
    z = batch((8, 10), seed=1) + 0.3 * x[:8] if two_sets else None

    def one_network(key):
        params = net.init(key, (10,))
        y1 = net.apply(params, x)
        y2 = y1 if z is None else net.apply(params, z)
        return y1 @ y2.T, ntk.empirical_ntk(net.apply, params, x, z, coupled=True)

    draws = jax.lax.map(one_network, jax.random.split(jax.random.key(1), 1500), batch_size=250)
    other = ntk.Serial(dense, ntk.Relu(), last)
    for samples, expected, wrong in zip(
        draws, ntk.kernel(net, x, z), ntk.kernel(other, x, z), strict=True
    ):
        error = samples.std(0, ddof=1) / len(samples) ** 0.5
        assert np.all(np.abs(samples.mean(0) - expected) < 4.5 * error)
        assert np.any(np.abs(samples.mean(0) - wrong) > 6 * error)


def test_images_are_normalised_over_positions_too(x64):
    conv = ntk.Conv(32, (2, 2), padding="VALID", sigma_w=1.3)
    x = batch((4, 3, 3, 2))
    nets = [
        ntk.Serial(conv, *middle, ntk.GlobalAvgPool(), ntk.Dense(1))
        for middle in ((ntk.BatchNorm(eps=1e-3), ntk.Relu()), (ntk.Relu(),))
    ]

    def one_network(key):
        params = nets[0].init(key, x.shape[1:])
        y = nets[0].apply(params, x)
        return y @ y.T, ntk.empirical_ntk(nets[0].apply, params, x, coupled=True)

    draws = jax.lax.map(one_network, jax.random.split(jax.random.key(1), 1000), batch_size=250)
    for samples, limit, wrong in zip(draws, *(ntk.kernel(n, x) for n in nets), strict=True):
        error = samples.std(0, ddof=1) / len(samples) ** 0.5
        assert np.all(np.abs(samples.mean(0) - limit) < 4.5 * error)
        assert np.any(np.abs(samples.mean(0) - wrong) > 6 * error)


@pytest.mark.parametrize("eps", [0.0, 1.0])
def test_after_the_last_activation_the_constant_mode_is_the_last_bias(x64, eps):
    x, dense = batch((7, 9)), ntk.Dense(16, sigma_w=1.4, sigma_b=0.7)
    norm, last = ntk.BatchNorm(eps=eps, draws=256), ntk.Dense(1, sigma_b=0.3)
    below = dense, ntk.Relu(), dense
    after = ntk.Serial(*below, ntk.Tanh(), norm, last)
    controls = [ntk.Serial(*below, norm, ntk.Tanh(), last), ntk.Serial(*below, ntk.Tanh(), last)]

    def constant_mode(net):
        params = net.init(jax.random.key(0), (9,))
        finite = ntk.empirical_ntk(net.apply, params, x, coupled=True)
        return np.asarray([finite.mean(), ntk.kernel(net, x, get="ntk").mean()])

    np.testing.assert_allclose(constant_mode(after), 0.09, atol=1e-12)
    for control in controls:
        assert np.all(np.abs(constant_mode(control) - 0.09) > 1e-3)


def test_nested_and_repeated_networks_are_the_same(x64):
    x, dense = batch((7, 9)), ntk.Dense(8, sigma_w=1.3)
    block = dense, ntk.BatchNorm(eps=1e-3), ntk.Relu()
    flat = ntk.Serial(*block, *block, *block)
    nested = ntk.Serial(ntk.Serial(*block[:2]), ntk.Serial(ntk.Relu(), *block, *block))
    for a, b in zip(ntk.kernel(flat, x), ntk.kernel(nested, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_residual_block_may_begin_with_it(x64):
    x, dense = batch((7, 9)), ntk.Dense(8, sigma_w=1.3)
    block = ntk.Serial(ntk.BatchNorm(eps=1e-3), ntk.Relu(), dense)
    whole, first, second = (
        ntk.kernel(net, x)
        for net in (ntk.Serial(dense, ntk.Residual(block)), dense, ntk.Serial(dense, block))
    )
    for total, a, b in zip(whole, first, second, strict=True):
        np.testing.assert_allclose(total, a + b, rtol=1e-12)


def test_compiles_maps_and_differentiates(x64):
    x = batch((6, 7))

    def total(sigma, x):
        net = ntk.Serial(
            ntk.Dense(8, sigma_w=sigma), ntk.Erf(), ntk.BatchNorm(eps=0.1, draws=64), ntk.Dense(8)
        )
        K = ntk.kernel(ntk.Serial(*net.layers, ntk.BatchNorm(eps=0.1), ntk.Relu()), x)
        return K.ntk[0, 1] + jnp.sum(jnp.sin(K.nngp))

    by_sigma, by_x = jax.jit(jax.grad(total, argnums=(0, 1)))(1.3, x)
    step = 1e-5
    slope = (total(1.3 + step, x) - total(1.3 - step, x)) / (2 * step)
    np.testing.assert_allclose(by_sigma, slope, rtol=1e-5)
    direction = batch(x.shape, seed=2)
    slope = (total(1.3, x + step * direction) - total(1.3, x - step * direction)) / (2 * step)
    np.testing.assert_allclose(jnp.vdot(by_x, direction), slope, rtol=1e-5)
    mapped = jax.vmap(total, (None, 0))(1.3, jnp.stack([x, 2 * x]))
    np.testing.assert_allclose(mapped[0], total(1.3, x), rtol=1e-9)


def test_single_precision_and_awkward_batches(x64):
    x = batch((8, 9))
    x = jnp.concatenate([x, x[:2], 0 * x[:1], -x[1:2], 3 * x[2:3], x[3:4] + 1e-9])
    for net, tolerance in ((before(ntk.Relu()), 1e-4), (before(ntk.Erf(), draws=256), 1e-2)):
        double, single = ntk.kernel(net, x), ntk.kernel(net, x.astype(np.float32))
        for a, b in zip(double, single, strict=True):
            assert b.dtype == np.float32
            scale = float(jnp.abs(a).max())
            np.testing.assert_allclose(a, b, atol=tolerance * scale)
            np.testing.assert_array_equal(a, a.T)
            np.testing.assert_allclose(a[0], a[8], atol=1e-5 * scale)
            assert np.linalg.eigvalsh(a)[0] > -1e-6 * scale
    # One example, less its mean, is nothing.
    np.testing.assert_array_equal(ntk.kernel(before(ntk.Relu()), x[:1], x[:5], get="ntk"), 0)


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


X = np.ones((2, 3), np.float32)
DENSE = ntk.Dense(4)
BAD = {
    "negative eps": (lambda: ntk.BatchNorm(eps=-1), InvalidValueError, "eps"),
    "draws": (lambda: ntk.BatchNorm(draws=1000), InvalidValueError, "power of two.*1000"),
    "half a draw": (lambda: ntk.BatchNorm(draws=0.5), InvalidTypeError, "draws"),
    "one example": (lambda: ntk.BatchNorm().apply((), X[0]), ShapeError, r"batch .*\(3,\)"),
    "of the input": (
        lambda: ntk.kernel(ntk.Serial(ntk.BatchNorm(), DENSE), X),
        InvalidValueError,
        r"in layer 0, BatchNorm\(\): BatchNorm has a limit where .*right after weights",
    ),
    "after dropout": (
        lambda: ntk.kernel(ntk.Serial(DENSE, ntk.Dropout(0.1), ntk.BatchNorm()), X),
        InvalidValueError,
        "in layer 2, .*right after weights",
    ),
    "a pool between": (
        lambda: ntk.kernel(
            ntk.Serial(ntk.Conv(4, (2,)), ntk.Relu(), ntk.AvgPool((2,)), ntk.BatchNorm()),
            np.ones((2, 4, 3), np.float32),
        ),
        InvalidValueError,
        "in layer 3, .*right after weights",
    ),
    "layer norm after it": (
        lambda: ntk.kernel(ntk.Serial(DENSE, ntk.BatchNorm(), ntk.LayerNorm()), X),
        InvalidValueError,
        "in layer 2, LayerNorm",
    ),
    "an error further on": (
        lambda: ntk.kernel(ntk.Serial(DENSE, ntk.BatchNorm(), ntk.Relu(), ntk.Conv(4, (2,))), X),
        ShapeError,
        "in layer 3, Conv",
    ),
    "empirical": (
        lambda: ntk.empirical_ntk(
            before().apply, before().init(jax.random.key(0), (3,)), batch((4, 3), dtype=np.float32)
        ),
        InvalidValueError,
        "coupled=True",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call()
