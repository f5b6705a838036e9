"""Ensembles and posteriors: stored references, draws of the prior, and exact cases."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from tests.test_analytic import GOLDEN

NET = ntk.mlp(2, activation="erf", sigma_w=1.5, sigma_b=0.1)
TIMES = [("t0.0", 0.0), ("t1.0", 1.0), ("t10.0", 10.0), ("t100.0", 100.0), ("tNone", jnp.inf)]


def kernels():
    x, z = (GOLDEN[f"inputs/pred_x_{part}"] for part in ("train", "test"))
    return ntk.kernel(NET, x), ntk.kernel(NET, z, x), ntk.kernel(NET, z)


def targets():
    return GOLDEN["inputs/pred_y_train"]


def test_kernels_are_those_of_the_reference(x64):
    for kernel, name in zip(kernels(), ("tt", "st", "ss"), strict=True):
        np.testing.assert_allclose(kernel.nngp, GOLDEN[f"predict/kernels/nngp_{name}"], 1e-12)
        np.testing.assert_allclose(kernel.ntk, GOLDEN[f"predict/kernels/ntk_{name}"], 1e-12)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize(("name", "t"), TIMES)
def test_ensemble_agrees_with_the_library_of_record(x64, kind, name, t):
    # "nngp": only the last layer is trained, whose tangent kernel is the NNGP itself.
    given = [k if kind == "ntk" else ntk.Kernel(nngp=k.nngp, ntk=k.nngp) for k in kernels()]
    found = ntk.ensemble(*given, targets(), t=t, loss_scale="mean")
    stored = f"predict/mse_ensemble/lr1.0/reg0.0/{kind}/{name}"
    # Kernels agree to 1e-12; the condition number of the training kernel multiplies that.
    tolerance = 1e-12 * np.linalg.cond(given[0].ntk)
    np.testing.assert_allclose(found.mean, GOLDEN[f"{stored}/test_mean"], atol=tolerance)
    np.testing.assert_allclose(found.covariance, GOLDEN[f"{stored}/test_cov"], atol=tolerance)


@pytest.mark.parametrize("kind", ["nngp", "ntkgp"])
def test_posterior_agrees_with_the_library_of_record(x64, kind):
    part = "nngp" if kind == "nngp" else "ntk"
    K, Kt, Ktt = (getattr(k, part) for k in kernels())
    noise = 0.1 * float(np.mean(np.diag(K)))  # the reference's unit
    found = ntk.gp_posterior(K, Kt, Ktt, targets(), noise=noise)
    stored = f"predict/gp_inference/reg0.1/{kind}"
    np.testing.assert_allclose(found.mean, GOLDEN[f"{stored}/mean"], atol=1e-11)
    np.testing.assert_allclose(found.covariance, GOLDEN[f"{stored}/cov"], atol=1e-11)


def test_ensemble_with_a_ridge_agrees_with_the_library_of_record(x64):
    K, Kt, Ktt = kernels()
    ridge = 0.1 * float(np.mean(np.diag(K.ntk)))
    found = ntk.ensemble(K, Kt, Ktt, targets(), ridge=ridge)
    stored = "predict/gp_inference/reg0.1/ntk"
    np.testing.assert_allclose(found.mean, GOLDEN[f"{stored}/mean"], atol=1e-11)
    np.testing.assert_allclose(found.covariance, GOLDEN[f"{stored}/cov"], atol=1e-11)


@pytest.mark.parametrize("t", [0.3, jnp.inf])
def test_ensemble_is_the_law_of_draws_of_the_prior_that_follow_the_flow(x64, t):
    K, Kt, Ktt = kernels()
    y = targets()[:, :1]
    joint = np.block([[np.asarray(K.nngp), np.asarray(Kt.nngp).T], [Kt.nngp, Ktt.nngp]])
    n = len(y)
    root = np.linalg.cholesky(joint + 1e-12 * np.eye(len(joint)))
    draws = root @ np.random.default_rng(0).standard_normal((len(joint), 4000))
    flow = ntk.GradientFlow(K.ntk, np.repeat(y, 4000, axis=1))
    ends = np.asarray(flow.test(t, Kt.ntk, draws[n:], draws[:n]))
    found = ntk.ensemble(K, Kt, Ktt, y, t=t)
    error = ends.std(axis=1, ddof=1) / 4000**0.5
    assert np.all(np.abs(ends.mean(axis=1) - found.mean[:, 0]) < 4.5 * error + 1e-9)
    centred = ends - ends.mean(axis=1, keepdims=True)
    products = centred[:, None] * centred[None]
    error = products.std(axis=2, ddof=1) / 4000**0.5
    assert np.all(np.abs(products.mean(axis=2) - found.covariance) < 4.5 * error + 1e-9)
    # control: the posterior of the NNGP is another law, at the training points' neighbours too
    other = ntk.gp_posterior(K.nngp, Kt.nngp, Ktt.nngp, y, noise=1e-3)
    assert np.any(np.abs(products.mean(axis=2) - other.covariance) > 4.5 * error + 1e-9)


def test_at_training_points_a_trained_ensemble_is_certain(x64):
    K = kernels()[0]
    found = ntk.ensemble(K, K, K, targets())
    np.testing.assert_allclose(found.mean, targets(), atol=1e-9)
    np.testing.assert_allclose(found.covariance, 0, atol=1e-9)
    start = ntk.ensemble(K, K, K, targets(), t=0.0)
    np.testing.assert_array_equal(start.mean, np.zeros_like(start.mean))
    np.testing.assert_allclose(start.covariance, K.nngp, rtol=1e-12)


def test_times_lead_and_jit_agrees(x64):
    K, Kt, Ktt = kernels()
    times = jnp.asarray([0.0, 2.0, jnp.inf])
    both = ntk.ensemble(K, Kt, Ktt, targets(), t=times)
    assert both.mean.shape == (3, 7, 3)
    assert both.covariance.shape == (3, 7, 7)
    for i, t in enumerate(times):
        one = jax.jit(lambda a, b, c, y, t=t: ntk.ensemble(a, b, c, y, t=t))(K, Kt, Ktt, targets())
        np.testing.assert_allclose(both.mean[i], one.mean, atol=1e-10)
        np.testing.assert_allclose(both.covariance[i], one.covariance, atol=1e-10)


def test_what_is_missing_is_named(x64):
    x = np.eye(2)
    K = ntk.kernel(ntk.mlp(1), x)
    with pytest.raises(ntk.errors.InvalidTypeError, match=r"K must be a Kernel with .*'nngp'"):
        ntk.ensemble(ntk.kernel(ntk.mlp(1), x, get=("ntk",)), K, K, np.ones((2, 1)))
    with pytest.raises(ntk.errors.ShapeError, match=r"Ktt.nngp must have shape \(2, 2\)"):
        ntk.ensemble(K, K, ntk.kernel(ntk.mlp(1), x[:1]), np.ones((2, 1)))
    with pytest.raises(ntk.errors.InvalidValueError, match="at least 0"):
        ntk.gp_posterior(np.eye(2), np.eye(2), np.eye(2), np.ones((2, 1)), noise=-1.0)


def toy():
    """Return kernels and targets of the toy of He et al. 2020: y = x sin x, with noise."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-6, -2, 10), rng.uniform(2, 6, 10)])[:, None]
    z = np.linspace(-6, 6, 25)[:, None]
    net = ntk.mlp(2, activation="erf", sigma_w=1.5, sigma_b=0.05)
    y = x * np.sin(x) + 0.1 * rng.standard_normal(x.shape)
    return (ntk.kernel(net, x), ntk.kernel(net, z, x), ntk.kernel(net, z)), y


def test_corrected_ensembles_sample_the_posterior(x64):
    (K, Kt, Ktt), y = toy()
    posterior = ntk.gp_posterior(K.ntk, Kt.ntk, Ktt.ntk, y, noise=0.01)
    corrected = ntk.ensemble(K, Kt, Ktt, y, prior="ntk", ridge=0.01, target_noise=0.01)
    np.testing.assert_allclose(corrected.mean, posterior.mean, atol=1e-8)
    np.testing.assert_allclose(corrected.covariance, posterior.covariance, atol=1e-8)
    # controls: each part of the recipe is needed
    for other in (
        {"ridge": 0.01, "target_noise": 0.01},
        {"prior": "ntk", "ridge": 0.01},
        {"prior": "ntk", "ridge": 0.01, "target_noise": 0.01, "t": 1.0},
    ):
        gap = ntk.ensemble(K, Kt, Ktt, y, **other).covariance - posterior.covariance
        assert np.abs(gap).max() > 1e-3


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_corrected_ensembles_are_more_conservative(x64, noise):
    (K, Kt, Ktt), y = toy()
    options = {"ridge": noise or 1e-8, "target_noise": noise}
    corrected = ntk.ensemble(K, Kt, Ktt, y, prior="ntk", **options)
    plain = ntk.ensemble(K, Kt, Ktt, y, **options)
    np.testing.assert_allclose(corrected.mean, plain.mean, atol=1e-8)
    difference = np.asarray(corrected.covariance - plain.covariance)
    assert np.linalg.eigvalsh(difference).min() > -1e-8
    assert np.linalg.eigvalsh(-difference).min() < -1e-2  # control: swapped


def test_noise_on_targets_is_carried_by_the_weights(x64):
    (K, Kt, Ktt), y = toy()
    flow = ntk.GradientFlow(K.ntk, y)
    weights = np.asarray(flow.weights(2.0, Kt.ntk))
    without, noisy = (ntk.ensemble(K, Kt, Ktt, y, t=2.0, target_noise=s) for s in (0.0, 0.3))
    expected = 0.3 * weights @ weights.T
    np.testing.assert_allclose(noisy.covariance - without.covariance, expected, atol=1e-10)


def test_a_prior_is_named(x64):
    (K, Kt, Ktt), y = toy()
    with pytest.raises((ntk.errors.InvalidValueError, TypeError), match="prior"):
        ntk.ensemble(K, Kt, Ktt, y, prior="nkt")
    with pytest.raises(ntk.errors.InvalidValueError, match="target_noise"):
        ntk.ensemble(K, Kt, Ktt, y, ridge=0.1, target_noise=-0.1)
