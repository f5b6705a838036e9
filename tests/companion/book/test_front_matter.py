"""Front matter that cannot be read: the message says where, and what to do; never a traceback."""

import re

import pytest

from ntk.companion.book.front_matter import read_front_matter
from ntk.companion.book.source import read_source
from ntk.errors import InvalidValueError

# The fault, and what the message must say of it.
BROKEN = {
    "not closed": (lambda head, rest: f"---\n{head}\n{rest}", "line 1.*not closed.*a line '---'"),
    "no YAML": (
        lambda head, rest: f"---\n{head.replace('md:myst', '{md:myst', 1)}\n---\n{rest}",
        "line [34]: the front matter is not YAML.*another notebook",
    ),
    "a tab": (
        lambda head, rest: f"---\n{head.replace('  formats', chr(9) + 'formats')}\n---\n{rest}",
        "line 3: the front matter is not YAML",
    ),
    "not at the top": (
        lambda head, rest: f"# first\n---\n{head}\n---\n{rest}",
        "line 1: it is '# first'.*begins with '---'",
    ),
    "another format": (
        lambda head, rest: f"---\n{head.replace('name: myst', 'name: other')}\n---\n{rest}",
        "line 1.*format_name: myst",
    ),
    "a list": (lambda _, rest: f"---\n- a\n---\n{rest}", "line 1.*format_name: myst"),
}


def broken(text, kind):
    """Return the text of a notebook with a fault."""
    return BROKEN[kind][0](*text.removeprefix("---\n").split("\n---\n", 1))


@pytest.mark.parametrize("kind", BROKEN)
def test_the_message_names_file_line_and_remedy(pair, kind):
    pair.md.write_text(broken(pair.md.read_text(), kind))
    for read in (read_front_matter, read_source):
        with pytest.raises(InvalidValueError, match=BROKEN[kind][1]) as raised:
            read(pair.md)
        assert str(raised.value).startswith("notebooks/01_small.md, line ")


def test_a_good_one_is_returned(pair):
    assert read_front_matter(pair.md)["jupytext"]["formats"] == "md:myst,ipynb"


def test_an_empty_file_is_told_too(pair):
    pair.md.write_text("")
    with pytest.raises(InvalidValueError, match=re.escape("01_small.md, line 1: it is ''")):
        read_source(pair.md)


def test_options_of_a_cell_that_are_no_yaml(pair):
    text = pair.md.read_text()
    pair.md.write_text(text.replace("mystnb:\n  image:", "mystnb: {\n  image:"))
    with pytest.raises(InvalidValueError, match=r"01_small\.md: .*line \d+.*Invalid YAML"):
        read_source(pair.md)


@pytest.mark.parametrize("command", ["format", "execute"])
@pytest.mark.parametrize("kind", ["not closed", "no YAML"])
def test_the_commands_go_on_with_the_others(run, pair, command, kind):
    good = pair.md.read_text()
    (pair.folder / "02_other.md").write_text(good.replace("n = 3", "n=3"))
    pair.md.write_text(broken(good, kind))
    result = run("book", command)
    assert result.exit_code == 1
    assert "error: notebooks/01_small.md, line " in result.output
    assert "Traceback" not in result.output
    assert "1 notebooks" in result.output
    assert "01_small" in result.output.splitlines()[-1]
    assert "02_other" in result.output
