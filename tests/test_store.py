"""Tiles on disk: whole or not at all, of one array only."""

import json

import numpy as np
import pytest

from ntk.errors import InvalidTypeError, InvalidValueError
from ntk.store import TileStore, fingerprint

WHOLE = np.arange(7 * 7.0).reshape(7, 7)
SYMMETRIC = WHOLE + WHOLE.T


def fill(store, whole, limit=None):
    for count, (i, j) in enumerate(store.missing()):
        if count == limit:
            return
        rows, columns = store.bounds(i, j)
        store.write(i, j, whole[rows.start : rows.stop, columns.start : columns.stop])


def test_it_comes_back(tmp_path):
    store = TileStore(tmp_path / "a", (7, 5), "float32", 3)
    fill(store, WHOLE[:, :5])
    np.testing.assert_array_equal(np.asarray(store), WHOLE[:, :5])
    assert np.asarray(store).dtype == np.float32
    np.testing.assert_array_equal(store.rows(1), WHOLE[3:6, :5])
    assert "6 of 6 tiles" in repr(store)


def test_a_symmetric_array_keeps_its_upper_half_only(tmp_path):
    store = TileStore(tmp_path, (7, 7), "float64", 3, symmetric=True)
    fill(store, SYMMETRIC)
    assert len(list(tmp_path.glob("*.npy"))) == 6
    np.testing.assert_array_equal(np.asarray(store), SYMMETRIC)


def test_a_full_kernel_is_mirrored_in_its_outputs_too(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(5, 2, 9))
    full = np.einsum("iap,jbp->ijab", rows, rows)
    store = TileStore(tmp_path, full.shape, full.dtype, 2, symmetric=True)
    fill(store, full)
    np.testing.assert_allclose(np.asarray(store), full)


def test_it_goes_on_where_it_stopped(tmp_path):
    fill(TileStore(tmp_path, (7, 7), "float64", 3, digest="one"), WHOLE, limit=4)
    again = TileStore(tmp_path, (7, 7), "float64", 2, digest="one")
    assert again.tile == 3  # what has been begun decides
    assert len(list(again.missing())) == 5
    with pytest.raises(InvalidValueError, match=r"tile \(1, 1\) .* not computed yet"):
        np.asarray(again)
    fill(again, WHOLE)
    np.testing.assert_array_equal(np.asarray(again), WHOLE)


def test_what_was_written_halfway_does_not_count(tmp_path, monkeypatch):
    store = TileStore(tmp_path, (7, 7), "float64", 3)

    def interrupted(file, block):
        file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr("ntk.store.np.save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fill(store, WHOLE)
    assert len(list(store.missing())) == 9
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"digest": "two"}, "fingerprint"),
        ({"shape": (7, 8)}, "shape"),
        ({"dtype": "float32"}, "dtype"),
        ({"symmetric": True}, "symmetric"),
    ],
)
def test_another_array_is_refused(tmp_path, change, named):
    same = {"shape": (7, 7), "dtype": "float64", "tile": 3, "digest": "one"}
    TileStore(tmp_path, **same)
    with pytest.raises(InvalidValueError, match=f"tiles of another array: {named}"):
        TileStore(tmp_path, **(same | change))


def test_bad_folders_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidValueError, match="is a file"):
        TileStore(tmp_path / "file", (2, 2), "float64", 1)
    with pytest.raises(InvalidTypeError, match="folder's path"):
        TileStore(3, (2, 2), "float64", 1)
    (tmp_path / "other").mkdir()
    np.save(tmp_path / "other" / "mine.npy", WHOLE)
    with pytest.raises(InvalidValueError, match="not ours"):
        TileStore(tmp_path / "other", (2, 2), "float64", 1)
    (tmp_path / "other" / "manifest.json").write_text("{")
    with pytest.raises(InvalidValueError, match="cannot be read"):
        TileStore(tmp_path / "other", (2, 2), "float64", 1)
    store = TileStore(tmp_path / "new", (2, 2), "float64", 1)
    with pytest.raises(InvalidValueError, match=r"tile \(0, 0\) has shape"):
        store.write(0, 0, WHOLE)
    assert json.loads((tmp_path / "new" / "manifest.json").read_text())["format"] == 1


def test_the_fingerprint_tells_contents_apart():
    things = [
        ("a",), ("b",), (np.ones(2),), (np.ones(2, np.float32),), (np.ones((2, 1)),),
        ({"w": np.ones(2)},), ("a", np.ones(2)),
    ]  # fmt: skip
    assert len({fingerprint(*thing) for thing in things}) == len(things)
    assert fingerprint({"w": np.ones(2)}) == fingerprint({"w": np.ones(2)})
