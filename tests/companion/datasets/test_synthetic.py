"""Circles, spheres and teachers: exact where there is a formula, repeatable everywhere."""

import numpy as np
import pytest

from ntk.companion import datasets
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError, UnknownNameError


def test_circle_is_equispaced_from_the_phase():
    x = datasets.circle(5, phase=0.3, radius=2.0, dtype=np.float64)
    angles = 0.3 + 2 * np.pi * np.arange(5) / 5
    np.testing.assert_allclose(x, 2 * np.stack([np.cos(angles), np.sin(angles)], 1), atol=1e-15)


@pytest.mark.parametrize(
    ("radius", "norm"), [("sqrt_d", np.sqrt(7)), (1.0, 1.0), (0.25, 0.25), (2, 2.0)]
)
def test_sphere_has_the_radius(radius, norm):
    x = datasets.sphere(50, 7, seed=1, radius=radius, dtype=np.float64)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), norm, rtol=1e-14)


def test_sphere_is_uniform():
    x = datasets.sphere(20_000, 3, seed=2, radius=1.0, dtype=np.float64)
    # A coordinate of a uniform point of the sphere in three dimensions is uniform on [-1, 1].
    # Standard errors: 1/sqrt(3 n) = .0041 of the mean, .0021 of the mean square.
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=4 * 0.0041)
    np.testing.assert_allclose((x**2).mean(axis=0), 1 / 3, atol=4 * 0.0022)


def test_a_larger_sample_begins_with_the_smaller_one():
    small, large = (datasets.sphere(n, 4, seed=3) for n in (5, 9))
    np.testing.assert_array_equal(small, large[:5])
    small, large = (datasets.teacher_student(n, 4, seed=3, noise=0.5) for n in (5, 9))
    np.testing.assert_array_equal(small.x, large.x[:5])
    np.testing.assert_array_equal(small.noisy, large.noisy[:5])


def test_both_precisions_see_the_same_points():
    double = datasets.sphere(6, 4, seed=3, dtype=np.float64)
    np.testing.assert_array_equal(datasets.sphere(6, 4, seed=3), double.astype(np.float32))


def test_draws_are_pinned():
    # Figures of the book depend on these draws; a change here changes them all.
    np.testing.assert_allclose(
        datasets.sphere(2, 3, seed=0, dtype=np.float64),
        [[0.3270408, -0.3436221, 1.6658236], [0.2774991, -1.4170409, 0.9565508]],
        atol=1e-6,
    )
    data = datasets.teacher_student(3, 5, seed=0, activation="tanh", noise=0.1)
    np.testing.assert_allclose(data.clean[:, 0], [0.6216631, -0.0026529, 0.3407299], atol=1e-6)
    np.testing.assert_allclose(data.noisy[:, 0], [0.715873, -0.0725022, 0.4995805], atol=1e-6)


def test_a_generator_is_as_good_as_a_seed():
    x = datasets.sphere(4, 3, seed=np.random.default_rng(5))
    np.testing.assert_array_equal(x, datasets.sphere(4, 3, seed=5))
    assert not np.array_equal(x, datasets.sphere(4, 3, seed=6))


def test_on_sphere_centres_each_input():
    x = datasets.on_sphere(np.arange(24.0).reshape(2, 3, 4), centred=True, dtype=np.float64)
    np.testing.assert_allclose(x.mean(axis=(1, 2)), 0, atol=1e-15)
    np.testing.assert_allclose((x**2).mean(axis=(1, 2)), 1, rtol=1e-14)


def test_teacher_is_the_written_formula():
    data = datasets.teacher_student(6, 4, seed=1, width=3, outputs=2, dtype=np.float64)
    w, a = data.teacher.hidden, data.teacher.readout
    by_hand = np.sqrt(2 / 3) * np.maximum(data.x @ w.T / 2, 0) @ a.T
    np.testing.assert_allclose(data.clean, by_hand, atol=1e-14)
    np.testing.assert_array_equal(data.noisy, data.clean)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_teacher_has_unit_variance(activation):
    # The average over 400 teachers of width 200 at one input.
    outputs = [
        datasets.teacher_student(
            1, 6, seed=s, width=200, outputs=20, activation=activation, dtype=np.float64
        ).clean
        for s in range(400)
    ]
    second_moment = np.square(outputs).mean(axis=(1, 2))
    error = second_moment.std(ddof=1) / np.sqrt(400)
    assert abs(second_moment.mean() - 1) < 4 * error
    assert error < 0.02


def test_teacher_does_not_depend_on_sample_or_noise():
    one = datasets.teacher_student(3, 4, seed=7)
    two = datasets.teacher_student(8, 4, seed=7, noise=0.3)
    np.testing.assert_array_equal(one.teacher.hidden, two.teacher.hidden)
    np.testing.assert_array_equal(one.teacher.readout, two.teacher.readout)


def test_noise_has_its_level_and_is_independent_of_the_clean_targets():
    data = datasets.teacher_student(20_000, 3, seed=4, noise=0.5, dtype=np.float64)
    noise = (data.noisy - data.clean)[:, 0]
    assert abs(noise.std() - 0.5) < 4 * 0.5 / np.sqrt(2 * 20_000)
    assert abs(np.corrcoef(noise, data.clean[:, 0])[0, 1]) < 4 / np.sqrt(20_000)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes(dtype):
    data = datasets.teacher_student(3, 2, seed=0, noise=0.1, dtype=dtype)
    arrays = (data.x, data.clean, data.noisy, datasets.circle(3, dtype=dtype), data.teacher(data.x))
    assert all(a.dtype == dtype for a in arrays)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: datasets.circle(0), InvalidValueError, "n: got 0"),
        (lambda: datasets.circle(3, phase=np.inf), InvalidValueError, "phase: got inf"),
        (lambda: datasets.circle(3, radius=-1.0), InvalidValueError, "radius: got -1.0"),
        (lambda: datasets.sphere(2, 0, seed=0), InvalidValueError, "d: got 0"),
        (lambda: datasets.sphere(2, 2, seed=-1), InvalidValueError, "seed: got -1"),
        (lambda: datasets.sphere(2, 2, seed=0, dtype=int), InvalidTypeError, "dtype: got int64"),
        (
            lambda: datasets.sphere(2, 2, seed=0, dtype="flot"),
            InvalidTypeError,
            "dtype: got 'flot'",
        ),
        (lambda: datasets.sphere(2, True, seed=0), InvalidTypeError, "d: got True"),
        (lambda: datasets.sphere(2, 2, seed=True), InvalidTypeError, "seed: got True"),
        (lambda: datasets.on_sphere(np.zeros(3)), ShapeError, r"x: got shape \(3,\)"),
        (lambda: datasets.on_sphere(np.zeros((0, 3))), ShapeError, r"x: got shape \(0, 3\)"),
        (lambda: datasets.on_sphere(np.eye(3) * [1, 1, 0]), InvalidValueError, "row 2"),
        (lambda: datasets.on_sphere(np.array([[1.0], [np.nan]])), InvalidValueError, "row 1"),
        (lambda: datasets.on_sphere(np.ones((2, 3)), centred=True), InvalidValueError, "2 rows"),
        (lambda: datasets.teacher_student(2, 2, seed=0, noise=-0.1), InvalidValueError, "noise"),
        (lambda: datasets.teacher_student(2, 2, seed=0, width=0), InvalidValueError, "width"),
        (lambda: datasets.teacher_student(2, 2, seed=0).teacher(np.ones((2, 3))), ShapeError, "x:"),
    ],
)
def test_bad_input_names_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_unknown_names_list_close_ones(plainly):
    with pytest.raises(UnknownNameError, match=r"'tahn'.*Did you mean 'tanh'"):
        plainly(datasets.teacher_student)(2, 2, seed=0, activation="tahn")
    with pytest.raises(InvalidTypeError, match=r"n: got 2\.5"):
        plainly(datasets.circle)(2.5)
    with pytest.raises(InvalidTypeError, match="seed: got None"):
        plainly(datasets.sphere)(2, 2, seed=None)
    with pytest.raises(InvalidValueError, match="radius: got 'one'"):
        plainly(datasets.on_sphere)(np.eye(2), radius="one")
