"""Expansions of a model in its parameters, of first and of any order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk


def setting():
    net = ntk.mlp(2, 16, "erf", sigma_w=1.4, sigma_b=0.3, outputs=2)
    params = net.init(jax.random.key(0), (3,))
    step = jax.tree.map(lambda p: jax.random.normal(jax.random.key(1), p.shape), params)
    return net, params, step, jax.random.normal(jax.random.key(2), (4, 3))


def moved(params, step, size):
    return jax.tree.map(lambda p, s: p + size * s, params, step)


def test_touches_the_model_to_first_order(x64):
    net, params, step, x = setting()
    f_lin = ntk.linearize(net.apply, params)
    np.testing.assert_allclose(f_lin(params, x), net.apply(params, x), rtol=1e-14)
    errors = []
    for size in (1e-2, 1e-3):
        p = moved(params, step, size)
        errors.append(float(jnp.abs(f_lin(p, x) - net.apply(p, x)).max()))
    assert 80 < errors[0] / errors[1] < 120


def test_is_affine_in_the_parameters(x64):
    net, params, step, x = setting()
    f_lin = ntk.linearize(net.apply, params)
    once, twice = (f_lin(moved(params, step, s), x) - f_lin(params, x) for s in (1.0, 2.0))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-10)


def test_keeps_the_kernel_of_the_point_of_expansion_everywhere(x64):
    net, params, step, x = setting()
    f_lin = ntk.linearize(net.apply, params)
    far = moved(params, step, 3.0)
    expected = ntk.empirical_ntk(net.apply, params, x)
    np.testing.assert_allclose(ntk.empirical_ntk(f_lin, far, x), expected, rtol=1e-10)
    assert np.abs(ntk.empirical_ntk(net.apply, far, x) - expected).max() > 0.1


@pytest.mark.parametrize("degree", range(5))
def test_the_remainder_is_of_the_next_order(x64, degree):
    net, params, step, x = setting()
    expansion = ntk.taylor_expand(net.apply, params, degree)
    sizes = np.asarray([0.02, 0.04, 0.08])

    @jax.jit
    @jax.vmap
    def remainder(size):
        p = moved(params, step, size)
        return jnp.linalg.norm(expansion(p, x) - net.apply(p, x))

    slopes = np.diff(np.log(remainder(sizes))) / np.log(2.0)
    np.testing.assert_allclose(slopes, degree + 1, atol=0.35)


def test_compiled_operations_grow_with_the_degree_and_not_its_power_of_two():
    net, params, step, x = setting()
    operations = [
        jax.jit(ntk.taylor_expand(net.apply, params, degree))
        .lower(step, x)
        .compile()
        .cost_analysis()["flops"]
        for degree in (1, 6)
    ]
    assert operations[1] < 10 * operations[0]  # 6 times the work, not 2**5 times


def cubic(p, x):
    return (x @ p["w"]) ** 2 * p["a"] + p["b"]


def test_a_polynomial_is_its_own_expansion_from_its_degree_on(x64):
    params = {"w": np.ones((2, 1)), "a": np.asarray(0.5), "b": np.zeros(1)}
    far = {"w": np.asarray([[3.0], [-2.0]]), "a": np.asarray(-7.0), "b": np.ones(1)}
    x = np.asarray([[1.0, 2.0], [0.5, -1.0]])
    exact = cubic(far, x)
    for degree in (3, 4, 6):
        expansion = ntk.taylor_expand(cubic, params, degree)
        np.testing.assert_allclose(expansion(far, x), exact, rtol=1e-12)
    assert np.abs(ntk.taylor_expand(cubic, params, 2)(far, x) - exact).max() > 1.0


def test_the_coefficients_are_those_of_the_exponential(x64):
    one = jnp.ones((1, 1))
    terms = np.cumsum(1 / np.cumprod([1.0, *range(1, 9)]))
    for degree in (0, 1, 4, 8):
        expansion = ntk.taylor_expand(lambda w, x: jnp.exp(w) * x, 0.0, degree)
        np.testing.assert_allclose(expansion(1.0, one), [[terms[degree]]], rtol=1e-14)


def test_the_second_degree_has_the_hessian_of_the_model(x64):
    net, params, step, x = setting()
    flat, unravel = jax.flatten_util.ravel_pytree(params)
    delta = jax.flatten_util.ravel_pytree(step)[0]
    hessian = jax.jit(jax.hessian(lambda v: net.apply(unravel(v), x)))(flat)
    quadratic = ntk.taylor_expand(net.apply, params, 2)
    linear = ntk.linearize(net.apply, params)
    far = moved(params, step, 1.0)
    np.testing.assert_allclose(
        quadratic(far, x) - linear(far, x), 0.5 * (hessian @ delta) @ delta, rtol=1e-9
    )
    kernel, start = (ntk.empirical_ntk(quadratic, p, x) for p in (far, params))
    np.testing.assert_allclose(start, ntk.empirical_ntk(net.apply, params, x), rtol=1e-9)
    assert np.abs(kernel - start).max() > 0.1  # the kernel of a quadratic model moves
