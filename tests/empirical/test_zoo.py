"""Every method on architectures of every kind, against the definition."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from tests.empirical.zoo import ZOO


def definition(f, params, x1, x2):
    """The Gram of flat Jacobians by forward differentiation of the whole batch, (n1, n2, k, k)."""

    def flat_jacobian(x):
        leaves = jax.tree.leaves(jax.jacrev(f)(params, x))
        return jnp.concatenate([leaf.reshape(*leaf.shape[:2], -1) for leaf in leaves], axis=-1)

    return jnp.einsum("ikp,jlp->ijkl", flat_jacobian(x1), flat_jacobian(x2))


@pytest.fixture(params=ZOO)
def case(request, x64, quick):
    """A model, its parameters, inputs cut in two, and the whole kernel of all of them."""
    return _case(request.param)


@cache  # for both tests of a model
def _case(name):
    f, params, x = ZOO[name]()
    return f, params, x, np.asarray(jax.jit(lambda p, x: definition(f, p, x, x))(params, x))


def agree(got, expected, scale):
    assert got.dtype == jnp.float64
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12 * scale)


def test_every_method_agrees_with_the_definition(case):
    f, params, x, full = case
    scale = float(np.abs(full).max())
    for method in ("jacobian", "vector_products", "structured"):
        if method == "vector_products" and "straight_through" in str(jax.make_jaxpr(f)(params, x)):
            with pytest.raises(ntk.errors.InvalidValueError, match="custom_vjp"):
                ntk.empirical_ntk(f, params, x, output="full", method=method)
            continue
        agree(ntk.empirical_ntk(f, params, x, output="full", method=method), full, scale)


def test_every_output_agrees_with_the_definition(case):
    f, params, x, full = case
    scale, k = float(np.abs(full).max()), full.shape[-1]
    x1, x2 = (jax.tree.map(lambda a, s=s: a[s], x) for s in (slice(0, 3), slice(2, 5)))
    mean = np.trace(full, axis1=2, axis2=3) / k
    agree(ntk.empirical_ntk(f, params, x1, x2, method="structured"), mean[0:3, 2:5], scale)
    diagonal = np.diagonal(full, axis1=2, axis2=3)
    agree(ntk.empirical_ntk(f, params, x, output="diagonal", method="structured"), diagonal, scale)
    pseudo = full.sum((2, 3)) / k
    agree(ntk.empirical_ntk(f, params, x, output="pseudo", method="structured"), pseudo, scale)
    agree(ntk.empirical_ntk(f, params, x, output=-1), full[:, :, -1, -1], scale)
