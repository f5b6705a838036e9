"""Images side by side."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ntk.errors import InvalidValueError, ShapeError

# The one grey with the same contrast, 4.2 to 1, to the white page and to the dark one: pictures are
# left out of the inversion in the dark theme, and their titles with them.
TITLE_GREY = "#7b7b7b"


def image_grid(
    images: ArrayLike,
    *,
    titles: Sequence[str] | None = None,
    columns: int = 8,
    limits: tuple[float | int, float | int] | None = None,
) -> Figure:
    """Show grey images in rows, all on the same scale.

    In the cell's metadata give the figure the class `photograph`, so that the dark theme does not
    turn it into a negative: `mystnb: {image: {classes: photograph, alt: ...}}`.

    Parameters
    ----------
    images : array_like
        Images `(n, height, width)` or `(n, height, width, 1)`, or flat square ones `(n, side**2)`.
    titles : sequence of str, optional
        One line above each image.
    columns : int
        Images in a row.
    limits : tuple of float, optional
        The values shown as black and white; by default the least and the greatest of all images.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which a notebook shows at the end of the cell.

    Raises
    ------
    ShapeError
        If the images have none of these shapes, or there are not as many titles as images.
    InvalidValueError
        If `columns` is below 1 or a pixel is not finite.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from ntk.companion import datasets, figures
    >>> sample = datasets.fashion_mnist(10, 1)
    >>> names = [sample.class_names[c] for c in sample.y_train]
    >>> fig = figures.image_grid(sample.x_train, titles=names, columns=5)
    >>> len(fig.axes)
    10
    >>> plt.close(fig)
    """
    pixels = _as_images(np.asarray(images))
    if titles is not None and len(titles) != len(pixels):
        raise ShapeError(
            f"titles: got {len(titles)}, expected one for each of {len(pixels)} images."
        )
    if columns < 1:
        raise InvalidValueError(f"columns: got {columns}, expected at least 1.")
    if not np.isfinite(pixels).all():
        raise InvalidValueError("images: some pixels are not finite.")
    low, high = (float(pixels.min()), float(pixels.max())) if limits is None else limits
    width = min(columns, len(pixels))
    rows = -(-len(pixels) // width)
    side = plt.rcParams["figure.figsize"][0] / width
    height = rows * (side * pixels.shape[1] / pixels.shape[2] + (0.18 if titles else 0.0))
    figure, axes = plt.subplots(rows, width, figsize=(side * width, height), squeeze=False)
    for k, ax in enumerate(axes.flat):
        if k >= len(pixels):
            ax.remove()
            continue
        ax.imshow(pixels[k], cmap="gray", vmin=low, vmax=high)
        ax.set_axis_off()
        if titles is not None:
            ax.set_title(titles[k], color=TITLE_GREY, fontsize="small", loc="center")
    return figure


def _as_images(array: np.ndarray) -> np.ndarray:
    """Return the array as `(n, height, width)`."""
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 2:
        side = round(float(np.sqrt(array.shape[1])))
        if side * side == array.shape[1]:
            array = array.reshape(len(array), side, side)
    if array.ndim != 3 or array.size == 0:
        raise ShapeError(
            f"images: got shape {array.shape}, expected (n, height, width), "
            "(n, height, width, 1) or flat square images (n, side**2), with n >= 1."
        )
    return array
