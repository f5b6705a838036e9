"""Function space against sums written out, finite differences, and models that train."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import ntk
from ntk import function_space as fs

N, M, OUT = 5, 3, 2
RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((N + M, OUT, 20))
ALL = np.einsum("iap,jbp->ijab", FEATURES, FEATURES)  # a kernel of two outputs, positive definite
K, K_OFF = ALL[:N, :N], ALL[N:, :N]
F, G = RNG.standard_normal((2, N, OUT))
WEIGHTS = np.array([0.1, 0.4, 0.2, 0.05, 0.5])


def cross_entropy(f):
    return -jnp.mean(jax.nn.log_softmax(f, axis=1)[:, 0])


def log_cosh(f):
    return jnp.mean(jnp.logaddexp(f - 1.0, 1.0 - f))


# --- the bilinear forms ---------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_forms_are_the_sums_of_their_definitions(x64, weights):
    w = np.full(N, 1 / N) if weights is None else weights
    plain = sum(w[i] * F[i] @ G[i] for i in range(N))
    double = sum(w[i] * w[j] * F[i] @ K[i, j] @ G[j] for i in range(N) for j in range(N))
    np.testing.assert_allclose(fs.inner_product(F, G, weights), plain, rtol=1e-13)
    np.testing.assert_allclose(fs.kernel_inner_product(K, F, G, weights), double, rtol=1e-13)
    root = fs.kernel_seminorm(K, F, weights)
    np.testing.assert_allclose(root**2, fs.kernel_inner_product(K, F, F, weights), rtol=1e-13)
    np.testing.assert_allclose(fs.seminorm(F, weights) ** 2, fs.inner_product(F, F, weights))


def test_a_scalar_kernel_is_that_kernel_times_the_identity(x64):
    scalar = K[..., 0, 0]
    whole = scalar[..., None, None] * np.eye(OUT)
    np.testing.assert_allclose(
        fs.kernel_inner_product(scalar, F, G), fs.kernel_inner_product(whole, F, G), rtol=1e-13
    )
    np.testing.assert_array_equal(
        fs.kernel_matrix(scalar, outputs=OUT), fs.kernel_matrix(whole, outputs=OUT)
    )
    mu = fs.DualElement(F, WEIGHTS)
    np.testing.assert_allclose(fs.dual_map(scalar, mu), fs.dual_map(whole, mu), rtol=1e-13)


def test_the_matrix_of_a_kernel_orders_points_before_outputs(x64):
    gram = fs.kernel_matrix(K)
    assert gram.shape == (N * OUT, N * OUT)
    assert gram[2 * OUT + 1, 3 * OUT] == K[2, 3, 1, 0]
    np.testing.assert_allclose(
        F.ravel() @ gram @ G.ravel() / N**2, fs.kernel_inner_product(K, F, G), rtol=1e-13
    )
    assert fs.kernel_matrix(K_OFF).shape == (M * OUT, N * OUT)


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_a_null_direction_has_no_seminorm(scale):
    # Single precision, where 1e-40 would underflow and the sum leaves rounding of either sign.
    mean_only = np.full((N, N), scale, np.float32)
    f = np.asarray(F[:, :1] - F[:, :1].mean(), np.float32)
    assert fs.kernel_seminorm(mean_only, f) <= 1e-3 * np.sqrt(scale) * fs.seminorm(f)
    assert fs.seminorm(f) > 0.1


def test_points_of_weight_zero_do_not_exist(x64):
    without = np.array([0.5, 0.5, 0.0, 0.0, 0.0])
    other = np.concatenate([F[:2], 1e6 + F[2:]])
    assert fs.inner_product(F, G, without) == fs.inner_product(other, G, without)
    assert fs.kernel_inner_product(K, F, G, without) == fs.kernel_inner_product(
        K, other, G, without
    )


# --- dual elements --------------------------------------------------------------------------------


def test_the_dual_map_represents_the_form_in_the_geometry_of_the_kernel(x64):
    mu = fs.DualElement(F, WEIGHTS)
    image = fs.dual_map(K, mu)
    # <Phi_K(mu), g>_pin = <d, g>_K, and mu itself is <d, .>_pin.
    np.testing.assert_allclose(
        fs.inner_product(image, G, WEIGHTS), fs.kernel_inner_product(K, F, G, WEIGHTS), rtol=1e-12
    )
    np.testing.assert_allclose(mu(G), fs.inner_product(F, G, WEIGHTS), rtol=1e-14)
    by_hand = [sum(WEIGHTS[j] * K_OFF[i, j] @ F[j] for j in range(N)) for i in range(M)]
    np.testing.assert_allclose(fs.dual_map(K_OFF, mu), by_hand, rtol=1e-12)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("cost", [cross_entropy, log_cosh])
def test_the_derivative_is_the_first_order_of_the_cost(x64, cost, weights):
    mu, eps = fs.derivative(cost, F, weights), 1e-6
    difference = (cost(F + eps * G) - cost(F - eps * G)) / (2 * eps)
    np.testing.assert_allclose(mu(G), difference, rtol=1e-8)


def test_the_derivative_of_a_squared_distance_is_the_difference(x64):
    mu = fs.derivative(lambda f: 0.5 * fs.inner_product(f - G, f - G, WEIGHTS), F, WEIGHTS)
    np.testing.assert_allclose(mu.d, F - G, rtol=1e-12)


def test_a_dual_element_is_a_pytree(x64):
    mu = fs.DualElement(F, WEIGHTS)
    doubled = jax.tree.map(lambda leaf: 2 * leaf, mu)
    np.testing.assert_allclose(doubled(G), 4 * mu(G), rtol=1e-14)
    np.testing.assert_allclose(jax.jit(lambda form: form(G))(mu), mu(G), rtol=1e-14)


# --- the kernel gradient --------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, WEIGHTS, 100 * WEIGHTS])
def test_the_kernel_gradient_is_the_dual_map_of_the_derivative_under_any_weights(x64, weights):
    mu = fs.derivative(cross_entropy, F, weights)
    for kernel in (K, K_OFF):
        expected = fs.dual_map(kernel, mu)
        np.testing.assert_allclose(
            fs.kernel_gradient(kernel, cross_entropy, F), expected, rtol=1e-12
        )
    np.testing.assert_allclose(
        fs.cost_rate(K, cross_entropy, F), -(fs.kernel_seminorm(K, mu.d, weights) ** 2), rtol=1e-12
    )


def test_a_network_moves_against_the_kernel_gradient_of_its_tangent_kernel(x64):
    # Both outputs, a cost that couples them, and points off the data: by the flow of parameters.
    net = ntk.mlp(1, 16, "tanh", sigma_b=0.5, outputs=OUT)
    x = jnp.asarray(RNG.standard_normal((N + M, 4)))
    params = net.init(jax.random.key(0), (4,))
    slope = jax.grad(lambda p: cross_entropy(net.apply(p, x[:N])))(params)
    downhill = jax.tree.map(jnp.negative, slope)
    outputs, velocity = jax.jvp(lambda p: net.apply(p, x), (params,), (downhill,))
    theta = ntk.empirical_ntk(net.apply, params, x, x[:N], output="full")
    gradient = fs.kernel_gradient(theta, cross_entropy, outputs[:N])
    np.testing.assert_allclose(velocity, -gradient, rtol=1e-10)
    lost = fs.cost_rate(theta[:N], cross_entropy, outputs[:N])
    squares = sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(slope))
    np.testing.assert_allclose(lost, -squares, rtol=1e-10)


def test_it_traces(x64):
    inside = jax.jit(lambda k, f: fs.kernel_gradient(k, cross_entropy, f))(K, F)
    np.testing.assert_allclose(inside, fs.kernel_gradient(K, cross_entropy, F), rtol=1e-12)
    many = jax.vmap(lambda f: fs.kernel_seminorm(K, f, WEIGHTS))(jnp.stack([F, G]))
    np.testing.assert_allclose(many[1], fs.kernel_seminorm(K, G, WEIGHTS), rtol=1e-13)
    assert jax.jit(lambda f: fs.derivative(log_cosh, f))(F).d.shape == F.shape
    np.testing.assert_allclose(
        jax.grad(lambda f: fs.cost_rate(K, log_cosh, f))(jnp.asarray(F)).shape, F.shape
    )


# --- descent --------------------------------------------------------------------------------------

TARGET = RNG.standard_normal((N, OUT))


def squared(f):
    return 0.5 * jnp.sum((f - TARGET) ** 2)


def test_descent_of_a_squared_cost_is_the_matrix_exponential(x64):
    gram, off = (np.asarray(fs.kernel_matrix(kernel)) for kernel in (K, K_OFF))
    descent = fs.KernelGradientDescent(K, squared, F)
    times = np.array([0.07, 0.0, 0.02])  # not in order
    start = RNG.standard_normal((M, OUT))
    train, test = descent.train(times), descent.test(times, K_OFF, start)
    np.testing.assert_array_equal(train[1], F)
    for i, t in enumerate(times):
        residual = scipy.linalg.expm(-t * gram) @ (F - TARGET).ravel()
        now = TARGET + residual.reshape(F.shape)
        np.testing.assert_allclose(train[i], now, atol=1e-8)
        moved = off @ np.linalg.solve(gram, (now - F).ravel())
        np.testing.assert_allclose(test[i], start + moved.reshape(start.shape), atol=1e-8)


def test_the_cost_falls_at_the_rate_that_the_seminorm_says(x64):
    descent, eps = fs.KernelGradientDescent(K, cross_entropy, F), 1e-3
    before, now, after = descent.train(np.array([0.5 - eps, 0.5, 0.5 + eps]))
    difference = (cross_entropy(after) - cross_entropy(before)) / (2 * eps)
    np.testing.assert_allclose(fs.cost_rate(K, cross_entropy, now), difference, rtol=1e-4)


def test_a_convex_cost_reaches_its_minimum_unless_the_kernel_has_a_null_direction(x64):
    definite = np.diag([1.0, 2.0, 0.5]) + 0.1
    start = np.array([[3.0], [-1.0], [0.5]])
    end = fs.KernelGradientDescent(definite, log_cosh, start).train(200.0)
    assert log_cosh(end) - log_cosh(jnp.ones_like(end)) < 1e-8
    null = np.array([1.0, -1.0, 0.0]) / np.sqrt(2)
    lame = definite @ (np.eye(3) - np.outer(null, null))
    lame = (np.eye(3) - np.outer(null, null)) @ lame
    stuck = fs.KernelGradientDescent(lame, log_cosh, start).train(200.0)
    np.testing.assert_allclose(null @ stuck, null @ start, atol=1e-8)
    assert log_cosh(stuck) - log_cosh(jnp.ones_like(stuck)) > 0.1
    np.testing.assert_allclose(fs.cost_rate(lame, log_cosh, stuck), 0.0, atol=1e-8)


def test_single_precision_stays_single():
    descent = fs.KernelGradientDescent(
        K.astype(np.float32), cross_entropy, F.astype(np.float32), tolerance=1e-4
    )
    assert descent.train(np.array([0.1, 0.2])).dtype == np.float32
