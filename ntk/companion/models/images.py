"""Grey pictures in the form that models of colour pictures take."""

import numpy as np
from jaxtyping import Float

from ntk.errors import InvalidValueError


def colour_images(
    images: Float[np.ndarray, "n rows columns 1"], side: int = 32
) -> Float[np.ndarray, "n side side 3"]:
    """Pad grey pictures to a square, continuing their edges, and repeat them in three channels.

    Parameters
    ----------
    images : ndarray, shape (n, rows, columns, 1)
        Pictures, such as those of :func:`ntk.companion.datasets.fashion_mnist`.
    side : int, default 32
        Rows and columns of the result, in pixels.

    Returns
    -------
    ndarray, shape (n, side, side, 3)
        The pictures in the middle.

    Raises
    ------
    InvalidValueError
        If the pictures are larger than that.

    Examples
    --------
    >>> import numpy as np
    >>> colour_images(np.zeros((2, 28, 28, 1))).shape
    (2, 32, 32, 3)
    """
    _, rows, columns, _ = images.shape
    if max(rows, columns) > side:
        raise InvalidValueError(
            f"side={side} is less than the pictures' {rows} x {columns} pixels; take at least "
            f"side={max(rows, columns)}"
        )
    edges = [((side - n) // 2, side - n - (side - n) // 2) for n in (rows, columns)]
    padded = np.pad(images, ((0, 0), *edges, (0, 0)), mode="edge")
    return np.repeat(padded, 3, axis=3)
