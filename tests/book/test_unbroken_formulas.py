"""A formula and the punctuation around it become one piece, and nothing else moves."""

import sys

import pytest
from docutils import nodes
from docutils.utils import new_document

from tests.site.conftest import PROJECT

sys.path.insert(0, str(PROJECT.root / "book" / "_ext"))
from unbroken_formulas import bind


def bound(*parts):
    """Return the parts of a paragraph after the extension, each bound piece in <>."""
    document = new_document("page")
    paragraph = nodes.paragraph()
    for part in parts:
        plain = not part.startswith("$")
        paragraph += nodes.Text(part) if plain else nodes.math("", part.strip("$"))
    document += paragraph
    bind(None, document)
    return [
        part.astext() if isinstance(part, nodes.Text | nodes.math) else f"<{part.astext()}>"
        for part in paragraph
        if part.astext()
    ]


@pytest.mark.parametrize(
    ("parts", "after"),
    [
        (["for ", "$x$", ", so"], ["for ", "<x,>", " so"]),
        (["of width (", "$n$", ") it"], ["of width ", "<(n)>", " it"]),
        (["the ", "$n$", "-th"], ["the ", "n", "-th"]),
        (["$x$", " and ", "$y$", "."], ["x", " and ", "<y.>"]),
        (["$x$", ", ", "$y$", "."], ["<x,>", " ", "<y.>"]),
        (["$x$"], ["x"]),
    ],
)
def test_punctuation_stays_with_its_formula(parts, after):
    assert bound(*parts) == after
