"""Verification: what must not be published is found in the stored notebooks."""

import dataclasses
import json

import pytest

from ntk.companion import claims
from ntk.companion.book import verify as module
from ntk.companion.book.verify import verify


@pytest.fixture
def stored(project, executed):
    """Return a function that changes a stored cell and verifies again."""

    def change(number=4, **changes):
        notebook = json.loads(executed.ipynb.read_text())
        notebook["cells"][number - 1].update(changes)
        executed.ipynb.write_text(json.dumps(notebook))
        return [str(problem) for problem in verify(project)]

    return change


@pytest.mark.usefixtures("executed")
def test_a_good_notebook_passes(project):
    assert verify(project) == []


def test_a_stored_error_is_found(stored):
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}
    (problem,) = stored(outputs=[error])
    assert problem == "notebooks/01_small.ipynb, cell 4: a stored error, ValueError: no"


def test_a_cell_that_was_not_executed_is_found(stored):
    (problem,) = stored(execution_count=None)
    assert "cell 4: it was not executed" in problem


def test_a_message_on_stderr_is_found(stored):
    warning = {"output_type": "stream", "name": "stderr", "text": ["UserWarning: look\n"]}
    (problem,) = stored(outputs=[warning])
    assert "cell 4: a message on stderr" in problem
    assert "UserWarning: look" in problem


def test_a_large_notebook_is_found(stored, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    (problem,) = stored()
    assert "more than 100: store smaller figures" in problem


def test_drift_of_the_pair_is_found(project, executed):
    executed.md.write_text(executed.md.read_text().replace("n = 3", "n = 4"))
    (problem,) = verify(project)
    assert "cell 2 (code): its text differs" in str(problem)


def test_a_file_that_is_no_notebook_is_found(project, executed):
    executed.ipynb.write_text("{")
    assert all("cannot be read" in str(p) or "not a notebook" in str(p) for p in verify(project))
    assert verify(project)


def test_a_name_out_of_order_is_found(project, executed, executed_text):
    (executed.folder / "Other.md").write_text(executed.md.read_text())
    (executed.folder / "Other.ipynb").write_text(executed_text)
    (problem,) = verify(project)
    assert "notebooks/Other: a notebook is named NN_slug" in str(problem)


@pytest.fixture
def record():
    """Return the record of a claim that passed."""
    return claims.check(
        "sum-of-three",
        claims.Identity(1e-12),
        measured=3.0,
        predicted=3.0,
        statement="$0 + 1 + 2 = 3$",
        source="a test",
        control=claims.Control("a term left out", 2.0),
    )


def output_of(record):
    return {"output_type": "display_data", "metadata": {}, "data": {claims.MIME: record.to_json()}}


def test_a_claim_that_passed_is_accepted(stored, record):
    assert stored(outputs=[output_of(record)]) == []


def test_a_claim_that_failed_is_found(stored, record):
    failed = dataclasses.replace(record, verdict="fail")
    (problem,) = stored(outputs=[output_of(failed)])
    assert "sum-of-three" in problem
    assert "fail" in problem
