"""Eigenvalues, alignment and power laws of matrices whose answers are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk import spectra


def draw(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def with_spectrum(values, seed=0):
    basis = np.linalg.qr(draw((len(values), len(values)), seed))[0]
    gram = (basis * values) @ basis.T
    return (gram + gram.T) / 2, basis


class Products:
    """A matrix of which only the products are shown."""

    def __init__(self, gram):
        self._gram, self.shape, self.dtype, self.calls = gram, gram.shape, gram.dtype, 0

    def matvec(self, v):
        self.calls += 1
        return self._gram @ v


def test_eigenvalues_of_a_matrix_fall(x64):
    values = np.array([7.0, 0.5, 3.0, 1e-6])
    gram, _ = with_spectrum(values)
    found = spectra.eigenvalues(gram)
    np.testing.assert_allclose(found, np.sort(values)[::-1], atol=1e-14)
    np.testing.assert_array_equal(spectra.eigenvalues(gram, 2), found[:2])


@pytest.mark.parametrize("count", [1, 5, 25, 40])
def test_products_alone_give_the_largest_eigenvalues(x64, count):
    values = np.arange(1, 41.0) ** -2
    op = Products(with_spectrum(values)[0])
    np.testing.assert_allclose(spectra.eigenvalues(op, count), values[:count], rtol=1e-10)
    if count == 1:  # found without forming the matrix
        assert op.calls < 40


def test_the_operator_of_a_network_has_the_eigenvalues_of_its_matrix():
    net = ntk.mlp(1, 16, "erf", sigma_b=0.3, outputs=2)
    x = jnp.asarray(draw((12, 3)), jnp.float32)
    op = ntk.NTKOperator(net.apply, net.init(jax.random.key(0), (3,)), x)
    exact = np.linalg.eigvalsh(np.asarray(op.as_matrix(), float))[::-1]
    np.testing.assert_allclose(spectra.eigenvalues(op, 4), exact[:4], rtol=1e-5)
    np.testing.assert_allclose(
        spectra.condition_number(op), exact[0] / exact[-1], rtol=1e-6 * exact[0] / exact[-1]
    )


def test_condition_number_and_its_infinity(x64):
    values = np.array([9.0, 4.0, 3.0])
    gram, _ = with_spectrum(values)
    for form in (gram, values, Products(gram)):
        np.testing.assert_allclose(spectra.condition_number(form), 3.0, rtol=1e-13)
    # A duplicate input: singular, and what LAPACK returns for zero is rounding.
    twice = draw((6, 4))[[0, 1, 1, 2]]
    assert spectra.condition_number(twice @ twice.T) == np.inf
    assert np.isfinite(spectra.condition_number(np.diag([1.0, 1e-12])))
    assert spectra.condition_number(np.zeros((2, 2))) == np.inf


def test_effective_dimension_is_the_trace_of_the_smoother(x64):
    gram, _ = with_spectrum(np.array([5.0, 1.0, 0.1, 0.0, 0.0]))
    ridges = np.array([1e-3, 0.7, 1e6])
    for ridge, found in zip(ridges, spectra.effective_dimension(gram, ridges), strict=True):
        smoother = np.linalg.solve(gram + ridge * np.eye(5), gram)
        np.testing.assert_allclose(found, np.trace(smoother), rtol=1e-10)
    assert spectra.effective_dimension(gram, 1e-9) == pytest.approx(3.0, abs=1e-6)  # the rank


def test_decomposition_gives_back_matrix_and_targets(x64):
    gram, basis = with_spectrum(np.array([4.0, 2.0, 1.0]))
    y = 3.0 * basis[:, [1]] + 0.5 * basis[:, [2]]
    found = spectra.decompose(gram, np.hstack([y, y]))
    np.testing.assert_allclose(found.eigenvalues, np.array([4, 2, 1]) / 3)
    np.testing.assert_allclose(found.power, 2 * np.array([0, 9, 0.25]) / 3, atol=1e-14)


def test_target_alignment_is_the_written_quotient(x64):
    gram, y = with_spectrum(np.array([3.0, 1.0, 0.2, 0.0]))[0], draw((4, 2), seed=1)
    labels = y @ y.T
    norm = np.linalg.norm
    np.testing.assert_allclose(
        spectra.target_alignment(gram, y), np.sum(gram * labels) / norm(gram) / norm(labels)
    )
    np.testing.assert_allclose(
        spectra.target_alignment(gram, y, centre=True), spectra.cka(gram, labels), rtol=1e-12
    )
    assert spectra.target_alignment(labels, y) == pytest.approx(1.0)
    assert spectra.target_alignment(gram, y) < 0.99


def test_cka_knows_neither_scale_nor_a_constant_nor_a_rotation(x64):
    x = draw((9, 3))
    turn = np.linalg.qr(draw((3, 3), seed=2))[0]
    first, second = x @ x.T, (x @ turn) @ (x @ turn).T
    assert spectra.cka(first, 7.0 * second + 5.0) == pytest.approx(1.0, abs=1e-14)
    other = draw((9, 3), seed=3)
    centred = [part - part.mean(0) for part in (x, other)]
    # Kornblith et al. 2019, for linear kernels: by features instead of by examples.
    a, b = centred
    by_features = np.linalg.norm(a.T @ b) ** 2 / np.linalg.norm(a.T @ a) / np.linalg.norm(b.T @ b)
    np.testing.assert_allclose(spectra.cka(first, other @ other.T), by_features, rtol=1e-12)
    assert by_features < 0.9


def test_functions_of_matrices_trace_and_differentiate(x64):
    gram, y = with_spectrum(np.array([3.0, 1.0, 0.2]))[0], draw((3, 1))

    def total(scale):
        K = scale * gram + jnp.eye(3)
        return (
            spectra.condition_number(K)
            + spectra.effective_dimension(K, 0.3)
            + spectra.target_alignment(K, y)
            + spectra.cka(K, gram)
            + spectra.decompose(K, y).power @ jnp.arange(3.0)
        )

    up, down = total(1.0 + 1e-6), total(1.0 - 1e-6)
    np.testing.assert_allclose(jax.jit(jax.grad(total))(1.0), (up - down) / 2e-6, rtol=1e-6)


def test_results_have_the_precision_of_the_matrix():
    gram = jnp.eye(3, dtype=jnp.float32)
    assert spectra.eigenvalues(gram).dtype == jnp.float32
    assert spectra.effective_dimension(gram, 1.0).dtype == jnp.float32
    assert spectra.cka(gram, gram).dtype == jnp.float32


# --- power laws -----------------------------------------------------------------------------------


def test_the_exponent_of_a_bent_law_depends_on_the_range():
    k = np.arange(1.0, 201.0)
    values = 2.0 * k**-1.7 * (1 + 5 / k)
    near, far = spectra.power_law(values, stop=20), spectra.power_law(values, start=60)
    assert not near.low < 1.7 < near.high
    assert abs(far.exponent - 1.7) < 0.1 < abs(near.exponent - 1.7)
    assert (far.start, far.stop) == (60, 201)


@pytest.mark.parametrize("seeds", [1, 12])
def test_intervals_cover_as_often_as_they_say(seeds):
    rng = np.random.default_rng(0)
    k = np.arange(1.0, 33.0)
    inside = 0
    for _ in range(400):
        values = k**-2 * np.exp(0.3 * rng.standard_normal((seeds, 32)))
        fit = spectra.power_law(values[0] if seeds == 1 else values, confidence=0.9)
        inside += fit.low < 2 < fit.high
        assert fit.exponent == pytest.approx((fit.low + fit.high) / 2)
    # 0.9 within four standard deviations of a share of 400.
    assert abs(inside / 400 - 0.9) < 4 * (0.9 * 0.1 / 400) ** 0.5


def test_the_fit_is_least_squares_on_logarithms():
    values = np.exp(draw(30)) + 1
    fit = spectra.power_law(values, start=3, stop=25)
    k = np.arange(3, 25)
    slope, level = np.polyfit(np.log(k), np.log(values[2:24]), 1)
    assert fit.exponent == pytest.approx(-slope)
    assert fit.prefactor == pytest.approx(np.exp(level))
    moved = spectra.power_law(values[2:24], start=3, stop=25, ranks=k)
    assert moved == pytest.approx(fit)


def test_extrapolation_takes_orders_away():
    k = 8.0 * 3.0 ** np.arange(5)
    values = 4 * k**-2.5 * (1 + 2 / k - 3 / k**2)
    errors = [np.abs(spectra.local_exponents(k, values, orders=j) - 2.5)[-1] for j in range(3)]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
