"""The bundled subset of Fashion-MNIST."""

import functools
from collections.abc import Sequence
from importlib import resources
from typing import Any, Literal, SupportsIndex, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ntk.companion.datasets.arguments import (
    Seed,
    at_most,
    float_dtype,
    generator,
    known_name,
)
from ntk.companion.datasets.records import Floats, Labels, Split
from ntk.companion.datasets.spheres import on_sphere
from ntk.errors import InvalidTypeError, InvalidValueError

Normalisation = Literal["sphere", "standardised", "unit_interval", "raw"]

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def fashion_mnist(
    n_train: SupportsIndex | None = None,
    n_test: SupportsIndex | None = None,
    *,
    classes: Sequence[int | str] | None = None,
    flatten: bool = True,
    normalisation: Normalisation = "sphere",
    dtype: DTypeLike = np.float32,
    seed: Seed | None = None,
) -> Split:
    r"""Load the bundled subset of Fashion-MNIST.

    It holds the first 6000 training and the first 2000 test images of Xiao, Rasul and Vollgraf
    (2017): grey images of 28 by 28 pixels, ten kinds of clothing.

    Parameters
    ----------
    n_train, n_test : int, optional
        How many images of each part; by default all there are of the classes asked for.
    classes : sequence of int or str, optional
        Keep only these classes, by number or name, for example `(0, 1)` or
        `("Sandal", "Sneaker")`. Labels are renumbered 0, 1, ... in the order given.
    flatten : bool
        Inputs `(n, 784)`, or `(n, 28, 28, 1)` with False.
    normalisation : {"sphere", "standardised", "unit_interval", "raw"}
        `"sphere"`: from each image its own mean pixel is subtracted, and it is scaled to norm
        :math:`\sqrt{784} = 28`, so that every image has mean 0 and mean square 1: all inputs then
        have the same kernel diagonal. `"standardised"`: one mean and one standard deviation for
        all pixels, those of the 6000 training images, whatever subset is asked for.
        `"unit_interval"`: divided by 255. `"raw"`: 0 to 255.
    dtype : dtype
        A floating type; the arithmetic is done in float64.
    seed : int or numpy.random.Generator, optional
        Draw the images at random, without replacement. By default the first ones are taken, in
        the order of the original files.

    Returns
    -------
    Split
        Training and test images with their class numbers and names.

    Raises
    ------
    InvalidValueError
        If more images are asked for than there are (the message says how many), or a class is
        repeated or out of range.
    UnknownNameError
        If a class name or the normalisation is unknown; the message lists close matches.
    InvalidTypeError
        If `dtype` is not floating, or a class is neither a number nor a name.

    Examples
    --------
    >>> from ntk.companion import datasets
    >>> datasets.fashion_mnist(1000, 500)
    Split(fashion_mnist: 1000 train, 500 test, inputs (784,) float32, 10 classes)
    >>> pair = datasets.fashion_mnist(200, 100, classes=("Sandal", "Sneaker"), flatten=False)
    >>> pair.x_train.shape, pair.class_names
    ((200, 28, 28, 1), ('Sandal', 'Sneaker'))
    """
    result = float_dtype(dtype)
    known_name("normalisation", normalisation, get_args(Normalisation))
    kept = tuple(range(len(CLASS_NAMES))) if classes is None else _class_numbers(classes)
    random = None if seed is None else generator(seed)

    def part(which: str, count: SupportsIndex | None) -> tuple[Floats, Labels]:
        images, labels = _arrays()[which]
        renumbered = np.full(len(CLASS_NAMES), -1, dtype=np.int64)
        renumbered[list(kept)] = np.arange(len(kept))
        rows = np.flatnonzero(renumbered[labels] >= 0)
        what = f"{which} images" + ("" if classes is None else f" of the classes {kept}")
        number = at_most(f"n_{which}", count, len(rows), what)
        rows = rows[:number] if random is None else random.permutation(rows)[:number]
        x = images[rows].astype(np.float64)
        if normalisation == "sphere":
            x = np.asarray(on_sphere(x, centred=True, dtype=np.float64))
        elif normalisation == "standardised":
            everything, _ = _arrays()["train"]
            x = (x - everything.mean()) / everything.std()
        elif normalisation == "unit_interval":
            x = x / 255.0
        shape = (number, -1) if flatten else (number, 28, 28, 1)
        return x.reshape(shape).astype(result), renumbered[labels[rows]]

    x_train, y_train = part("train", n_train)
    x_test, y_test = part("test", n_test)
    names = tuple(CLASS_NAMES[c] for c in kept)
    return Split("fashion_mnist", x_train, y_train, x_test, y_test, names)


def _class_numbers(classes: Any) -> tuple[int, ...]:
    """Return class numbers for numbers or names."""
    if isinstance(classes, str | int | np.integer):
        raise InvalidTypeError(
            f"classes: got {classes!r}, expected a sequence of numbers or names; "
            f"pass ({classes!r}, ...) with at least one entry."
        )
    numbers = []
    for entry in classes:
        if isinstance(entry, str):
            numbers.append(CLASS_NAMES.index(known_name("classes", entry, CLASS_NAMES)))
        elif isinstance(entry, int | np.integer) and not isinstance(entry, bool):
            if not 0 <= entry < len(CLASS_NAMES):
                raise InvalidValueError(f"classes: got {entry}, expected 0 to 9.")
            numbers.append(int(entry))
        else:
            raise InvalidTypeError(
                f"classes: got {entry!r} of type {type(entry).__name__}, "
                "expected class numbers (0 to 9) or names."
            )
    if not numbers or len(set(numbers)) < len(numbers):
        raise InvalidValueError(
            f"classes: got {tuple(classes)!r}, expected at least one class and none twice."
        )
    return tuple(numbers)


@functools.cache
def _arrays() -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Read the images once; callers copy, nobody may write."""
    path = resources.files("ntk.companion.datasets") / "data" / "fashion_mnist.npz"
    with path.open("rb") as file, np.load(file) as archive:
        parts = {p: (archive[f"{p}.X"], archive[f"{p}.y"]) for p in ("train", "test")}
    for images, labels in parts.values():
        images.flags.writeable = labels.flags.writeable = False
    return parts
