"""Convolutions and pools: each limit is what the finite layer's own gradients say."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk

SIZES = {1: (7,), 2: (5, 6), 3: (3, 4, 3)}


def batch(shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def own_kernel(layer, x, z):
    """Gram matrix of one layer's gradients, over positions: exact at every width."""
    params = layer.init(jax.random.key(0), x.shape[1:])

    def gradients(inputs):
        tree = jax.jacobian(lambda p: layer.apply(p, inputs)[..., 0])(params)
        return [leaf.reshape(*leaf.shape[: inputs.ndim - 1], -1) for leaf in jax.tree.leaves(tree)]

    @jax.jit
    def gram(x, z):
        return sum(
            jnp.tensordot(a, b, ([-1], [-1])).transpose(
                0, a.ndim - 1, *range(1, a.ndim - 1), *range(a.ndim, 2 * a.ndim - 2)
            )
            for a, b in zip(gradients(x), gradients(z), strict=True)
        )

    return gram(x, z)


CASES = [
    (axes, padding, stride)
    for axes, padding, stride in itertools.product((1, 2, 3), ("SAME", "VALID", "CIRCULAR"), (1, 2))
    if axes == 2 or stride == 2
]


WINDOWS = {1: (3,), 2: (3, 2), 3: (2, 3, 2)}


@pytest.mark.parametrize(("axes", "padding", "stride"), CASES)
def test_first_convolution_is_the_gram_matrix_of_its_gradients(x64, axes, padding, stride):
    x, z = batch((2, *SIZES[axes], 3)), batch((1, *SIZES[axes], 3), seed=1)
    form = "standard" if stride == 1 else "ntk"
    conv = ntk.Conv(
        2,
        WINDOWS[axes],
        strides=(stride,) * axes,
        padding=padding,
        sigma_w=1.3,
        sigma_b=0.4,
        parametrization=form,
    )
    K, gram = ntk.kernel(conv, x, z), own_kernel(conv, x, z)
    np.testing.assert_allclose(K.ntk, gram, rtol=1e-12, atol=1e-13)
    if form == "standard":
        # Three channels and a window of six: the gradients know neither the scale.
        gram = 1.3**2 / 18 * (gram - 1) + 0.4**2
    np.testing.assert_allclose(K.nngp, gram, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("axes", "padding", "stride"), CASES)
def test_first_transposed_convolution_is_the_gram_matrix_of_its_gradients(
    x64, axes, padding, stride
):
    x, z = batch((2, *SIZES[axes], 3)), batch((1, *SIZES[axes], 3), seed=1)
    net = ntk.ConvTranspose(
        2, WINDOWS[axes], strides=(stride,) * axes, padding=padding, sigma_w=1.3, sigma_b=0.4
    )
    K, gram = ntk.kernel(net, x, z), own_kernel(net, x, z)
    np.testing.assert_allclose(K.ntk, gram, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(K.nngp, gram, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("window", [(3, 2), (1, 5)])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3), (4, 2)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_transposed_convolution_is_that_of_jax(x64, window, strides, padding):
    net = ntk.ConvTranspose(4, window, strides=strides, padding=padding)
    x = batch((2, 5, 6, 3))
    params = net.init(jax.random.key(0), x.shape[1:])
    y = jax.lax.conv_transpose(
        x, params["weight"], strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    scale = (3 * window[0] * window[1]) ** -0.5
    np.testing.assert_allclose(net.apply(params, x), scale * y, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("strides", [(1, 1), (2, 3), (4, 2)])
def test_circular_transposed_convolution_is_the_same_away_from_the_edges(x64, strides):
    x = batch((1, 6, 6, 2))
    same, circular = (
        ntk.ConvTranspose(3, (3, 3), strides=strides, padding=p) for p in ("SAME", "CIRCULAR")
    )
    params = same.init(jax.random.key(0), x.shape[1:])
    y, z = same.apply(params, x), circular.apply(params, x)
    np.testing.assert_allclose(y[:, 2:-2, 2:-2], z[:, 2:-2, 2:-2], rtol=1e-12)
    rolled = circular.apply(params, jnp.roll(x, (1, 2), (1, 2)))
    expected = jnp.roll(z, (strides[0], 2 * strides[1]), (1, 2))
    np.testing.assert_allclose(rolled, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("pool", [ntk.AvgPool, ntk.SumPool])
@pytest.mark.parametrize(("axes", "padding", "stride"), CASES[::2])
def test_pool_is_its_own_matrix_on_either_side(x64, axes, padding, stride, pool):
    net = pool(WINDOWS[axes], strides=(stride,) * axes, padding=padding)
    x, z = batch((2, *SIZES[axes], 3)), batch((1, *SIZES[axes], 3), seed=1)
    a, b = (net.apply((), v) for v in (x, z))
    letters = "pqr"[:axes], "uvw"[:axes]
    expected = jnp.einsum(f"i{letters[0]}c,j{letters[1]}c->ij{''.join(letters)}", a, b) / 3
    np.testing.assert_allclose(ntk.kernel(net, x, z, get="nngp"), expected, rtol=1e-12, atol=1e-13)


def test_global_pool_and_flatten_bring_positions_together(x64):
    x = batch((4, 3, 5, 2))
    for net in (ntk.GlobalAvgPool(), ntk.Flatten()):
        y = net.apply((), x)
        expected = y @ y.T / y.shape[-1]
        np.testing.assert_allclose(ntk.kernel(net, x, get="nngp"), expected, rtol=1e-12)


@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_convolution_is_that_of_jax(x64, padding, strides):
    net = ntk.Conv(4, (3, 2), strides=strides, padding=padding, sigma_w=1.3, sigma_b=0.4)
    x = batch((2, 6, 7, 3))
    params = net.init(jax.random.key(0), x.shape[1:])
    y = jax.lax.conv_general_dilated(
        x, params["weight"], strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    expected = 1.3 / 18**0.5 * y + 0.4 * params["bias"]
    np.testing.assert_allclose(net.apply(params, x), expected, rtol=1e-12, atol=1e-14)


def test_circular_convolution_commutes_with_rolling(x64):
    first, second = (ntk.Conv(4, w, padding="CIRCULAR") for w in ((3, 3), (2, 3)))
    net = ntk.Serial(first, ntk.Erf(), second)
    x = batch((2, 5, 4, 3))
    params = net.init(jax.random.key(0), x.shape[1:])
    rolled = net.apply(params, jnp.roll(x, (1, 2), (1, 2)))
    np.testing.assert_allclose(rolled, jnp.roll(net.apply(params, x), (1, 2), (1, 2)), 1e-12)


def test_standard_parametrization_is_the_same_function_at_initialisation(x64):
    x = batch((2, 5, 5, 3))
    nets = [ntk.Conv(4, (3, 3), sigma_w=1.4, sigma_b=0.3, parametrization=p) for p in FORMS]
    outputs = [net.apply(net.init(jax.random.key(0), x.shape[1:]), x) for net in nets]
    np.testing.assert_allclose(*outputs, rtol=1e-12)


FORMS = ("ntk", "standard")


def image_net(*last, bias=0.2):
    conv = ntk.Conv(8, (3, 3), sigma_w=1.4, sigma_b=bias)
    return ntk.Serial(conv, ntk.Relu(), conv, ntk.Relu(), *last)


def test_kernel_over_positions_is_symmetric_under_exchange_of_inputs(x64, optimised):
    x, z = batch((3, 4, 5, 2)), batch((2, 4, 5, 2), seed=1)
    there, back = ntk.kernel(image_net(), x, z), ntk.kernel(image_net(), z, x)
    for a, b in zip(there, back, strict=True):
        assert a.shape == (3, 2, 4, 5, 4, 5)
        np.testing.assert_allclose(a, b.transpose(1, 0, 4, 5, 2, 3), rtol=1e-12)
    same = ntk.kernel(image_net(), x)
    for part in same:
        np.testing.assert_array_equal(part, part.transpose(1, 0, 4, 5, 2, 3))
        matrix = np.asarray(part).transpose(0, 2, 3, 1, 4, 5).reshape(60, 60)
        assert np.linalg.eigvalsh(matrix)[0] > 0


def test_flattened_kernel_is_the_trace_of_that_over_positions(x64):
    x = batch((3, 4, 5, 2))
    whole, flat = ntk.kernel(image_net(), x), ntk.kernel(image_net(ntk.Flatten()), x)
    pooled = ntk.kernel(image_net(ntk.GlobalAvgPool()), x)
    for w, f, p in zip(whole, flat, pooled, strict=True):
        np.testing.assert_allclose(jnp.einsum("ijpqpq->ij", w) / 20, f, rtol=1e-7)
        off = ~np.eye(3, dtype=bool)
        np.testing.assert_allclose((jnp.einsum("ijpqpq->ij", w) / 20)[off], f[off], rtol=1e-12)
        np.testing.assert_allclose(w.mean((2, 3, 4, 5)), p, rtol=1e-12)


@pytest.mark.parametrize("last", [(), (ntk.GlobalAvgPool(), ntk.Dense(1)), (ntk.Flatten(),)])
def test_tiles_do_not_show(x64, monkeypatch, last):
    x, z = batch((7, 4, 4, 2)), batch((5, 4, 4, 2), seed=1)
    net = image_net(*last)
    whole = [ntk.kernel(net, x), ntk.kernel(net, x, z)]
    ntk.analytic._kernel.clear_cache()
    monkeypatch.setattr("ntk.tiles.FIELD", 4 * 4 if last == (ntk.Flatten(),) else 4**4 * 4)
    monkeypatch.setattr("ntk.tiles.TILE", 2)
    tiled = [ntk.kernel(net, x), ntk.kernel(net, x, z)]
    ntk.analytic._kernel.clear_cache()
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(tiled), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_kernel_of_images_compiles_maps_and_differentiates(x64):
    x = batch((3, 4, 4, 2))
    conv = ntk.Conv(8, (3, 3), sigma_w=1.4, sigma_b=0.2)
    net = ntk.Serial(conv, ntk.Relu(), ntk.AvgPool((2, 2)), conv, ntk.GlobalAvgPool())
    K = ntk.kernel(net, x, get="ntk")
    np.testing.assert_allclose(jax.jit(lambda v: ntk.kernel(net, v, get="ntk"))(x), K, rtol=1e-13)
    mapped = jax.vmap(lambda v: ntk.kernel(net, v, get="ntk"))(jnp.stack([x, 2 * x]))
    np.testing.assert_allclose(mapped[0], K, rtol=1e-13)

    def total(net, v):
        return ntk.kernel(net, v, get="ntk").sum()

    by_net, by_input = jax.grad(total, argnums=(0, 1))(net, x)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((by_net, by_input)))
    step = 1e-6 * batch(x.shape, seed=2)
    slope = (total(net, x + step) - total(net, x - step)) / 2
    np.testing.assert_allclose(jnp.vdot(by_input, step), slope, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_duplicates_and_zeros_give_finite_kernels(x64, dtype):
    x = np.asarray(batch((3, 4, 4, 2)), dtype)
    x = np.concatenate([x, x[:1], 0 * x[:1], -x[1:2], 1e-6 * x[2:]]).astype(dtype)
    for last, bias in ((ntk.GlobalAvgPool(), None), (ntk.Flatten(), 0.1)):
        for part in ntk.kernel(image_net(last, bias=bias), x):
            assert part.dtype == dtype
            assert np.isfinite(part).all()
            np.testing.assert_array_equal(part, part.T)
            np.testing.assert_allclose(part[0], part[3], rtol=1e3 * np.finfo(dtype).eps ** 0.75)
