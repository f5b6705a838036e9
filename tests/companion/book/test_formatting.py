"""Formatting: the code cells change, and not a letter of anything else."""

import pytest

from ntk.companion.book.formatting import format_cells, formatted
from ntk.companion.book.pairs import drift
from ntk.errors import InvalidValueError


def test_only_the_code_of_a_cell_changes(pair):
    text = pair.md.read_text()
    spoilt = text.replace("n = 3", "n=3").replace(
        "print(sum(range(n)))", "print( sum(range( n )) )"
    )
    assert spoilt.count("```") == text.count("```") == 4
    pair.md.write_text(spoilt)
    assert format_cells(pair)
    assert pair.md.read_text() == text
    assert not format_cells(pair)


def test_the_notebooks_have_their_own_line_length(pair):
    (pair.folder / "ruff.toml").write_text("line-length = 20\n")
    pair.md.write_text(pair.md.read_text().replace("n = 3", "n = max(1, 2, 3, 4, 5)"))
    assert format_cells(pair)
    assert "n = max(\n    1, 2, 3, 4, 5\n)" in pair.md.read_text()


def test_a_formatted_notebook_stays_in_sync(executed):
    assert not format_cells(executed)
    assert drift(executed) == []


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("x=1\n", "x = 1\n"),
        ("plot( x );\n", "plot(x);\n"),
        ("%timeit f( x )\n", "%timeit f( x )\n"),
        ("\n", "\n"),
    ],
)
def test_what_python_does_not_know_stays(code, result):
    assert formatted(code) == result


def test_a_cell_that_is_not_python_is_an_error():
    with pytest.raises(InvalidValueError, match="cannot format this cell"):
        formatted("x = (\n")
