"""Spectra on the sphere against integrals in high precision, closed forms and Gram matrices."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import ntk
from ntk.errors import NTKWarning
from ntk.spectra import local_exponents, multiplicity, zonal_spectrum

ONE = ntk.mlp(1, activation="relu", sigma_w=(1.0, 2**0.5))
THREE = ntk.mlp(3, activation="relu", sigma_w=(1.0, *[2**0.5] * 3))


def relu_nngp(cosine):
    """The arc-cosine kernel of order 1, 2 E[relu(u) relu(v)]."""
    angle = np.arccos(cosine)
    return (np.sin(angle) + (np.pi - angle) * cosine) / np.pi


def relu_ntk(cosine):
    """The NTK of one hidden layer: that, and the cosine times the kernel of order 0."""
    return relu_nngp(cosine) + cosine * (np.pi - np.arccos(cosine)) / np.pi


def of_half_power(order, p, k):
    r"""The Funk-Hecke eigenvalue of [t > 0] t^order, in 40 digits.

    By Rodrigues' formula it is, up to a factor, a derivative of (1 - t^2)^(k + (p - 3) / 2) at 0.
    """
    half = mp.mpf(p - 1) / 2
    measure = mp.gamma(half + mp.mpf(1) / 2) / (mp.sqrt(mp.pi) * mp.gamma(half))
    if k <= order:
        moments = {(0, 0): mp.mpf(1) / 2, (1, 0): measure / (p - 1), (1, 1): mp.mpf(1) / (2 * p)}
        return moments[order, k]
    derivative = k - order - 1
    if derivative % 2:
        return mp.mpf(0)
    rodrigues = (-1) ** k * mp.gamma(half) / (2**k * mp.gamma(k + half))
    taylor = mp.binomial(k + half - 1, derivative // 2) * (-1) ** (derivative // 2)
    return measure * rodrigues * (-1) ** (order + 1) * mp.factorial(derivative) * taylor


def closed_form(kappa, p, degree):
    """The eigenvalues of a kernel 2 E[f(<w, x>) f(<w, x'>)] are squares of those of f."""
    with mp.workdps(40):
        one = [2 * p * of_half_power(1, p, k) ** 2 for k in range(degree + 1)]
        if kappa is relu_nngp:
            return np.array([float(value) for value in one])
        zero = [2 * of_half_power(0, p, k) ** 2 for k in range(degree + 2)]
        # The cosine times P_k is a combination of its neighbours.
        times_cosine = [
            ((k + p - 2) * zero[k + 1] + (k * zero[k - 1] if k else 0)) / mp.mpf(2 * k + p - 2)
            if 2 * k + p > 2
            else zero[1]
            for k in range(degree + 1)
        ]
        return np.array([float(a + b) for a, b in zip(one, times_cosine, strict=True)])


@pytest.mark.parametrize(("p", "known"), [(2, 128), (3, 128), (5, 128), (20, 24), (100, 6)])
@pytest.mark.parametrize("kappa", [relu_ntk, relu_nngp])
def test_eigenvalues_are_those_in_closed_form(p, known, kappa):
    found, exact = zonal_spectrum(kappa, p, 128), closed_form(kappa, p, 128)
    # The estimate is to bound the error, and to be worth something where eigenvalues are known.
    assert (np.abs(found.eigenvalues - exact) <= found.errors).all()
    even = slice(0, known + 1, 2)
    assert (found.errors[even] < 1e-4 * exact[even]).all()
    wrong = closed_form(kappa, p + 1, 6)
    assert (np.abs(found.eigenvalues[2:7:2] - wrong[2::2]) > 100 * found.errors[2:7:2]).all()


def test_the_closed_form_is_the_funk_hecke_integral():
    with mp.workdps(30):
        for order, p, k in ((0, 3, 5), (1, 3, 4), (1, 6, 8), (0, 5, 1), (1, 4, 1)):
            half = mp.mpf(p - 2) / 2

            def integrand(t, order=order, half=half, k=k):
                return t**order * mp.gegenbauer(k, half, t) * (1 - t**2) ** (half - 0.5)

            norm = mp.quad(lambda t, half=half: (1 - t**2) ** (half - 0.5), [-1, 0, 1])
            exact = mp.quad(integrand, [0, 1]) / mp.gegenbauer(k, half, 1) / norm
            assert mp.almosteq(of_half_power(order, p, k), exact, 1e-12)


def test_a_description_is_its_kernel():
    found = zonal_spectrum(ONE, 5, 16)
    by_hand = zonal_spectrum(relu_ntk, 5, 16)
    assert (np.abs(found.eigenvalues - by_hand.eigenvalues) <= found.errors).all()
    process = zonal_spectrum(ONE, 5, 16, get="nngp")
    by_hand = zonal_spectrum(relu_nngp, 5, 16)
    assert (np.abs(process.eigenvalues - by_hand.eigenvalues) <= process.errors).all()


@pytest.mark.parametrize("p", [2, 3, 7, 1000])
def test_powers_of_the_cosine(p):
    # t^2 = 1/p + (1 - 1/p) P_2(t), and the coefficient of P_k is N(p, k) times the eigenvalue.
    found = zonal_spectrum(np.square, p, 4)
    share = np.array([1 / p, 0, 1 - 1 / p, 0, 0]) / found.multiplicities
    assert (np.abs(found.eigenvalues - share) <= found.errors).all()
    assert found.errors[2] < 1e-13 * share[2]


@pytest.mark.parametrize("p", [3, 8, 40])
def test_the_exponential_kernel_has_bessel_functions(p):
    # The plane wave: lambda_k = Gamma(p/2) (2 / s)^(p/2 - 1) I_{k + p/2 - 1}(s).
    scale, half = 2.5, mp.mpf(p) / 2 - 1
    found = zonal_spectrum(lambda t: jnp.exp(scale * t), p, 12)
    for k in (0, 1, 5, 12):
        exact = mp.gamma(half + 1) * (2 / mp.mpf(scale)) ** half * mp.besseli(k + half, scale)
        assert abs(found.eigenvalues[k] - float(exact)) <= found.errors[k]
        assert found.errors[k] < 1e-4 * float(exact)


def test_the_eigenvalues_add_up_to_the_kernel(x64):
    found = zonal_spectrum(jnp.exp, 4, 30)
    assert found.eigenvalues @ found.multiplicities == pytest.approx(np.e, rel=1e-13)
    cosine = 0.3
    # U_k is the Gegenbauer polynomial of S^3, with U_k(1) = k + 1.
    angle = np.arccos(cosine)
    k = np.arange(31)
    legendre = np.sin((k + 1) * angle) / np.sin(angle) / (k + 1)
    total = np.sum(found.eigenvalues * found.multiplicities * legendre)
    assert total == pytest.approx(np.exp(cosine), rel=1e-13)


def test_a_gram_matrix_on_the_circle_has_them(x64):
    # Equispaced points alias the degrees k, n - k, n + k, ..., and nothing else happens.
    n = 32
    angle = 2 * np.pi * np.arange(n) / n
    x = 2**0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    gram = ntk.kernel(THREE, x, get="nngp")
    exact = zonal_spectrum(THREE, 2, 400, get="nngp").eigenvalues
    for k in (1, 2, 4):
        aliases = sum(exact[m * n - k] + exact[m * n + k] for m in range(1, 12))
        wave = np.cos(k * angle)
        # What is beyond degree 400 falls as the inverse cube.
        np.testing.assert_allclose(gram @ wave / n, (exact[k] + aliases) * wave, atol=1e-7)
        assert aliases > 1e-6


@pytest.mark.parametrize("p", [2, 5])
def test_decay_and_parity_of_relu_kernels(p):
    one = zonal_spectrum(relu_ntk, p, 128)
    three, process = (zonal_spectrum(THREE, p, 128, get=get) for get in ("ntk", "nngp"))
    k = np.array([16, 32, 64, 128])
    for found, exponent in ((one, p), (three, p), (process, p + 2)):
        last = local_exponents(k, found.eigenvalues[k])[-1]
        assert last == pytest.approx(exponent, abs=0.05)
    assert np.abs(one.eigenvalues[3::2]).max() < 1e-12 * one.eigenvalues[0]
    assert three.eigenvalues[3] > 1e-6 * three.eigenvalues[0]


def test_radius_and_bias_enter_as_in_the_network(x64):
    net = ntk.mlp(2, activation="erf", sigma_w=1.3, sigma_b=0.4)
    found = zonal_spectrum(net, 6, 60, radius=1.7)
    x = jnp.zeros((1, 6)).at[0, 2].set(1.7)
    at_one = float(ntk.kernel(net, x, get="ntk")[0, 0])
    assert found.eigenvalues @ found.multiplicities == pytest.approx(at_one, rel=1e-10)


def test_multiplicities_are_dimensions_of_harmonic_polynomials():
    assert [multiplicity(2, k) for k in range(4)] == [1, 2, 2, 2]
    assert [multiplicity(4, k) for k in range(5)] == [1, 4, 9, 16, 25]
    for p in (2, 3, 9):  # the identity of Mueller: (2k + p - 2) / (k + p - 2) comb(k + p - 2, k)
        for k in range(1, 9):
            exact = mp.mpf(2 * k + p - 2) / (k + p - 2) * mp.binomial(k + p - 2, k)
            assert multiplicity(p, k) == int(mp.nint(exact))


def test_precision_does_not_depend_on_the_setting_of_jax():
    assert not jax.config.jax_enable_x64
    found = zonal_spectrum(jnp.exp, 3, 6)
    assert found.eigenvalues.dtype == np.float64
    assert found.eigenvalues[0] == pytest.approx(np.sinh(1.0), rel=1e-14)
    assert not jax.config.jax_enable_x64


def test_a_kernel_that_jumps_is_told():
    with pytest.warns(NTKWarning, match="not smooth"):
        found = zonal_spectrum(lambda t: (t > 0.3).astype(float), 3, 5)
    exact = np.array([0.35, 0.25 * (1 - 0.09)])  # of a cap, by hand
    assert (np.abs(found.eigenvalues[:2] - exact) < 10 * found.errors[:2]).all()
