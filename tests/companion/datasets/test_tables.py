"""The UCI sets: sizes as recorded, columns as documented."""

import json
from importlib import resources

import numpy as np
import pytest
from sklearn import datasets as reference

from ntk.companion import datasets
from ntk.errors import InvalidTypeError, UnknownNameError

FACTS = json.loads(
    (resources.files("ntk.companion.datasets") / "data" / "uci.json").read_text("utf-8")
)


@pytest.mark.parametrize("name", datasets.uci_names())
def test_sizes_are_those_recorded(name):
    table = datasets.uci(name, dtype=np.float64)
    facts = FACTS[name]
    assert table.x.shape == (facts["rows"], facts["features"])
    assert table.y.shape == (facts["rows"],)
    # Every class occurs: a label that never does would hide in a count.
    assert np.unique(table.y).tolist() == list(range(facts["classes"]))
    assert (table.classes, table.copy) == (facts["classes"], facts["copy"])
    np.testing.assert_allclose(table.x.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(table.x.std(axis=0), 1, rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("iris", reference.load_iris),
        ("wine", reference.load_wine),
        ("breast-cancer-wisc-diag", reference.load_breast_cancer),
    ],
)
def test_raw_values_agree_with_an_independent_copy(name, load):
    table, copy = datasets.uci(name, standardise=False, dtype=np.float64), load()
    np.testing.assert_allclose(table.x, copy.data, rtol=1e-6)
    np.testing.assert_array_equal(table.y, copy.target)


def test_there_are_31_and_their_names_are_sorted():
    names = datasets.uci_names()
    assert len(names) == 31
    assert list(names) == sorted(names)


def test_a_constant_column_becomes_zero(monkeypatch):
    constant = np.array([[1.0, 5.0], [2.0, 5.0]], dtype=np.float32), np.array([0, 1])
    monkeypatch.setattr("ntk.companion.datasets.tables._arrays", lambda _: constant)
    np.testing.assert_array_equal(datasets.uci("iris").x, [[-1, 0], [1, 0]])


def test_results_belong_to_the_caller():
    table = datasets.uci("zoo", standardise=False)
    table.x[:] = -7
    table.y[:] = -7
    again = datasets.uci("zoo", standardise=False)
    assert again.x.min() >= 0
    assert again.y.min() == 0


def test_an_unknown_name_lists_close_ones():
    with pytest.raises(UnknownNameError, match=r"name: got 'Iriss'\. Did you mean 'iris'"):
        datasets.uci("Iriss")
    with pytest.raises(UnknownNameError, match="Known: breast-cancer, "):
        datasets.uci("no such thing")
    with pytest.raises(InvalidTypeError, match="dtype: got int64"):
        datasets.uci("iris", dtype=int)
