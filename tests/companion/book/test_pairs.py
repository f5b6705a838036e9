"""The two sides of a notebook: every drift is told, with notebook and cell, and nothing else is."""

import json
import os

import pytest

from ntk.companion.book.pairs import drift


def edit(pair, old, new):
    text = pair.md.read_text()
    assert old in text
    pair.md.write_text(text.replace(old, new))


def edit_json(pair, change):
    notebook = json.loads(pair.ipynb.read_text())
    change(notebook)
    pair.ipynb.write_text(json.dumps(notebook))


def test_an_executed_notebook_is_in_sync(executed):
    assert drift(executed) == []


def test_the_times_of_the_files_play_no_part(executed):
    os.utime(executed.md, (1, 1))
    assert drift(executed) == []
    os.utime(executed.ipynb, (0, 0))
    assert drift(executed) == []


def test_outputs_are_no_part_of_the_pair(executed):
    edit_json(executed, lambda notebook: notebook["cells"][3].update(outputs=[]))
    assert drift(executed) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("n = 3", "n = 4", "cell 2 (code): its text differs"),
        ("Some text", "Another text", "cell 3 (markdown): its text differs"),
        ("[parameters]", "[parameters, hide-input]", "cell 2 (code): its metadata are"),
        ("alt: a number", "alt: another", "cell 4 (code): its metadata are"),
        ("display_name: Python 3", "display_name: Other", "'kernelspec' differ"),
        ("cell_metadata_filter: tags,mystnb,-all", "cell_metadata_filter: tags,-all", "'jupytext'"),
    ],
)
def test_a_change_of_the_source_is_told(executed, old, new, told):
    edit(executed, old, new)
    problems = [str(problem) for problem in drift(executed)]
    assert any(told in problem for problem in problems), problems
    assert all(problem.startswith("notebooks/01_small.ipynb") for problem in problems)


def test_the_difference_is_shown(executed):
    edit(executed, "n = 3", "n = 4")
    (problem,) = drift(executed)
    assert "-n = 4" in str(problem)
    assert "+n = 3" in str(problem)


def test_a_cell_edited_in_jupyter_is_told(executed):
    edit_json(executed, lambda notebook: notebook["cells"][1].update(source=["n = 9"]))
    (problem,) = drift(executed)
    assert "cell 2 (code)" in str(problem)
    assert "Edit 01_small.md only" in str(problem)


def test_metadata_left_by_a_tool_are_told(executed):
    edit_json(executed, lambda notebook: notebook["cells"][1]["metadata"].update(papermill={}))
    (problem,) = drift(executed)
    assert "papermill" in str(problem)


def test_a_new_cell_is_told_once_and_not_for_all_that_follow(executed):
    edit(executed, "Some text", "```{code-cell} ipython3\nm = 1\n```\n\nSome text")
    problems = [str(problem) for problem in drift(executed)]
    assert len(problems) == 2, problems
    assert "it has 4 cells, 01_small.md has 5" in problems[0]


def test_a_missing_side_is_told(pair, executed_text):
    (problem,) = drift(pair)
    assert "notebooks/01_small.md: it was never executed: run `make notebooks`" in str(problem)
    pair.md.unlink()
    pair.ipynb.write_text(executed_text)
    (problem,) = drift(pair)
    assert "its source 01_small.md is missing" in str(problem)


def test_a_source_that_is_no_notebook_is_told(executed):
    executed.md.write_text("# Just text\n")
    (problem,) = drift(executed)
    assert "01_small.md, line 1: it is '# Just text'" in str(problem)
