"""A matrix on disk, tile by tile: a computation that is killed goes on where it stopped."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from ntk.errors import InvalidTypeError, InvalidValueError

MANIFEST = "manifest.json"
FORMAT = 1


def fingerprint(*things: Any) -> str:
    """Return a digest of texts, numbers and pytrees of arrays: equal content, equal digest.

    Examples
    --------
    >>> import numpy as np
    >>> fingerprint("ntk", np.ones(3)) == fingerprint("ntk", np.ones(3))
    True
    >>> fingerprint("ntk", np.ones(3)) == fingerprint("ntk", np.ones(4))
    False
    """
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(things):
        if isinstance(leaf, str):
            digest.update(f"text {len(leaf)} {leaf}".encode())
            continue
        array = np.asarray(leaf)
        digest.update(f"array {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(str(jax.tree.structure(things)).encode())
    return digest.hexdigest()


class TileStore:
    """Tiles of an array ``(n1, n2, ...)`` in a folder, one file each.

    A tile is written under another name and then renamed, so that it is there as a whole or not
    at all. The manifest says what the tiles belong to; a folder with tiles of something else is
    refused.

    Parameters
    ----------
    path : str or Path
        The folder; made if it is not there.
    shape : tuple of int
        Of the whole array.
    dtype : dtype
        Of its entries.
    tile : int
        Rows and columns of a tile. A folder that has been begun keeps its own.
    symmetric : bool
        Whether tiles below the diagonal are those above it, mirrored. The last two axes of a
        four-dimensional array are exchanged too.
    digest : str
        What the array is computed from, by :func:`fingerprint`.

    Raises
    ------
    InvalidValueError
        If the folder holds tiles of another array.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> store = TileStore(folder, (3, 3), "float64", 2, symmetric=True, digest="example")
    >>> for i, j in store.missing():
    ...     rows, columns = store.bounds(i, j)
    ...     store.write(i, j, np.ones((len(rows), len(columns))))
    >>> np.asarray(store).sum()
    np.float64(9.0)
    >>> list(store.missing())
    []
    """

    def __init__(
        self,
        path: Any,
        shape: tuple[int, ...],
        dtype: Any,
        tile: int,
        *,
        symmetric: bool = False,
        digest: str = "",
    ) -> None:
        if not isinstance(path, str | os.PathLike):
            raise InvalidTypeError(f"store must be a folder's path, got {type(path).__name__}")
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise InvalidValueError(f"store={str(path)!r} is a file; name a folder")
        self.shape = tuple(int(size) for size in shape)
        self.dtype = np.dtype(dtype)
        self.symmetric = symmetric
        wanted = {
            "format": FORMAT,
            "shape": list(self.shape),
            "dtype": self.dtype.name,
            "symmetric": symmetric,
            "fingerprint": digest,
        }
        self.path.mkdir(parents=True, exist_ok=True)
        if (self.path / MANIFEST).exists():
            found = self._manifest()
            other = [key for key, value in wanted.items() if found.get(key) != value]
            if other:
                told = ", ".join(f"{key} {found.get(key)!r}, not {wanted[key]!r}" for key in other)
                raise InvalidValueError(
                    f"store={str(path)!r} holds tiles of another array: {told}; "
                    "name another folder, or delete this one"
                )
            self.tile = int(found["tile"])
        else:
            if any(self.path.glob("*.npy")):
                raise InvalidValueError(
                    f"store={str(path)!r} has files that are not ours; name an empty folder"
                )
            self.tile = int(tile)
            text = json.dumps({**wanted, "tile": self.tile}, indent=1)
            self._put(self.path / MANIFEST, lambda file: file.write(text.encode()))

    def _manifest(self) -> dict[str, Any]:
        try:
            found = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise InvalidValueError(f"{self.path / MANIFEST} cannot be read; delete the folder")
        return found

    def _put(self, path: Path, save: Callable[[Any], Any]) -> None:
        handle, name = tempfile.mkstemp(dir=self.path, prefix="unfinished-")
        try:
            with os.fdopen(handle, "wb") as file:
                save(file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _file(self, i: int, j: int) -> Path:
        return self.path / f"tile-{i:06d}-{j:06d}.npy"

    def tiles(self) -> Iterator[tuple[int, int]]:
        """Iterate over the tiles that make the array, row by row."""
        rows, columns = (-(-size // self.tile) for size in self.shape[:2])
        for i in range(rows):
            for j in range(i if self.symmetric else 0, columns):
                yield i, j

    def missing(self) -> Iterator[tuple[int, int]]:
        """Iterate over the tiles that are not there yet."""
        return ((i, j) for i, j in self.tiles() if not self._file(i, j).exists())

    def bounds(self, i: int, j: int) -> tuple[range, range]:
        """Return the rows and the columns of a tile."""
        first, second = (
            range(index * self.tile, min((index + 1) * self.tile, size))
            for index, size in zip((i, j), self.shape, strict=False)
        )
        return first, second

    def write(self, i: int, j: int, block: Any) -> None:
        """Store a tile, as a whole or not at all."""
        block = np.asarray(block, dtype=self.dtype)
        rows, columns = self.bounds(i, j)
        expected = (len(rows), len(columns), *self.shape[2:])
        if block.shape != expected:
            raise InvalidValueError(f"tile ({i}, {j}) has shape {block.shape}, not {expected}")
        self._put(self._file(i, j), lambda file: np.save(file, block))

    def read(self, i: int, j: int) -> NDArray[Any]:
        """Return a tile, mirrored if it lies below the diagonal of a symmetric array."""
        if self.symmetric and i > j:
            axes = (1, 0, 3, 2) if len(self.shape) == 4 else (1, 0, *range(2, len(self.shape)))
            return self.read(j, i).transpose(axes)
        if not self._file(i, j).exists():
            raise InvalidValueError(f"tile ({i}, {j}) of {self.path} is not computed yet")
        return np.load(self._file(i, j), allow_pickle=False)  # type: ignore[no-any-return]

    def rows(self, i: int) -> NDArray[Any]:
        """Return one row of tiles as an array ``(rows of a tile, n2, ...)``."""
        columns = -(-self.shape[1] // self.tile)
        return np.concatenate([self.read(i, j) for j in range(columns)], axis=1)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the whole array in memory."""
        whole = np.empty(self.shape, self.dtype if dtype is None else dtype)
        for i in range(-(-self.shape[0] // self.tile)):
            whole[i * self.tile : (i + 1) * self.tile] = self.rows(i)
        return whole

    def __repr__(self) -> str:
        """Say what it is and how much is there."""
        done = sum(1 for _ in self.tiles()) - sum(1 for _ in self.missing())
        total = sum(1 for _ in self.tiles())
        return (
            f"TileStore({str(self.path)!r}, shape={self.shape}, dtype={self.dtype.name}, "
            f"{done} of {total} tiles)"
        )
