"""The laws of ensembles against ensembles: 200 networks at each of several widths."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.errors import InvalidTypeError, InvalidValueError

MEMBERS = 200
WIDTHS = (64, 128, 256, 512)
X = np.asarray([[1.0, 0.2], [-0.6, 1.1], [0.3, -1.2], [-1.0, -0.5]])
Z = np.asarray([[0.4, 0.5], [-0.2, -1.0], [2.0, 1.0]])
Y = np.asarray([[1.0], [-0.5], [0.3], [-1.2]])
RATE, STEPS = 0.1, (25, 400)


def net(width=1):
    return ntk.mlp(1, width, "erf", sigma_w=1.5, sigma_b=0.1)


def kernels():
    x, z = jnp.asarray(X), jnp.asarray(Z)
    return ntk.kernel(net(), x), ntk.kernel(net(), z, x), ntk.kernel(net(), z)


def trained(width, seed):
    """Train many networks by descent; return their outputs at Z after each number of steps."""

    def member(key):
        finite = net(width)
        params = finite.init(key, (2,), dtype=jnp.float32)
        run = ntk.train(
            finite.apply,
            params,
            x,
            y,
            learning_rate=RATE,
            steps=STEPS[-1],
            at=STEPS,
            x_test=z,
        )
        return run.outputs_test[..., 0]

    x, y, z = (jnp.asarray(part, jnp.float32) for part in (X, Y, Z))
    keys = jax.random.split(jax.random.key(seed), MEMBERS)
    return np.asarray(jax.jit(jax.vmap(member))(keys), np.float64)


def extrapolate(values, errors):
    """Fit a + b / n over widths by least squares; return a and its standard error."""
    basis = np.stack([np.ones(len(WIDTHS)), 1 / np.asarray(WIDTHS)], axis=1)
    weights = np.linalg.pinv(basis)[0].reshape(-1, *[1] * (values.ndim - 1))
    return (weights * values).sum(0), np.sqrt((weights**2 * errors**2).sum(0))


def moments(ends):
    """Return means and products of deviations of members, each with its standard error."""
    centred = ends - ends.mean(0)
    products = centred[..., :, None] * centred[..., None, :] * MEMBERS / (MEMBERS - 1)
    return [(v.mean(0), v.std(0, ddof=1) / MEMBERS**0.5) for v in (ends, products)]


def test_mean_and_covariance_of_trained_networks(x64):
    K, Kt, Ktt = kernels()
    # Directions that have not come to rest have small steps, 0.1 * 0.24 at most: there the flow
    # differs from descent by less than a hundredth of the residual.
    found = [ntk.ensemble(K, Kt, Ktt, Y, t=t) for t in (STEPS[0] * RATE, STEPS[1] * RATE)]
    measured = [moments(trained(width, seed)) for seed, width in enumerate(WIDTHS)]
    for part, kind in enumerate(("mean", "covariance")):
        values, errors = (np.stack([m[part][i] for m in measured]) for i in (0, 1))
        limit, error = extrapolate(values, errors)
        law = np.stack([np.asarray(getattr(f, kind)).reshape(limit.shape[1:]) for f in found])
        assert np.all(np.abs(limit - law) < 4 * error), kind
    # control: the posterior of the tangent kernel is another law, the corrected ensemble's
    other = ntk.ensemble(K, Kt, Ktt, Y, prior="ntk").covariance
    assert np.any(np.abs(limit[1] - other) > 4 * error[1])
    # control: without the spread of the starts there is none left at the end
    assert np.any(limit[1] > 4 * error[1])


def test_the_correction_lifts_the_prior_to_the_tangent_kernel(x64):
    finite, count = net(64), 4000

    def member(key):
        start, other = (finite.init(k, (2,), dtype=jnp.float64) for k in jax.random.split(key))
        delta = ntk.ntkgp_correction(finite.apply, start, other)
        return jnp.stack([finite.apply(start, X)[:, 0], delta(X)[:, 0]])

    keys = jax.random.split(jax.random.key(9), count)
    f0, delta = np.moveaxis(np.asarray(jax.jit(jax.vmap(member))(keys)), 1, 0)
    K = kernels()[0]
    # With one hidden layer the expectations hold at every width.
    for values, partner, law in (
        (f0 + delta, f0 + delta, K.ntk),
        (delta, delta, K.ntk - K.nngp),
        (f0, delta, np.zeros((4, 4))),
    ):
        products = values[:, :, None] * partner[:, None, :]
        error = products.std(0, ddof=1) / count**0.5
        assert np.all(np.abs(products.mean(0) - law) < 4 * error)
    # control: the network alone has the smaller covariance
    assert np.any(np.abs((f0[:, :, None] * f0[:, None, :]).mean(0) - K.ntk) > 4 * error)


def test_a_correction_needs_layers():
    finite = net(4)
    start, other = (finite.init(k, (2,)) for k in jax.random.split(jax.random.key(0)))
    with pytest.raises(InvalidTypeError, match="sequence of layers"):
        ntk.ntkgp_correction(finite.apply, {"a": start}, {"a": other})
    with pytest.raises(InvalidTypeError, match="structure of params"):
        ntk.ntkgp_correction(finite.apply, start, other[:1])
    for readout in (1, 7):  # the activation, and none
        with pytest.raises(InvalidValueError, match="readout"):
            ntk.ntkgp_correction(finite.apply, start, other, readout=readout)
