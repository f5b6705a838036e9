"""Fashion-MNIST: counts, normalisations, subsets, and what cannot be asked for."""

import numpy as np
import pytest

from ntk.companion import datasets
from ntk.errors import InvalidTypeError, InvalidValueError, UnknownNameError


def raw(**keywords):
    return datasets.fashion_mnist(normalisation="raw", **keywords)


def test_counts_and_shapes():
    split = datasets.fashion_mnist()
    assert (split.x_train.shape, split.x_test.shape) == ((6000, 784), (2000, 784))
    assert (split.y_train.shape, split.y_test.shape) == ((6000,), (2000,))
    assert split.x_train.dtype == np.float32
    assert split.y_train.dtype == np.int64
    assert split.classes == len(split.class_names) == 10
    assert np.bincount(split.y_train).tolist() == [560, 643, 608, 612, 584, 594, 590, 617, 590, 602]


def test_the_images_are_those_of_the_original_files():
    # The first labels of the original training and test files.
    split = raw(n_train=10, n_test=10)
    assert split.y_train.tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert split.y_test.tolist() == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]
    assert split.class_names[split.y_train[0]] == "Ankle boot"


def test_sphere_centres_and_scales_each_image_by_itself():
    x = datasets.fashion_mnist(40, 30, dtype=np.float64)
    for part in (x.x_train, x.x_test):
        np.testing.assert_allclose(part.mean(axis=1), 0, atol=1e-14)
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 28, rtol=1e-13)
    pixels = raw(n_train=40, n_test=30, dtype=np.float64).x_train
    by_hand = pixels[3] - pixels[3].mean()
    np.testing.assert_allclose(x.x_train[3], 28 * by_hand / np.linalg.norm(by_hand), atol=1e-13)


def test_standardised_uses_the_whole_training_part():
    everything = raw(dtype=np.float64).x_train
    few = datasets.fashion_mnist(5, 5, normalisation="standardised", dtype=np.float64)
    expected = (everything[:5] - everything.mean()) / everything.std()
    np.testing.assert_allclose(few.x_train, expected, atol=1e-12)


def test_unit_interval_and_raw():
    pixels = raw(n_train=20, n_test=1).x_train
    assert (pixels.min(), pixels.max()) == (0, 255)
    np.testing.assert_array_equal(pixels, np.round(pixels))
    unit = datasets.fashion_mnist(20, 1, normalisation="unit_interval").x_train
    np.testing.assert_allclose(unit, pixels / 255, rtol=1e-6)


def test_unflattened_images_are_the_same_numbers():
    flat, image = (datasets.fashion_mnist(3, 2, flatten=f) for f in (True, False))
    assert image.x_train.shape == (3, 28, 28, 1)
    np.testing.assert_array_equal(image.x_train.reshape(3, -1), flat.x_train)


def test_classes_are_renumbered_in_the_order_given():
    everything = raw()
    pair = raw(classes=(7, "Sandal"))
    assert pair.class_names == ("Sneaker", "Sandal")
    assert len(pair.y_train) == 617 + 594
    sneakers = everything.x_train[everything.y_train == 7]
    np.testing.assert_array_equal(pair.x_train[pair.y_train == 0], sneakers)


def test_a_seed_draws_other_images_repeatably_without_replacement():
    first, drawn, again = (raw(n_train=500, n_test=50, seed=s) for s in (None, 1, 1))
    np.testing.assert_array_equal(drawn.x_train, again.x_train)
    np.testing.assert_array_equal(drawn.y_test, again.y_test)
    assert not np.array_equal(first.y_train, drawn.y_train)
    everything = raw(seed=2)
    assert sorted(everything.y_train.tolist()) == sorted(raw().y_train.tolist())
    assert len(np.unique(everything.x_train, axis=0)) == len(np.unique(raw().x_train, axis=0))


def test_results_belong_to_the_caller():
    split = raw(n_train=2, n_test=1)
    split.x_train[:] = -1
    split.y_train[:] = -1
    assert raw(n_train=2, n_test=1).x_train.min() == 0
    assert raw(n_train=2, n_test=1).y_train.min() == 0


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"n_train": 6001}, InvalidValueError, "only 6000 train images"),
        ({"n_test": 2001}, InvalidValueError, "n_test: got 2001, but there are only 2000"),
        ({"n_train": 644, "classes": (1,)}, InvalidValueError, "only 643 train images"),
        ({"n_train": 0}, InvalidValueError, "n_train: got 0"),
        ({"classes": (0, 10)}, InvalidValueError, "classes: got 10"),
        ({"classes": (0, "T-shirt/top")}, InvalidValueError, "none twice"),
        ({"classes": ()}, InvalidValueError, "at least one class"),
        ({"classes": ("sneakers",)}, UnknownNameError, "Did you mean 'Sneaker'"),
        ({"classes": "Bag"}, InvalidTypeError, "expected a sequence"),
        ({"classes": (0.5,)}, InvalidTypeError, "classes: got 0.5"),
        ({"normalisation": "standardized"}, UnknownNameError, "Did you mean 'standardised'"),
        ({"dtype": np.uint8}, InvalidTypeError, "dtype: got uint8"),
    ],
)
def test_bad_input_names_the_argument(plainly, keywords, error, message):
    with pytest.raises(error, match=message):
        plainly(datasets.fashion_mnist)(**keywords)
