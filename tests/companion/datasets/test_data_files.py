"""The shipped files are those that the README beside them describes."""

import ast
import hashlib
import json
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from ntk.companion import datasets

DATA = Path(str(resources.files("ntk.companion.datasets") / "data"))
README = (DATA / "README.md").read_text("utf-8")
CHECKSUMS = dict(re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", README, re.MULTILINE))


def table(first_column):
    """Rows of the README's table whose header begins with this column."""
    body = README.split(f"\n| {first_column} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in body]


def test_every_file_but_the_readme_has_a_checksum():
    assert set(CHECKSUMS) == {path.name for path in DATA.iterdir()} - {"README.md"}


@pytest.mark.parametrize("name", sorted(CHECKSUMS))
def test_checksum(name):
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == CHECKSUMS[name]


def test_counts_of_the_images_are_those_of_the_readme():
    split = datasets.fashion_mnist(normalisation="raw")
    rows = table("class")
    assert [row[1] for row in rows] == list(split.class_names)
    assert [int(row[2]) for row in rows] == np.bincount(split.y_train).tolist()
    assert [int(row[3]) for row in rows] == np.bincount(split.y_test).tolist()


def test_counts_of_the_tables_are_those_of_the_readme():
    rows = table("name")
    assert [row[0] for row in rows] == list(datasets.uci_names())
    assert set(json.loads((DATA / "uci.json").read_text("utf-8"))) == set(datasets.uci_names())
    for name, kept, at_source, features, classes, per_class, copy in rows:
        data = datasets.uci(name)
        counts = np.bincount(data.y).tolist()
        each = per_class.removesuffix(" each")
        stated = list(np.atleast_1d(ast.literal_eval(each)))
        assert counts == (stated if each == per_class else stated * len(counts))
        assert (int(kept), int(features)) == data.x.shape
        assert int(kept) <= int(at_source)
        assert (int(classes), copy) == (data.classes, data.copy)


def test_images_are_8_bit_and_nothing_is_executable_in_the_archives():
    for name in ("fashion_mnist.npz", "uci.npz"):
        # allow_pickle is off by default: an object array would raise here.
        with np.load(DATA / name) as archive:
            assert all(archive[key].dtype.kind in "uif" for key in archive.files)
