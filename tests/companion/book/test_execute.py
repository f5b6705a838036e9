"""Execution: outputs are stored whole or not at all, and the same bytes come out every time."""

import json

import pytest

from ntk.companion.book.execute import NotebookFailedError, execute


def append(pair, code):
    pair.md.write_text(pair.md.read_text() + f"\n```{{code-cell}} ipython3\n{code}\n```\n")


def test_outputs_are_stored(executed):
    cells = json.loads(executed.ipynb.read_text())["cells"]
    assert cells[3]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["3\n"]}]
    assert cells[3]["execution_count"] == 2


def test_execution_is_reproducible_byte_by_byte(pair, executed_text):
    execute(pair)
    assert pair.ipynb.read_text() == executed_text


def test_nothing_volatile_is_stored(executed):
    notebook = json.loads(executed.ipynb.read_text())
    assert set(notebook["metadata"]) == {"jupytext", "kernelspec", "language_info"}
    assert "version" not in notebook["metadata"]["language_info"]
    assert "jupytext_version" not in notebook["metadata"]["jupytext"]["text_representation"]
    assert all(set(cell["metadata"]) <= {"tags", "mystnb"} for cell in notebook["cells"])


def test_an_edit_changes_the_id_of_its_own_cell_only(pair, executed_text):
    pair.md.write_text(pair.md.read_text().replace("n = 3", "n = 4"))
    execute(pair)
    ids = [
        [cell["id"] for cell in json.loads(text)["cells"]]
        for text in (executed_text, pair.ipynb.read_text())
    ]
    assert [one == other for one, other in zip(*ids, strict=True)] == [True, False, True, True]


def test_equal_cells_have_different_ids(pair):
    append(pair, "n")
    append(pair, "n")
    execute(pair)
    ids = [cell["id"] for cell in json.loads(pair.ipynb.read_text())["cells"]]
    assert len(set(ids)) == len(ids) == 6


def test_a_failing_notebook_leaves_the_old_outputs(executed, executed_text):
    append(executed, "value = 1 / (n - 3)")
    with pytest.raises(NotebookFailedError) as caught:
        execute(executed)
    message = str(caught.value)
    assert "notebooks/01_small.md, cell 5 failed. The stored outputs are the old ones." in message
    assert "value = 1 / (n - 3)" in message
    assert "ZeroDivisionError: division by zero" in message
    assert executed.ipynb.read_text() == executed_text
    assert sorted(path.name for path in executed.folder.iterdir()) == [
        "01_small.ipynb",
        "01_small.md",
    ]


def test_a_cell_that_takes_too_long_is_stopped(executed, executed_text):
    append(executed, "import time\ntime.sleep(60)")
    with pytest.raises(NotebookFailedError, match=r"(?s)cell 5 failed.*more than 1 s"):
        execute(executed, timeout=1)
    assert executed.ipynb.read_text() == executed_text


def test_a_kernel_that_dies_is_told(executed, executed_text):
    append(executed, "import os\nos._exit(1)")
    with pytest.raises(NotebookFailedError, match=r"(?s)cell 5 failed.*kernel died"):
        execute(executed)
    assert executed.ipynb.read_text() == executed_text


def test_progress_is_told_for_each_cell(pair):
    calls = []
    execute(pair, on_cell=lambda: calls.append(1))
    assert len(calls) == 2
