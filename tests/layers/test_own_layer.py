"""A layer of a user's own, as the API page shows it, meets the finite network."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import ntk

PAGE = Path(__file__).parents[2] / "book" / "api" / "descriptions.md"


def test_the_layer_of_the_page_is_the_limit_of_its_networks(x64):
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    shown = {"__name__": "shown"}
    exec(code, shown)
    assert shown["finite"].shape == shown["K"].ntk.shape == (4, 4)
    Gain, x = shown["Gain"], jnp.asarray(np.random.default_rng(0).standard_normal((4, 3)))
    dense = ntk.Dense(16, sigma_w=1.3, sigma_b=0.4)
    # With one hidden layer the mean over initialisations is the limit at every width.
    net = ntk.Serial(dense, ntk.Relu(), Gain(1.5), ntk.Dense(1))

    def one_network(key):
        params = net.init(key, (3,), dtype=x.dtype)
        y = net.apply(params, x)
        return y @ y.T, ntk.empirical_ntk(net.apply, params, x, method="jacobian")

    draws = jax.lax.map(one_network, jax.random.split(jax.random.key(1), 4000), batch_size=500)
    wrong = ntk.kernel(ntk.Serial(dense, ntk.Relu(), Gain(1.2), ntk.Dense(1)), x)
    for samples, expected, other in zip(draws, ntk.kernel(net, x), wrong, strict=True):
        error = samples.std(0, ddof=1) / len(samples) ** 0.5
        assert np.all(np.abs(samples.mean(0) - expected) < 4.5 * error)
        assert np.any(np.abs(samples.mean(0) - other) > 4.5 * error)
    # Its number is a leaf, and it prints as it is written.
    assert repr(net.layers[2]) == "Gain(scale=1.5)"
    slope = jax.grad(lambda n: ntk.kernel(n, x, get="nngp").sum())(net).layers[2].scale
    np.testing.assert_allclose(slope, 2 / 1.5 * ntk.kernel(net, x, get="nngp").sum(), rtol=1e-12)
