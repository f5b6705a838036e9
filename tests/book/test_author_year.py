"""Labels of the bibliography: whom they name, in which order, and that no two are the same."""

import sys

import pytest
from pybtex.database import parse_string
from sphinx.errors import ExtensionError

from tests.site.conftest import PROJECT

sys.path.insert(0, str(PROJECT.root / "book" / "_ext"))
from author_year import Bibliography, Labels, label

ENTRIES = r"""
@misc{one, author = {Yang, Greg}, title = {T}, year = 2019}
@misc{two, author = {Cho, Youngmin and Saul, Lawrence K.}, title = {T}, year = 2009}
@misc{three, author = {Jacot, A. and Gabriel, F. and Hongler, C.}, title = {T}, year = 2018}
@misc{accent, author = {{\'E}cole, A.}, title = {T}, year = 2001}
@misc{prelast, author = {de Vries, H.}, title = {T}, year = 2000}
@book{editor, editor = {Amari, S.}, title = {T}, publisher = {P}, year = 1990}
"""


@pytest.fixture
def entries():
    return dict(parse_string(ENTRIES, "bibtex").entries)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("one", "Yang (2019)"),
        ("two", "Cho and Saul (2009)"),
        ("three", "Jacot et al. (2018)"),
        ("accent", "École (2001)"),
        ("prelast", "de Vries (2000)"),
        ("editor", "Amari (1990)"),
    ],
)
def test_a_label_names_authors_and_year(entries, key, told):
    assert label(entries[key]) == told


def test_the_order_is_that_of_the_labels_accents_aside(entries):
    listed = Bibliography().format_entries(entries.values())
    assert [entry.key for entry in listed] == [
        *("editor", "two", "prelast", "accent", "three", "one")
    ]


def test_two_entries_of_one_name_stop_the_build(entries):
    with pytest.raises(ExtensionError, match=r"Yang \(2019\).*2020a, 2020b"):
        list(Labels().format_labels([entries["one"], entries["one"]]))
