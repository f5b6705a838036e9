"""The shared decomposition: what counts as zero, what is said of it, what is refused."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.errors import InvalidValueError, ShapeError, SingularGramWarning


def gram(n, rank, dtype, spread=0.0, seed=0):
    """Return a Gram matrix of this rank with eigenvalues over ``spread`` orders of magnitude."""
    vectors = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0][:, :rank]
    values = 10.0 ** -np.linspace(0.0, spread, rank)
    matrix = (vectors * values) @ vectors.T
    return (0.5 * (matrix + matrix.T)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "rank"), [(2, 1), (7, 3), (60, 59), (200, 80), (200, 200)])
def test_the_rank_is_found_in_both_precisions(x64, dtype, n, rank):
    # Eigenvalues down to 1e-3 of the largest: far above rounding, in both precisions.
    system = ntk.Eigensystem(gram(n, rank, dtype, spread=3.0))
    assert system.eigenvalues.dtype == dtype
    assert int(system.rank) == rank
    np.testing.assert_allclose(float(system.condition), 1e3 if rank > 1 else 1.0, rtol=2e-2)


def test_a_kernel_of_zeros_has_only_a_null_space():
    system = ntk.Eigensystem(np.zeros((3, 3), np.float32))
    assert int(system.rank) == 0
    assert np.isinf(float(system.condition))
    flow = ntk.GradientFlow(system, np.zeros((3, 1), np.float32))
    with pytest.warns(SingularGramWarning, match="rank 0 of 3"):
        out = flow.train(jnp.inf, np.ones((3, 1), np.float32))
    np.testing.assert_array_equal(out, np.ones((3, 1)))
    assert np.isinf(float(ntk.max_learning_rate(system)))


def test_the_scale_of_the_kernel_does_not_matter(x64):
    matrix, y = gram(6, 4, float, spread=2.0), np.random.default_rng(1).standard_normal((6, 2))
    y = matrix @ y
    for factor in (1e-200, 1e-30, 1e30, 1e200):
        flow = ntk.GradientFlow(factor * matrix, y)
        assert int(flow.spectrum.rank) == 4
        np.testing.assert_allclose(flow.train(jnp.inf, 0 * y), y, atol=1e-12)


def test_what_counts_as_zero_is_up_to_the_user(x64):
    matrix = np.diag([1.0, 1e-6, 1e-12])
    assert int(ntk.Eigensystem(matrix).rank) == 3
    assert int(ntk.Eigensystem(matrix, tolerance=1e-4).rank) == 1
    for bad in (-1.0, 1.0, np.nan):
        with pytest.raises(InvalidValueError, match="tolerance"):
            ntk.Eigensystem(matrix, tolerance=bad)


def test_targets_of_higher_precision_do_not_hide_a_null_space(x64):
    # Rounding of a float32 matrix is far above that of the float64 it is converted to.
    matrix = gram(30, 20, np.float32)
    flow = ntk.GradientFlow(matrix, np.zeros((30, 1)))
    assert flow.y.dtype == np.float64
    assert int(flow.spectrum.rank) == 20


def test_one_decomposition_serves_all(x64, monkeypatch):
    matrix, y = gram(5, 5, float), np.ones((5, 1))
    system = ntk.Eigensystem(matrix)

    def again(*args, **kwargs):
        raise AssertionError("decomposed a second time")

    monkeypatch.setattr(jnp.linalg, "eigh", again)
    zero = np.zeros((5, 1))
    for training in (
        ntk.GradientFlow(system, y),
        ntk.GradientDescent(system, y, learning_rate=0.1),
        ntk.GradientDescent(system, y, learning_rate=0.1, momentum=0.5, nesterov=True),
    ):
        np.testing.assert_allclose(training.train(jnp.inf, zero), y, rtol=1e-9)
    assert float(ntk.max_learning_rate(system)) == pytest.approx(2.0)
    assert ntk.gp_posterior(system, matrix, matrix, y, noise=0.1).mean.shape == (5, 1)
    with pytest.raises(AssertionError, match="second time"):
        ntk.GradientFlow(matrix, y)


def test_a_singular_system_without_ridge_is_warned_of(x64):
    twice = np.ones((2, 2))  # one point twice
    flow = ntk.GradientFlow(twice, np.asarray([[3.0], [1.0]]))
    zero = np.zeros((2, 1))
    with pytest.warns(SingularGramWarning, match=r"rank 1 of 2.*y - f0.*1.41.*ridge") as caught:
        end = flow.train(jnp.inf, zero)
    assert caught[0].filename == __file__
    np.testing.assert_allclose(end, [[2.0], [2.0]])
    np.testing.assert_allclose(flow.unlearnable(zero), [[1.0], [-1.0]])
    for call in (
        lambda: flow.test(np.asarray([1.0, np.inf]), twice[:1], zero[:1], zero),
        lambda: ntk.gp_posterior(twice, twice, twice, np.asarray([[3.0], [1.0]])),
        lambda: ntk.ensemble(*3 * [ntk.Kernel(twice, twice)], np.asarray([[3.0], [1.0]])),
        lambda: ntk.GradientDescent(twice, flow.y, learning_rate=0.1).train(np.inf, zero),
    ):
        with pytest.warns(SingularGramWarning):
            call()


def test_no_warning_where_nothing_is_lost(x64):
    twice, y = np.ones((2, 2)), np.asarray([[3.0], [1.0]])
    zero = np.zeros((2, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ntk.GradientFlow(twice, y).train(1e9, zero)  # no inverse is asked for
        ntk.GradientFlow(twice, y, ridge=0.1).train(jnp.inf, zero)
        ntk.GradientFlow(twice, 2.0 * np.ones((2, 1))).train(jnp.inf, zero)  # equal targets
        ntk.GradientFlow(twice, y).train(jnp.inf, y - 1.0)  # the residual is in the range
        ntk.gp_posterior(twice, twice, twice, y, noise=0.1)
        jax.jit(lambda k: ntk.GradientFlow(k, y).train(jnp.inf, zero))(twice)
        matrix = gram(40, 25, np.float32, spread=2.0)
        inside = matrix @ np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
        ntk.GradientFlow(matrix, inside).train(jnp.inf, 0 * inside)


@pytest.mark.parametrize("bad", ["asymmetric", "indefinite", "nan", "infinite", "oblong", "vector"])
def test_what_is_no_gram_matrix_is_refused(bad):
    matrix = np.eye(3, dtype=np.float32)
    if bad == "asymmetric":
        matrix[0, 1] = 1e-3
    elif bad == "indefinite":
        matrix[0, 0] = -1e-3
    elif bad in {"nan", "infinite"}:
        matrix[1, 1] = np.nan if bad == "nan" else np.inf
    matrix = {"oblong": matrix[:2], "vector": matrix[0]}.get(bad, matrix)
    error = ShapeError if bad in {"oblong", "vector"} else InvalidValueError
    # The shape checks of the test suite would speak first of the last two.
    with pytest.raises((error, TypeError)):
        ntk.Eigensystem(matrix)


def test_jit_vmap_and_repr(x64):
    matrices = np.stack([gram(4, 2, float, seed=s) for s in range(3)])
    systems = jax.vmap(ntk.Eigensystem)(matrices)
    assert systems.eigenvalues.shape == (3, 4)
    np.testing.assert_array_equal(jax.vmap(lambda s: s.rank)(systems), [2, 2, 2])
    assert repr(ntk.Eigensystem(matrices[0])) == "Eigensystem(n=4, dtype=float64)"
