"""An activation and a layer of a user's own, as the page shows them, meet the finite network."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import ntk

PAGE = Path(__file__).parents[2] / "book" / "api" / "descriptions.md"


def shown(label):
    """Run the code of a section of the page."""
    section = PAGE.read_text().split(f"({label})=")[1].split("\n(")[0]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    names = {"__name__": "shown"}
    exec(code, names)
    return names


def assert_limit(net, right, wrong, x):
    """Both kernels are means over networks; with one hidden layer at every width."""

    def one_network(key):
        params = net.init(key, (3,), dtype=x.dtype)
        y = net.apply(params, x)
        return y @ y.T, ntk.empirical_ntk(net.apply, params, x, method="jacobian")

    draws = jax.lax.map(one_network, jax.random.split(jax.random.key(1), 4000), batch_size=500)
    for samples, expected, other in zip(draws, right, wrong, strict=True):
        error = samples.std(0, ddof=1) / len(samples) ** 0.5
        assert np.all(np.abs(samples.mean(0) - expected) < 4.5 * error)
        assert np.any(np.abs(samples.mean(0) - other) > 4.5 * error)


def points():
    return jnp.asarray(np.random.default_rng(0).standard_normal((4, 3)))


def test_the_activation_of_the_page_is_the_limit_of_its_networks(x64):
    names, x = shown("own-activation"), points()
    assert names["K"].ntk.shape == (3, 3)
    dense = ntk.Dense(16, sigma_w=1.3, sigma_b=0.4)

    def net(activation):
        return ntk.Serial(dense, activation, ntk.Dense(1))

    wave = net(names["Wave"]())
    assert_limit(wave, ntk.kernel(wave, x), ntk.kernel(net(ntk.Sin()), x), x)
    by_quadrature = ntk.kernel(net(ntk.Activation(lambda u: u * jnp.sin(u))), x)
    for found, expected in zip(ntk.kernel(wave, x), by_quadrature, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_layer_of_the_page_is_the_limit_of_its_networks(x64):
    names, x = shown("own-layer"), points()
    assert names["finite"].shape == names["K"].ntk.shape == (4, 4)
    dense = ntk.Dense(16, sigma_w=1.3, sigma_b=0.4)

    def net(gain):
        return ntk.Serial(dense, ntk.Relu(), names["Gain"](gain), ntk.Dense(1))

    K = ntk.kernel(net(1.5), x)
    assert_limit(net(1.5), K, ntk.kernel(net(1.2), x), x)
    # Its number is a leaf, and it prints as it is written.
    assert repr(net(1.5).layers[2]) == "Gain(scale=1.5)"
    slope = jax.grad(lambda n: ntk.kernel(n, x, get="nngp").sum())(net(1.5)).layers[2].scale
    np.testing.assert_allclose(slope, 2 / 1.5 * K.nngp.sum(), rtol=1e-12)
