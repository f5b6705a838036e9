"""`ntk claims`: the ledger of notebooks and runs, and a run beside the book."""

import json
import shutil

import nbformat
import pytest

from ntk.companion import claims
from ntk.companion.runs.compare import compare
from ntk.companion.runs.record import runs
from ntk.companion.runs.single import make_plan, perform

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def record(name="one", measured=1.0, predicted=1.0, tolerance=0.1):
    control = claims.Control("a wrong number", 100.0)
    rule = claims.Identity(tolerance)
    return claims.check(name, rule, measured, predicted, statement="s", source="-", control=control)


def ledger(folder, *records):
    cell = nbformat.v4.new_code_cell("")
    for one in records:
        data = {claims.MIME: one.to_json()}
        cell.outputs.append(nbformat.v4.new_output("display_data", data=data))
    path = folder / "01_x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return claims.read([path])


def differing(tmp_path, book, run):
    return [d.fields for d in compare(ledger(tmp_path, *book), ledger(tmp_path, *run))]


def test_what_is_within_the_drift_agrees(tmp_path):
    assert differing(tmp_path, [record()], [record(measured=1.0001)]) == [()]


def test_what_moved_is_marked_with_its_field(tmp_path):
    flat = claims.check("one", claims.Open(), [0.5, 0.25], statement="s", source="-")
    other = claims.check("one", claims.Open(), [0.5, 0.26], statement="s", source="-")
    assert differing(tmp_path, [flat], [other]) == [("measured",)]
    assert differing(tmp_path, [flat], [flat]) == [()]
    one_number = claims.check("one", claims.Open(), 0.5, statement="s", source="-")
    assert differing(tmp_path, [flat], [one_number]) == [("measured",)]


def test_rule_verdict_and_prediction_must_be_the_same(tmp_path):
    assert differing(tmp_path, [record()], [record(tolerance=0.2)]) == [("rule",)]
    open_claim = claims.check("one", claims.Open(), 0.0, 0.0, statement="s", source="-")
    (fields,) = differing(tmp_path, [record()], [open_claim])
    assert {"verdict", "rule"} <= set(fields)


def test_claims_of_one_side_only_are_marked(tmp_path):
    assert differing(tmp_path, [record("one")], [record("two")]) == [
        ("not in the run",),
        ("not in the book",),
    ]


def test_the_ledger_of_runs_and_notebooks_and_their_comparison(project, claiming, ntk):
    same = perform(make_plan(project, claiming))
    shutil.copy(same.final, claiming.ipynb)

    status, told = ntk(project, "claims")
    assert status == 0
    assert "02_claims" in told
    assert "same-cell" in told

    status, told = ntk(project, "claims", "02", "--json")
    found = json.loads(told)
    assert [claim["id"] for claim in found] == ["first", "same-cell", "second"]
    assert found[0]["verdict"] == "pass"

    status, told = ntk(project, "claims", "--compare", "last")
    assert status == 0, told
    assert "≠" not in told

    other = perform(make_plan(project, claiming, values={"rate": 0.75}))
    status, told = ntk(project, "claims", "--compare", other.name)
    assert status == 1
    assert told.count("≠") == 1
    assert "1 of 3 claims differ" in told
    assert "The run is failed" in told
    status, told = ntk(project, "claims", "--compare", other.name, "--json")
    assert status == 1
    assert [claim["differs"] != [] for claim in json.loads(told)] == [False, False, True]

    status, told = ntk(project, "claims", other.name, same.name)
    assert status == 0
    assert told.count("second") == 2
    assert [run.status for run in runs(project)] == ["done", "failed"]
    status, told = ntk(project, "runs")
    assert "2 of 2, 1 open" in told
    assert "failed (claim)" in told


def test_a_notebook_that_was_never_executed_cannot_be_compared_with(project, claiming, ntk):
    perform(make_plan(project, claiming))
    status, told = ntk(project, "claims", "--compare", "last")
    assert status == 1
    assert "make notebooks" in told
