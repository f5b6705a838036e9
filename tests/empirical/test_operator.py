"""The kernel as an operator, against the matrix that it stands for."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.empirical import NTKOperator

NET = ntk.mlp(2, 16, "erf", sigma_w=1.4, sigma_b=0.5, outputs=2)
KEY = jax.random.key(7)


@pytest.fixture
def case(x64):
    """Parameters, six examples, four others, and the kernel of the six as a matrix."""
    params = NET.init(jax.random.key(0), (3,))
    x = jax.random.normal(jax.random.key(1), (6, 3))
    full = ntk.empirical_ntk(NET.apply, params, x, output="full", method="jacobian")
    return params, x, np.asarray(full.transpose(0, 2, 1, 3).reshape(12, 12))


def test_products_are_those_of_the_matrix(case):
    params, x, matrix = case
    op = NTKOperator(NET.apply, params, x)
    v = np.asarray(jax.random.normal(KEY, (12, 3)))
    np.testing.assert_allclose(op @ v, matrix @ v, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(op @ v[:, 0], matrix @ v[:, 0], rtol=1e-10, atol=1e-12)
    outputs = v[:, 0].reshape(6, 2)
    np.testing.assert_allclose(op @ outputs, (matrix @ v[:, 0]).reshape(6, 2), rtol=1e-10)
    np.testing.assert_allclose(op.as_matrix(), matrix, rtol=1e-10)
    np.testing.assert_allclose(jax.jit(lambda v: op @ v)(v[:, 0]), matrix @ v[:, 0], rtol=1e-10)


def test_the_transpose_exchanges_the_examples(case):
    params, x, matrix = case
    op = NTKOperator(NET.apply, params, x[:4], x[1:])
    assert op.shape == (8, 10)
    assert op.T.shape == (10, 8)
    np.testing.assert_allclose(op.as_matrix(), matrix[:8, 2:], rtol=1e-10)
    np.testing.assert_allclose(op.T.as_matrix(), matrix[:8, 2:].T, rtol=1e-10)
    assert repr(op) == "NTKOperator(shape=(8, 10), dtype=float64)"


def test_single_outputs_and_the_pseudo_kernel(case):
    params, x, matrix = case
    one = NTKOperator(NET.apply, params, x, output=1)
    np.testing.assert_allclose(one.as_matrix(), matrix[1::2, 1::2], rtol=1e-10)
    pseudo = matrix.reshape(6, 2, 6, 2).sum((1, 3)) / 2
    whole = NTKOperator(NET.apply, params, x, output="pseudo")
    np.testing.assert_allclose(whole.as_matrix(), pseudo, rtol=1e-10)


@pytest.mark.parametrize("solver", ["cg", "minres"])
def test_solves(case, solver):
    params, x, matrix = case
    op = NTKOperator(NET.apply, params, x)
    b = jax.random.normal(KEY, (6, 2))
    u = op.solve(b, ridge=0.1, solver=solver, tolerance=1e-11)
    expected = np.linalg.solve(matrix + 0.1 * np.eye(12), b.reshape(-1))
    np.testing.assert_allclose(u.reshape(-1), expected, rtol=1e-8, atol=1e-10)


def test_a_solver_that_does_not_arrive_says_so(case):
    params, x, _ = case
    op = NTKOperator(NET.apply, params, x)
    with pytest.raises(ntk.errors.InvalidValueError, match="max_steps=2 steps"):
        op.solve(jnp.arange(12.0), tolerance=1e-10, max_steps=2)


def test_minres_agrees_with_scipy_on_an_indefinite_matrix(x64):
    from scipy.sparse.linalg import minres as reference

    from ntk.empirical.spectrum import minres

    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(20, 20)))[0]
    matrix = basis @ np.diag(np.linspace(-3, 5, 20)) @ basis.T
    b = rng.normal(size=20)
    for steps in (1, 2, 3, 7, 40):
        expected = reference(matrix, b, rtol=1e-13, maxiter=steps)[0]
        got = minres(lambda v: matrix @ v, jnp.asarray(b), 1e-13, steps)
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8)


def test_minres_stops_where_there_is_no_solution(x64):
    from ntk.empirical.spectrum import minres

    matrix = jnp.diag(jnp.asarray([2.0, 1.0, 0.0]))
    got = minres(lambda v: matrix @ v, jnp.asarray([2.0, 3.0, 0.0]), 1e-12, 50)
    np.testing.assert_allclose(got, [1.0, 3.0, 0.0], atol=1e-12)
    stuck = minres(lambda v: matrix @ v, jnp.asarray([2.0, 3.0, 1.0]), 1e-12, 50)
    np.testing.assert_allclose(matrix @ stuck, [2.0, 3.0, 0.0], atol=1e-8)
    assert (minres(lambda v: matrix @ v, jnp.zeros(3), 1e-12, 50) == 0).all()


def test_largest_eigenvalues(case):
    params, x, matrix = case
    op = NTKOperator(NET.apply, params, x)
    expected = np.linalg.eigvalsh(matrix)[::-1]
    np.testing.assert_allclose(op.eigenvalues(12, key=KEY), expected, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(op.eigenvalues(2, key=KEY, steps=9), expected[:2], rtol=1e-2)


def test_trace_and_log_determinant_within_their_errors(case):
    params, x, matrix = case
    op = NTKOperator(NET.apply, params, x)
    trace = op.trace(key=KEY, samples=200)
    assert abs(trace.mean - np.trace(matrix)) < 4 * trace.standard_error
    assert trace.standard_error < 0.2 * np.trace(matrix)
    logdet = op.logdet(key=KEY, ridge=0.5, samples=100)
    expected = np.linalg.slogdet(matrix + 0.5 * np.eye(12))[1]
    assert abs(logdet.mean - expected) < 4 * logdet.standard_error
    assert logdet.standard_error < 0.1 * abs(expected)
    assert math.isclose(
        op.trace(key=KEY, samples=200).mean, float(trace.mean), rel_tol=1e-12
    )  # the same key, the same estimate


@pytest.mark.parametrize(
    ("act", "match"),
    [
        (lambda op: op @ jnp.ones(5), r"v must have shape \(12,\)"),
        (lambda op: op.solve(jnp.ones(5)), r"b must have shape \(12,\)"),
        (lambda op: op.solve(jnp.full(12, jnp.nan)), "b has 12 value"),
        (lambda op: op.solve(jnp.ones(12), ridge=-1.0), "ridge"),
        (lambda op: op.solve(jnp.ones(12), solver="lu"), "solver must be one of"),
        (lambda op: op.eigenvalues(13, key=KEY), "count=13"),
        (lambda op: op.trace(key=KEY, samples=1), "samples must be at least 2"),
    ],
)
def test_bad_input(case, act, match):
    params, x, _ = case
    with pytest.raises(ntk.errors.NTKError, match=match):
        act(NTKOperator(NET.apply, params, x))


@pytest.mark.parametrize("name", ["solve", "eigenvalues", "trace", "logdet"])
def test_what_needs_symmetry_says_so(case, name):
    params, x, _ = case
    op = NTKOperator(NET.apply, params, x, x[:2])
    arguments = {"solve": ((jnp.ones(12),), {}), "eigenvalues": ((1,), {"key": KEY})}
    positional, named = arguments.get(name, ((), {"key": KEY}))
    with pytest.raises(ntk.errors.InvalidValueError, match="leave x2 out"):
        getattr(op, name)(*positional, **named)


def test_a_missing_package_is_named_with_its_extra(case, monkeypatch):
    params, x, _ = case
    op = NTKOperator(NET.apply, params, x)
    monkeypatch.setattr("importlib.import_module", _fail)
    for act in (lambda: op.solve(jnp.ones(12)), lambda: op.trace(key=KEY)):
        with pytest.raises(ntk.errors.MissingExtraError, match=r"ntk-companion\[operators\]"):
            act()


def _fail(name):
    raise ImportError(name)
