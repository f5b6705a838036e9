"""The ledger reads the records back, and says what is wrong and where."""

import nbformat
import pytest
from nbformat import v4

from ntk.companion import claims
from ntk.companion.claims.render import bundle
from ntk.errors import ClaimFailedError, InvalidValueError, UnknownNameError


def record(name, **changes):
    """Return the MIME bundle of a claim, its record changed by hand."""
    made = claims.check(
        name,
        claims.Identity(1e-12),
        2.0,
        2.0,
        statement="s",
        source="p",
        control=claims.Control("c", 3.0),
    )
    data = bundle(made)
    data[claims.MIME] |= changes
    return data


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a notebook with one cell for each list of bundles."""

    def write(name, *cells):
        notebook = v4.new_notebook()
        for i, bundles in enumerate(cells):
            outputs = [v4.new_output("display_data", data=data) for data in bundles]
            cell = v4.new_code_cell("1", execution_count=i + 1, outputs=outputs, id=f"cell-{i}")
            notebook.cells.append(cell)
        path = tmp_path / name
        nbformat.write(notebook, path)
        return path

    return write


def test_records_by_id_chapter_and_place(write):
    first = write("00_start.ipynb", [], [record("a"), record("b")])
    second = write("02_flow.ipynb", [{"text/plain": "1"}, record("c")])
    ledger = claims.read([first, second])
    assert [entry.record.id for entry in ledger] == ["a", "b", "c"]
    assert ledger["b"].measured == 2.0
    assert "c" in ledger
    assert "d" not in ledger
    assert {k: len(v) for k, v in ledger.by_chapter().items()} == {"00": 2, "02": 1}
    where = ledger.where("b")
    assert (where.notebook, where.cell, where.cell_id) == (first, 1, "cell-1")
    assert where.place == "00_start.ipynb, cell 1 (id cell-1)"
    ledger.require_passed()
    assert len(claims.read(str(first))) == 2


def test_unknown_ids_list_close_matches(write):
    ledger = claims.read([write("00_a.ipynb", [record("output-ode")])])
    with pytest.raises(UnknownNameError, match="did you mean output-ode"):
        ledger["output-od"]
    with pytest.raises(UnknownNameError, match="1 are known"):
        ledger.where("zzz")


def test_every_problem_is_listed_with_its_place(write, tmp_path):
    empty = write("01_empty.ipynb", [])
    broken = tmp_path / "03_broken.ipynb"
    broken.write_text("{", encoding="utf-8")
    bad = write(
        "02_bad.ipynb",
        [record("a"), record("a")],
        [record("b", verdict="maybe")],
        [record("c", measured=2.1)],
    )
    with pytest.raises(InvalidValueError) as caught:
        claims.read([empty, bad, broken, tmp_path / "none.ipynb"])
    message = str(caught.value)
    assert message.startswith("6 problems")
    for part in (
        "01_empty.ipynb: no cell has an output",
        "02_bad.ipynb, cell 0 (id cell-0): claim 'a' stands already in 02_bad.ipynb, cell 0",
        "02_bad.ipynb, cell 1 (id cell-1): malformed record: verdict must be",
        "02_bad.ipynb, cell 2 (id cell-2): claim 'c': verdict 'pass', but",
        "03_broken.ipynb: not a readable notebook",
        "none.ipynb: not a readable notebook",
    ):
        assert part in message


def test_an_id_stands_once_in_the_whole_book(write):
    paths = [write("00_a.ipynb", [record("a")]), write("01_b.ipynb", [record("a")])]
    with pytest.raises(InvalidValueError, match=r"01_b.ipynb.*stands already in 00_a.ipynb"):
        claims.read(paths)


def test_require_passed_lists_all_failures(write):
    control = record("x")[claims.MIME]["control"]
    path = write(
        "04_x.ipynb",
        [
            record("good"),
            record("failed", verdict="fail", measured=2.5),
            record("bare", verdict="fail", control=None),
            record("blunt", verdict="fail", control=control | {"rejected": False}),
        ],
    )
    with pytest.raises(ClaimFailedError) as caught:
        claims.read([path]).require_passed()
    message = str(caught.value)
    assert message.startswith("3 of 4 claims do not stand")
    assert "failed (04_x.ipynb, cell 0 (id cell-0)): the verdict is 'fail'" in message
    assert "bare" in message
    assert "no negative control" in message
    assert "control was not rejected" in message


def test_a_claim_without_control_does_not_stand_even_if_it_says_pass(write):
    path = write("04_x.ipynb", [record("bare", control=None)])
    with pytest.raises(ClaimFailedError, match=r"bare.*no negative control"):
        claims.read([path]).require_passed()
