"""Memory from benchmark records: whichever cases are there."""

import json

import pytest

from ntk.companion.measured_memory import memory_growth


def case(n, peaks, *, depth=3, imported=100.0):
    rounds = range(len(peaks))
    return {
        "parameters": {"depth": depth, "n": n},
        "sides": {
            "ours": {
                "workers": [{"round": r, "imported": imported} for r in rounds],
                "memory": [{"round": r, "peak": p} for r, p in zip(rounds, peaks, strict=True)],
            }
        },
    }


@pytest.fixture
def store(tmp_path):
    def write(name, *cases):
        record = {"title": name, "finished": "2026-01-02T03:04:05+00:00", "cases": list(cases)}
        (tmp_path / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
        return tmp_path

    return write


def test_the_series_with_most_inputs_is_taken(store):
    store("short", *(case(n, [100 + n]) for n in (1, 2, 3)))
    folder = store("long", *(case(n, [100 + n, 100 + 3 * n, 100 + 2 * n]) for n in (30, 10, 20)))
    growth = memory_growth(folder)
    assert growth == ((10, 20, 30), (20.0, 40.0, 60.0), "long, 2026-01-02")


def test_only_cases_that_differ_in_nothing_else_belong_together(store):
    folder = store("mixed", case(1, [101]), case(2, [102]), case(3, [103], depth=4))
    assert memory_growth(folder) is None


def test_what_was_not_measured_is_left_out(store):
    missing = case(9, [None])
    absent = {"parameters": {"depth": 3, "n": 8}, "sides": {"ours": {"unavailable": "no"}}}
    other = {"parameters": {"depth": 3}, "sides": {}}
    folder = store("gaps", *(case(n, [100 + n]) for n in (1, 2, 3)), missing, absent, other)
    assert memory_growth(folder).n == (1, 2, 3)


def test_a_folder_without_records_has_none(tmp_path):
    assert memory_growth(tmp_path) is None
