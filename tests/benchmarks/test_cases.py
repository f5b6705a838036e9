"""Cases: their inputs, and a reference that knows nothing of the package."""

import numpy as np
import pytest

import ntk
from benchmarks import cases
from benchmarks.case import largest_divisor
from benchmarks.cases import accuracy, empirical, empirical_methods
from benchmarks.networks import description
from benchmarks.page.empirical import METHODS
from benchmarks.reference import _gelu, ntk_of_pair
from benchmarks.runner import summary


def test_names_are_unique_and_every_case_has_our_side_first():
    for module in cases.GROUPS.values():
        names = [case.id for case in module.CASES]
        assert len(set(names)) == len(names)
        assert all(case.sides[0].name == "ours" for case in module.CASES)
        assert all(set(case.quick) <= set(case.parameters) for case in module.CASES)


def test_pairs_are_of_the_kind_that_their_name_says():
    p = accuracy.CASES[0].at("quick")
    x, pairs = accuracy.points(p), accuracy.classes(p)
    distance = {
        name: np.linalg.norm(x[i] - x[j], axis=1) / np.linalg.norm(x[j], axis=1)
        for name, (i, j) in pairs.items()
    }
    assert not distance["diagonal"].any()
    assert not distance["duplicates"].any()
    assert all((i != j).all() for name, (i, j) in pairs.items() if name != "diagonal")
    for eps in accuracy.SEPARATIONS:
        near = distance[f"near-duplicates, {eps:g} apart"]
        assert ((near > 0.3 * eps) & (near < 3 * eps)).all()
    assert (distance["ordinary pairs"] > 0.1).all()
    assert x.dtype == np.float32


@pytest.mark.parametrize("case", accuracy.CASES[:3], ids=lambda case: case.id)
def test_the_reference_is_the_kernel_in_double_precision(case, x64):
    p = case.at("quick")
    x = accuracy.points(p)[[0, 1, 3, 19]].astype(np.float64)
    K = np.asarray(ntk.kernel(description(p), x, get="ntk"))
    expected = [[ntk_of_pair(p, a, b) for b in x] for a in x]
    np.testing.assert_allclose(K, expected, rtol=1e-9)
    other = ntk_of_pair({**p, "sigma_b": 0.11}, x[0], x[1])
    assert abs(other / K[0, 1] - 1) > 1e-4


def test_the_quadrature_of_gelu_is_that_of_samples():
    u, v = np.random.default_rng(0).multivariate_normal([0, 0], [[1.2, 0.5], [0.5, 0.8]], 400_000).T
    from scipy.special import ndtr

    value, slope = _gelu(1.2, 0.5, 0.8)
    derivative = [ndtr(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) for z in (u, v)]
    samples = (u * ndtr(u) * v * ndtr(v), derivative[0] * derivative[1])
    for found, drawn in zip((value, slope), samples, strict=True):
        assert abs(float(found) - drawn.mean()) < 4 * drawn.std() / np.sqrt(len(drawn))


def test_errors_are_relative_to_the_points_own_entries():
    reference = np.array([[4.0, 0.0002], [0.0002, 1.0]])
    matrix = reference + 1e-6
    found = summary(matrix, reference, (np.array([0]), np.array([1])))
    assert found["largest"] == pytest.approx(5e-7, rel=1e-3)
    assert found["relative"] == pytest.approx(5e-3, rel=1e-3)


def test_batches_of_the_peer_are_whole():
    assert [largest_divisor(n, 500) for n in (5000, 300, 9000, 7)] == [500, 300, 500, 7]


@pytest.mark.parametrize(
    "case", [*empirical.CASES, empirical_methods.CASES[1]], ids=lambda case: case.id
)
def test_our_sides_of_empirical_kernels_run_at_tiny_sizes(case):
    p = case.at("quick")
    for side in case.sides:
        if side.environment == "project":
            work = side.build(p)
            result = work.run()
            assert all(isinstance(array, np.ndarray) for array in work.inputs)
            if side.name in ("ours", *METHODS):
                outputs = () if p.get("output") == "mean" else (p["k"], p["k"])
                assert result.shape == (p["n"], p["n"], *outputs)
