"""Records: their form, how ratios follow from them, and that they are stored whole."""

import copy
import json

import pytest
from rich.console import Console

from benchmarks import cases, record, table
from benchmarks.__main__ import RECORDS
from benchmarks.errors import RecordError
from tests.benchmarks import invented


def test_a_record_holds_every_call_and_what_it_was_made_on(run):
    found = invented.records(run)["dense"]
    assert {"machine", "git", "versions", "started", "finished", "scale"} <= set(found)
    assert {"cpu", "cores", "threads", "memory_gib"} <= set(found["machine"])
    assert found["versions"]["peer"]["neural-tangents"] == "0.6.5"
    case = cases.dense.CASES[0]
    for side in found["cases"][0]["sides"].values():
        assert len(side["calls"]) == case.rounds * case.repetitions
        assert {"round", "repetition", "seconds", "cpu_seconds"} == set(side["calls"][0])
    json.dumps(found, allow_nan=False)


def test_ratios_are_of_medians_and_ranges_of_calls_side_by_side(run):
    case = invented.records(run)["dense"]["cases"][0]
    ratio = record.ratio(case, "peer")
    assert [ratio.middle, ratio.low, ratio.high] == pytest.approx([3.5, 3.0, 40.0])
    assert record.ratio(case, "ours", to="peer").middle == pytest.approx(1 / 3.5)
    assert record.peak(case, "ours") == 2**29
    assert record.added(case, "ours") == 2**28
    assert record.call(case, "ours") == 2**27
    assert record.planned(case, "ours") == 2**26


def test_memory_that_the_system_does_not_tell_is_unknown(run):
    case = invented.records(run)["dense"]["cases"][0]
    for held in case["sides"]["ours"]["memory"]:
        held["peak"] = held["call"] = None
    assert record.peak(case, "ours") is None
    assert record.call(case, "ours") is None
    assert table.mebibytes(None) == "unknown"


def spoil(found, how):
    case = found["cases"][0]
    calls = case["sides"]["ours"].get("calls")
    match how:
        case "no machine":
            del found["machine"]
        case "other format":
            found["format"] = 99
        case "no calls":
            calls.clear()
        case "no time":
            calls[0]["seconds"] = 0.0
        case "one call twice":
            calls.append(copy.deepcopy(calls[0]))
    return found


@pytest.mark.parametrize(
    "how", ["no machine", "other format", "no calls", "no time", "one call twice"]
)
def test_a_record_of_another_form_is_refused(run, how):
    found = invented.records(run)["dense"]
    record.check(found)
    with pytest.raises(RecordError, match="make bench"):
        record.check(spoil(found, how))


def test_a_record_without_errors_is_refused(run):
    found = invented.records(run)["accuracy"]
    record.check(found)
    del found["cases"][0]["sides"]["peer"]["errors"]
    with pytest.raises(RecordError, match="accuracy/relu-depth-3/peer"):
        record.check(found)


def test_a_record_is_replaced_whole_or_not_at_all(run, tmp_path, monkeypatch):
    found = invented.records(run)["dense"]
    folder = tmp_path / "records"
    path = record.write(found, folder)
    before = path.read_bytes()
    assert record.read(folder)["dense"] == json.loads(before)
    broken = found | {"title": object()}  # fails in the middle of the text
    with pytest.raises(TypeError):
        record.write(broken, folder)
    assert path.read_bytes() == before
    assert list(folder.iterdir()) == [path]


def test_a_torn_record_is_told(tmp_path):
    (tmp_path / "dense.json").write_text('{"format": 1, "gro')
    with pytest.raises(RecordError, match="not JSON"):
        record.read(tmp_path)


def test_the_stored_records_are_whole():
    for found in record.read(RECORDS).values():  # checks each
        assert found["scale"] == "full"
        sides = [side for case in cases.GROUPS[found["group"]].CASES for side in case.sides]
        assert set(found["versions"]) == {side.environment for side in sides}
        wanted = [case.id for case in cases.GROUPS[found["group"]].CASES]
        assert [case["id"] for case in found["cases"]] == wanted
        assert found["git"]["commit"]


def test_tables_show_every_case(run):
    console = Console(width=300)
    with console.capture() as captured:
        for found in invented.records(run).values():
            console.print(table.table(found))
    text = captured.get()
    for module in cases.GROUPS.values():
        for case in module.CASES:
            assert case.title in text
    assert "3.50" in text
