"""Class numbers as targets."""

import numpy as np
import pytest

from ntk.companion import datasets
from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError


def test_centred_targets_sum_to_zero_and_point_at_the_class():
    y = np.array([2, 0, 1, 2])
    targets = datasets.one_hot(y, 5, dtype=np.float64)
    assert targets.shape == (4, 5)
    np.testing.assert_allclose(targets.sum(axis=1), 0, atol=1e-15)
    np.testing.assert_array_equal(targets.argmax(axis=1), y)
    np.testing.assert_allclose(np.unique(targets), [-0.2, 0.8])


def test_plain_targets():
    np.testing.assert_array_equal(datasets.one_hot([1, 0], centred=False), [[0, 1], [1, 0]])


def test_default_number_of_classes_is_the_largest_label_plus_one():
    assert datasets.one_hot([0, 3]).shape == (2, 4)


@pytest.mark.parametrize(
    ("y", "classes", "error", "message"),
    [
        ([0, 3], 3, InvalidValueError, "from 0 to 3, expected 0 to 2"),
        ([-1, 0], 2, InvalidValueError, "from -1 to 0"),
        ([0, 1], 0, InvalidValueError, "classes: got 0"),
        ([0.0, 1.0], 2, InvalidTypeError, "y: got dtype float64"),
        ([], 2, ShapeError, r"y: got shape \(0,\)"),
        ([[0], [1]], 2, ShapeError, r"y: got shape \(2, 1\)"),
    ],
)
def test_bad_input_names_the_argument(y, classes, error, message):
    with pytest.raises(error, match=message):
        datasets.one_hot(y, classes)
