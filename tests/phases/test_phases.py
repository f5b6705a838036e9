"""Fixed points, critical scales and depth scales against iteration, closed forms and quadrature."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import ntk
from ntk import phases
from ntk.layers import ACTIVATIONS, Pair
from ntk.phases import MeanField

TANH = MeanField("tanh", 1.5, 0.3)
# Those by quadrature are slow to compile; tanh stands for them.
QUICK = sorted(set(ACTIVATIONS) - {"elu", "sigmoid", "silu", "softplus", "swish"})


def normal_mean(function):
    with mp.workdps(25):
        return mp.quad(lambda z: function(z) * mp.npdf(z), [-12, -3, -1, 0, 1, 3, 12])


def iterate(field, q1, q2, c, depth):
    path = phases.trajectory(field, q1, q2, c, depth)
    return [float(part[-1]) for part in path]


@pytest.mark.parametrize(("bias", "weight"), [(0.05, 1.76095), (0.1, 1.98607), (0.2, 2.28515)])
def test_critical_tanh_has_the_published_scales(bias, weight):
    point = phases.critical_point("tanh", bias**0.5)
    assert point.sigma_w**2 == pytest.approx(weight, abs=5e-6)
    # And both equations hold, by another quadrature.
    root = mp.sqrt(point.length)
    square = normal_mean(lambda z: mp.tanh(root * z) ** 2)
    slope = normal_mean(lambda z: mp.sech(root * z) ** 4)
    assert float(point.sigma_w**2 * square + bias) == pytest.approx(point.length, rel=1e-12)
    assert float(point.sigma_w**2 * slope) == pytest.approx(1.0, rel=1e-12)


def test_critical_points_without_bias():
    assert phases.critical_point("relu") == pytest.approx((2**0.5, 0, 0))
    assert phases.critical_point("tanh") == pytest.approx((1, 0, 0))
    assert phases.critical_point("erf") == pytest.approx((np.pi**0.5 / 2, 0, 0))
    assert phases.critical_point("identity") == pytest.approx((1, 0, 0))
    # Lengths of a sigmoid come from its mean: there is a critical point of finite length.
    assert phases.critical_point("sigmoid").length > 1


def test_critical_gelu_and_where_it_stops_to_attract():
    # Roberts et al. 2022, "The principles of deep learning theory", chapter 5: both slopes are 1 at
    # sigma_b^2 = 0.17292239, sigma_w^2 = 1.98305826. Below that bias the fixed point repels.
    square, length = 0.17292239, (3 + 17**0.5) / 2
    just_above = phases.critical_point("gelu", (1.0001 * square) ** 0.5)
    assert just_above.sigma_w**2 == pytest.approx(1.98305826, rel=1e-5)
    assert just_above.length == pytest.approx(length, rel=1e-3)
    with pytest.raises(ntk.errors.InvalidValueError, match="no critical sigma_w"):
        phases.critical_point("gelu", (0.999 * square) ** 0.5)


def test_an_activation_of_one_s_own_is_as_good_as_a_named_one():
    own = phases.critical_point(ntk.Activation(jnp.tanh), 0.3)
    assert own == pytest.approx(phases.critical_point("tanh", 0.3), rel=1e-9)


def test_the_critical_line_is_made_of_critical_points():
    biases = np.array([0.0, 0.2, 0.7])
    line = phases.critical_line("erf", biases)
    points = [phases.critical_point("erf", float(b)).sigma_w ** 2 for b in biases]
    np.testing.assert_allclose(line, points, rtol=1e-12)
    relu = phases.critical_line("relu", biases)
    np.testing.assert_array_equal(np.isnan(relu), [False, True, True])


def test_the_ordered_phase_of_tanh():
    point = phases.fixed_point(MeanField("tanh", 1.0, 0.05**0.5))
    assert point.phase == "ordered"
    assert point.correlation == 1.0
    # -log chi_1 as the literature has it for these scales.
    assert 1 / point.correlation_scale == pytest.approx(0.27571, abs=1e-5)
    assert point.chi_1 == pytest.approx(np.exp(-1 / point.correlation_scale), rel=1e-12)


@pytest.mark.parametrize(
    "field",
    [
        MeanField("tanh", 1.6, 0.3),
        MeanField("erf", 2.5, 0.2),
        MeanField("sin", 1.7, 0.4),
        MeanField("relu", 1.2, 0.5),
        MeanField("abs", 0.9, 0.5),
        MeanField("sign", 0.8, 0.3),
        MeanField.normalized("relu", 0.3, centre=True),
    ],
    ids=lambda field: f"{field.activation!r}",
)
def test_iteration_arrives_at_the_fixed_point(x64, field):
    point = phases.fixed_point(field)
    q1, q2, c = iterate(field, 0.3, 2.0, -0.2, 600)
    np.testing.assert_allclose([q1, q2], point.length, rtol=1e-9)
    assert c == pytest.approx(point.correlation, abs=1e-7)
    assert (point.phase == "chaotic") == (point.correlation < 1) == (point.chi_1 > 1)


def test_differences_decay_over_the_depth_scales(x64):
    for field in (TANH, MeanField("tanh", 2.5, 0.2)):
        point = phases.fixed_point(field)
        path = phases.trajectory(field, 1.01 * point.length, point.length, point.correlation, 12)
        gap = np.abs(np.asarray(path.length1) - point.length)
        np.testing.assert_allclose(gap[12] / gap[11], np.exp(-1 / point.length_scale), rtol=1e-3)
        start = point.correlation - 1e-4
        path = phases.trajectory(field, point.length, point.length, start, 12)
        gap = np.abs(np.asarray(path.correlation) - point.correlation)
        rate = np.exp(-1 / point.correlation_scale)
        np.testing.assert_allclose(gap[12] / gap[11], rate, rtol=1e-3)


@pytest.mark.parametrize("excess", [1e-3, 1e-6, 1e-9])
def test_next_to_criticality_the_correlation_keeps_its_digits(excess):
    # C(1 - d) = 1 - chi_1 d + C'' d^2 / 2, so that d* = 2 (chi_1 - 1) / C'' to first order.
    critical = phases.critical_point("tanh", 0.3)
    field = MeanField("tanh", critical.sigma_w * (1 + excess), 0.3)
    point = phases.fixed_point(field)
    root = mp.sqrt(point.length)
    bend = normal_mean(lambda z: (2 * mp.tanh(root * z) * mp.sech(root * z) ** 2) ** 2)
    curvature = float(field.sigma_w**2 * point.length * bend)
    first_order = 2 * (point.chi_1 - 1) / curvature
    assert 1 - point.correlation == pytest.approx(first_order, rel=10 * excess + 2e-5)
    assert point.phase == "chaotic"


def test_the_kinked_chaotic_fixed_point_next_to_one():
    # Of a kinked function 1 - C falls as chi d - (const) d^(3/2), and d* is a square.
    gaps = [
        1 - phases.fixed_correlation(MeanField.normalized("relu", beta, centre=True))
        for beta in (np.sqrt(1 / np.pi - e) for e in (1e-3, 1e-4))
    ]
    assert gaps[0] / gaps[1] == pytest.approx(100, rel=0.02)


def test_relu_by_hand(x64):
    field = MeanField("relu", 1.1, 0.7)
    assert phases.fixed_length(field) == pytest.approx(0.49 / (1 - 0.605), rel=1e-12)
    assert float(field.chi(3.0)) == pytest.approx(0.605)
    np.testing.assert_allclose(field.chi(3.0, 0.0), 0.605 / 2)
    np.testing.assert_allclose(field.length_slope(0.4), 0.605)
    # Without bias every length stays, for one scale of weights.
    still = MeanField("relu", 2**0.5)
    point = phases.fixed_point(still, length=3.0)
    assert (point.length, point.phase) == (3.0, "critical")
    assert point.correlation_scale == point.length_scale == np.inf
    assert phases.fixed_length(MeanField("relu", 1.2)) == 0.0


@jax.jit
def maps_and_differences(field, q, c):
    step = 1e-5
    after, up, down = (field.length_map(q + s) for s in (0.0, step, -step))
    turned = [field.correlation_map(c + s, q) * after for s in (step, -step)]
    return {
        "length": (field.length_slope(q), (up - down) / (2 * step)),
        # Of the covariance, which is the correlation times the length before and after.
        "correlation": (field.chi(q, c) * q, (turned[0] - turned[1]) / (2 * step)),
        "parallel": (field.correlation_map(1.0, q), jnp.ones_like(q)),
    }


@pytest.mark.parametrize("name", QUICK)
def test_slopes_of_every_activation(x64, name):
    field = MeanField(name, 0.7, 0.3)
    found = maps_and_differences(field, jnp.asarray([0.4, 1.0]), jnp.asarray([-0.3, 0.6]))
    for formula, difference in found.values():
        np.testing.assert_allclose(formula, difference, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["relu", "erf", "sign"])
def test_the_maps_are_the_recursion_of_the_nngp(x64, name):
    field = MeanField(name, 0.7, 0.3)
    x = jnp.asarray([[1.0, 0.0], [0.6, 0.8]]) * 2**0.5
    net = ntk.Serial(ntk.Dense(8), field.activation, ntk.Dense(1, sigma_w=0.7, sigma_b=0.3))
    K = ntk.kernel(net, x, get="nngp")
    np.testing.assert_allclose(K[0, 0], field.length_map(1.0), rtol=1e-12)
    np.testing.assert_allclose(K[0, 1] / K[0, 0], field.correlation_map(0.6, 1.0), rtol=1e-12)


def test_wide_networks_follow_the_maps():
    field, width, depth, nets = MeanField("tanh", 2.0, 0.1), 256, 3, 60
    layers = [ntk.Dense(width, sigma_w=2.0, sigma_b=0.1)]
    for _ in range(depth):
        layers += [ntk.Tanh(), ntk.Dense(width, sigma_w=2.0, sigma_b=0.1)]
    net = ntk.Serial(*layers)
    x = jnp.asarray([[1.0, 0.0], [0.8, 0.6]]) * 2**0.5

    @jax.jit
    @jax.vmap
    def moments(key):
        h = net.apply(net.init(key, (2,)), x)
        return h @ h.T / width

    found = np.asarray(moments(jax.random.split(jax.random.key(0), nets)), float)
    first = 4.0 + 0.01, 4.0 * 0.8 + 0.01
    path = phases.trajectory(field, first[0], first[0], first[1] / first[0], depth)
    # Four standard errors, and the bias of finite width, which is of order depth / width.
    slack = 4 * found.std(0, ddof=1) / nets**0.5 + float(path.length1[-1]) * depth / width

    def predicted(layer):
        c = float(path.correlation[layer])
        return float(path.length1[layer]) * np.array([[1, c], [c, 1]])

    assert (np.abs(found.mean(0) - predicted(-1)) < slack).all()
    assert abs(found.mean(0) - predicted(-2))[0, 1] > slack[0, 1]


# --- freeze and chaos -----------------------------------------------------------------------------


def test_characteristic_values_by_hand():
    r = phases.characteristic_value
    assert r("relu", 0.6) == pytest.approx(1 - 0.36, rel=1e-12)
    assert r("relu", centre=True) == pytest.approx(np.pi / (np.pi - 1), rel=1e-12)
    assert r("relu", 0.5, centre=True) == pytest.approx(0.75 * np.pi / (np.pi - 1), rel=1e-12)
    square, slope = (normal_mean(f) for f in (lambda z: mp.tanh(z) ** 2, lambda z: mp.sech(z) ** 4))
    assert r("tanh") == pytest.approx(float(slope / square), rel=1e-12)
    assert phases.critical_beta("relu", centre=True) ** 2 == pytest.approx(1 / np.pi, rel=1e-12)
    assert phases.critical_beta("relu") == pytest.approx(0.0, abs=1e-6)


def normalised_ntk(field, depth):
    """Off-diagonal over diagonal for two orthogonal inputs."""
    net = ntk.mlp(depth, 8, field.activation, sigma_w=field.sigma_w, sigma_b=field.sigma_b)
    K = ntk.kernel(net, 2**0.5 * np.eye(2), get="ntk")
    return float(K[0, 1] / K[0, 0])


def test_the_criterion_decides_what_a_deep_kernel_does(x64):
    # Layer normalisation makes chaos out of freeze, unless the bias is larger than 1 / pi.
    frozen = MeanField.normalized("relu", 0.1**0.5)
    assert normalised_ntk(frozen, 100) == pytest.approx(0.9901, abs=1e-4)
    chaotic = MeanField.normalized("relu", 0.1**0.5, centre=True)
    assert normalised_ntk(chaotic, 200) < 1e-4
    assert normalised_ntk(MeanField.normalized("relu", 0.4**0.5, centre=True), 200) > 0.999


@jax.jit
def moments_and_function(sigma, points):
    one = jnp.ones(())
    parts = sigma.dual(one, one, one), sigma.dual(0 * one, one, one)
    return *parts, sigma.dual_derivative(0.3 * one, one, one), sigma.function(points)


@pytest.mark.parametrize("name", ["abs", "erf", "exp", "relu", "sign", "sin", "tanh"])
@pytest.mark.parametrize("centre", [False, True])
def test_standardised_moments(x64, name, centre):
    sigma = phases.Standardized(name, centre)
    # A rule for either side of zero, where kinks are.
    node, weight = np.polynomial.legendre.leggauss(100)
    point, share = 6 * (node + 1), 6 * weight * np.exp(-18 * (node + 1) ** 2) / (2 * np.pi) ** 0.5
    found = moments_and_function(sigma, np.append(point, -point))
    second, square, slope, values = (np.asarray(part) for part in found)
    share = np.append(share, share)
    assert second == pytest.approx(1.0, rel=1e-12)
    assert share @ values**2 == pytest.approx(1.0, rel=1e-9)
    assert square == pytest.approx((share @ values) ** 2, abs=1e-9)
    if centre:
        assert square == pytest.approx(0.0, abs=1e-12)
    inner = ntk.layers.activation(name)
    plain = [np.asarray(part) for part in moments_and_function(inner, point)]
    size = plain[0] - plain[1] if centre else plain[0]
    assert slope == pytest.approx(plain[2] / size, rel=1e-12)


def test_the_gap_of_a_centred_activation_is_not_rounding(x64):
    sigma = phases.Standardized("relu", centre=True)
    v1, v2 = jnp.asarray([1.0, 1.3, 1.0, 0.6]), jnp.asarray([1.0, 0.8, 1.0, 0.9])
    gap = jnp.asarray([1e-12, 0.2, 1.4, 0.3])
    sign = jnp.asarray([1.0, 1.0, 1.0, -1.0])
    pair = Pair(sign * (jnp.sqrt(v1 * v2) - gap), v1, v2, gap)
    found = sigma.expectations(pair)
    # Next to coincidence: 1 - C = chi d, with d the gap.
    assert found.gap[0] == pytest.approx(1e-12 * np.pi / (np.pi - 1), rel=1e-5)
    ends = [sigma.expectations(Pair.diagonal(v)).dual for v in (v1, v2)]
    expected = jnp.sqrt(ends[0] * ends[1]) - jnp.abs(found.dual)
    np.testing.assert_allclose(found.gap[1:], expected[1:], rtol=1e-12)


def test_a_finite_network_with_a_centred_activation_has_the_limit():
    sigma, scales, nets = phases.Standardized("relu", centre=True), (0.9**0.5, 0.1**0.5), 300
    net = ntk.mlp(1, 64, sigma, sigma_w=scales[0], sigma_b=scales[1])
    x = jnp.asarray([[1.0, 0.0], [0.6, 0.8]]) * 2**0.5

    @jax.jit
    @jax.vmap
    def kernels(key):
        return ntk.empirical_ntk(net.apply, net.init(key, (2,)), x)

    # With one hidden layer the mean over networks is the limit at every width.
    found = np.asarray(kernels(jax.random.split(jax.random.key(1), nets)))
    error = found.std(0, ddof=1) / nets**0.5
    assert (np.abs(found.mean(0) - ntk.kernel(net, x, get="ntk")) < 4 * error).all()
    plain = ntk.mlp(1, 64, phases.Standardized("relu"), sigma_w=scales[0], sigma_b=scales[1])
    assert (np.abs(found.mean(0) - ntk.kernel(plain, x, get="ntk")) > 4 * error).all()


# --- diagrams, transformations, precision ---------------------------------------------------------


def test_a_diagram_is_made_of_fixed_points():
    w2, b2 = np.array([0.5, 1.0, 1.8, 4.0]), np.array([0.0, 0.05, 0.4])
    grid = phases.diagram("tanh", w2, b2)
    assert grid.chi_1.shape == (3, 4)
    for i, j in np.ndindex(grid.chi_1.shape):
        field = MeanField("tanh", w2[j] ** 0.5, b2[i] ** 0.5)
        if grid.length[i, j] == 0:
            assert b2[i] == 0
            assert w2[j] <= 1
            assert grid.chi_1[i, j] == pytest.approx(w2[j])
            assert np.isnan(grid.correlation[i, j])
            continue
        point = phases.fixed_point(field)
        at = tuple(float(part[i, j]) for part in grid[2:])
        np.testing.assert_allclose(at, point[:2] + point[2:3] + point[3:5], rtol=1e-9)
    relu = phases.diagram("relu", np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.1]))
    np.testing.assert_array_equal(np.isnan(relu.length), [[False, True, True], [False, True, True]])


def test_maps_trace_batch_and_differentiate(x64):
    def length(sigma_w, q):
        return MeanField("tanh", sigma_w, 0.3).length_map(q)

    slope = jax.jit(jax.vmap(jax.grad(length), (None, 0)))(1.5, jnp.asarray([0.5, 1.0]))
    steps = [length(1.5 + s, jnp.asarray([0.5, 1.0])) for s in (1e-6, -1e-6)]
    np.testing.assert_allclose(slope, (steps[0] - steps[1]) / 2e-6, rtol=1e-7)

    def last(sigma_b):
        field = MeanField("tanh", 1.5, sigma_b)
        return phases.trajectory(field, 1.0, 1.0, 0.1, 5).correlation[-1]

    by_hand = (last(0.3 + 1e-6) - last(0.3 - 1e-6)) / 2e-6
    np.testing.assert_allclose(jax.jit(jax.grad(last))(0.3), by_hand, rtol=1e-6)


def test_fixed_points_are_in_double_precision_whatever_jax_is_set_to():
    assert not jax.config.jax_enable_x64
    single = phases.fixed_point(TANH)
    with jax.enable_x64(True):
        double = phases.fixed_point(TANH)
    assert single == double
    assert TANH.length_map(1.0).dtype == jnp.float32
