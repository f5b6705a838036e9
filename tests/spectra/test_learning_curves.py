"""The theory of learning curves against exact solutions and regressions on random features."""

import mpmath as mp
import numpy as np
import pytest

from ntk import spectra
from ntk.spectra import learning_curve

VALUES = np.arange(1, 301.0) ** -1.5
POWER = np.arange(1, 301.0) ** -2.0


def regress(n, ridge, noise, values, power, draws, seed=0):
    """Errors of kernel ridge regression with Gaussian features, one row a draw."""
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(draws):
        features = rng.standard_normal((n, len(values)))
        target = np.sqrt(power)
        y = features @ target + noise**0.5 * rng.standard_normal(n)
        gram = (features * values) @ features.T
        dual = np.linalg.solve(gram + ridge * np.eye(n), y)
        wrong = target - values * (features.T @ dual)
        errors.append((wrong @ wrong + noise, np.mean((y - gram @ dual) ** 2)))
    return np.array(errors)


@pytest.mark.parametrize(("ridge", "noise"), [(0.0, 0.0), (0.02, 0.1), (1.0, 0.0)])
def test_regressions_on_random_features_have_the_predicted_errors(ridge, noise):
    n, draws = 40, 100
    found = regress(n, ridge, noise, VALUES, POWER, draws)
    mean, error = found.mean(0), found.std(0, ddof=1) / draws**0.5
    theory = learning_curve(VALUES, POWER, n, ridge=ridge, noise=noise)
    predicted = np.array([theory.test_error, theory.train_error])
    # The theory is the limit of many samples; for Gaussian features it is off by 1 / n.
    assert (np.abs(mean - predicted) < 4 * error + predicted / n + 1e-20).all()
    shuffled = learning_curve(VALUES, POWER[::-1], n, ridge=ridge, noise=noise)
    assert abs(mean[0] - shuffled.test_error) > 10 * error[0] + shuffled.test_error / n


@pytest.mark.parametrize("n", [3.0, 40.0, 299.5, 1e4])
@pytest.mark.parametrize("ridge", [1e-8, 0.3, 1e5])
def test_what_is_learnt_and_the_ridge_add_up_to_the_samples(n, ridge):
    found = learning_curve(VALUES, POWER, n, ridge=ridge)
    assert found.learnability.sum() + ridge / found.kappa == pytest.approx(n, rel=1e-12)
    with mp.workdps(30):
        kappa = mp.findroot(
            lambda s: sum(v / (v + mp.exp(s)) for v in map(mp.mpf, VALUES)) + ridge / mp.exp(s) - n,
            mp.log(mp.mpf(float(found.kappa)) * 1.01),
        )
        assert found.kappa == pytest.approx(float(mp.exp(kappa)), rel=1e-11)


def test_a_flat_spectrum_is_solved_by_hand():
    # lambda = 1 for M modes: M / (1 + kappa) + ridge / kappa = n is a quadratic equation.
    modes, n, ridge, noise = 120, 50, 7.0, 0.4
    kappa = np.max(np.roots([n, n - modes - ridge, -ridge]))
    share = 1 / (1 + kappa)
    coefficient = n / (n - modes * share**2)
    found = learning_curve(np.ones(modes), np.full(modes, 1 / modes), n, ridge=ridge, noise=noise)
    assert found.kappa == pytest.approx(kappa)
    assert found.overfitting == pytest.approx(coefficient)
    assert found.test_error == pytest.approx(coefficient * ((1 - share) ** 2 + noise))


def test_least_squares_with_more_samples_than_modes():
    # E[test] of ordinary least squares is noise (1 + M / (n - M - 1)): the theory up to the 1.
    modes, n, noise = 200, 1000, 0.3
    found = learning_curve(np.ones(modes), np.ones(modes), n, noise=noise)
    assert found.kappa == 0
    assert found.test_error == pytest.approx(noise * n / (n - modes))
    assert found.train_error == pytest.approx(noise * (n - modes) / n)  # exact at any n
    exact = noise * (1 + modes / (n - modes - 1))
    assert found.test_error == pytest.approx(exact, rel=1e-3)


def test_the_threshold_of_interpolation():
    flat = np.ones(50)
    quiet, loud = learning_curve(flat, flat, 50.0), learning_curve(flat, flat, 50.0, noise=0.1)
    assert quiet.overfitting == loud.overfitting == np.inf
    assert quiet.test_error == 0
    assert loud.test_error == np.inf
    # From either side it is approached.
    sizes = np.array([49.0, 49.99, 50.01, 51.0])
    near = learning_curve(flat, flat, sizes, noise=0.1).test_error
    assert near[1] > 10 * near[0]
    assert near[2] > 10 * near[3]


def test_power_without_an_eigenvalue_is_noise():
    with_null = learning_curve(np.append(VALUES, 0.0), np.append(POWER, 0.2), 30.0, ridge=0.1)
    as_noise = learning_curve(VALUES, POWER, 30.0, ridge=0.1, noise=0.2)
    assert with_null.test_error == pytest.approx(as_noise.test_error, rel=1e-12)
    assert with_null.learnability[-1] == 0


def test_multiplicities_are_repetitions():
    counts = np.array([1, 3, 5, 7])
    values, power = np.array([1.0, 0.3, 0.05, 0.01]), np.array([0.5, 0.3, 0.2, 0.1])
    repeated = np.repeat(values, counts), np.repeat(power / counts, counts)
    sizes = np.array([2.0, 9.0, 40.0])
    short = learning_curve(values, power, sizes, noise=0.1, multiplicities=counts)
    long = learning_curve(*repeated, sizes, noise=0.1)
    np.testing.assert_allclose(short.test_error, long.test_error, rtol=1e-12)
    np.testing.assert_allclose(short.kappa, long.kappa, rtol=1e-12)
    assert short.learnability.shape == (3, 4)


@pytest.mark.parametrize(("a", "b", "exponent"), [(1.5, 2.0, 1.0), (2.0, 8.0, 4.0)])
def test_power_laws_learn_at_the_rate_of_the_nearer_obstacle(a, b, exponent):
    # N^-min(b - 1, 2 a), noiseless and ridgeless; one case on each side of b = 2 a + 1.
    k = np.arange(1, 200_001.0)
    sizes = 2.0 ** np.arange(5, 10)
    errors = learning_curve(k**-a, k**-b, sizes).test_error
    local = spectra.local_exponents(sizes, errors, orders=0)
    assert local[-1] == pytest.approx(exponent, abs=0.05)
    assert abs(local[-1] - exponent) < abs(local[0] - exponent)


def test_regression_on_the_sphere():
    # A harmonic of degree 2 in five dimensions, learnt with the Laplace kernel.
    def laplace(cosine):
        return np.exp(-np.sqrt(np.maximum(2 - 2 * cosine, 0)))

    found = spectra.zonal_spectrum(laplace, 5, 64)
    target = spectra.zonal_spectrum(lambda t: 1.25 * t**2 - 0.25, 5, 64)
    power = target.eigenvalues**2 * target.multiplicities
    assert power[2] == pytest.approx(1 / 14)  # E P_k^2 = 1 / N(5, 2)
    n, draws, ridge = 60, 40, 0.01
    numbers = {"ridge": ridge, "multiplicities": found.multiplicities}
    theory = learning_curve(found.eigenvalues, power, n, **numbers).test_error
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(draws):
        x = rng.standard_normal((n + 400, 5))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        y = 1.25 * x[:, 0] ** 2 - 0.25
        gram = laplace(x @ x[:n].T)
        fit = gram[n:] @ np.linalg.solve(gram[:n] + ridge * np.eye(n), y[:n])
        errors.append(np.mean((fit - y[n:]) ** 2))
    # Harmonics are no Gaussian features: four standard errors, or 10 %.
    allowed = max(4 * np.std(errors, ddof=1) / draws**0.5, 0.1 * theory)
    assert abs(np.mean(errors) - theory) < allowed
    moved = learning_curve(found.eigenvalues, np.roll(power, -1), n, **numbers).test_error
    assert abs(np.mean(errors) - moved) > 2 * allowed
