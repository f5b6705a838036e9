"""Staleness: a step is done again exactly when something that it depends on has changed."""

import os

import pytest

from ntk.companion.book.staleness import Stamps, execution_key, replay_key, site_key


def test_a_stamp_is_fresh_for_its_own_key_only(tmp_path):
    stamps = Stamps(tmp_path / "stamps")
    assert not stamps.fresh("step", "a")
    stamps.record("step", "a")
    assert stamps.fresh("step", "a")
    assert not stamps.fresh("step", "b")
    assert not stamps.fresh("other", "a")
    stamps.forget("step")
    assert not stamps.fresh("step", "a")


EXECUTED, REPLAYED, SITE = "executed", "replayed", "site"


def keys(project, pair):
    return {
        EXECUTED: execution_key(project, pair),
        REPLAYED: replay_key(project, pair),
        SITE: site_key(project),
    }


@pytest.mark.parametrize(
    ("name", "stale"),
    [
        ("notebooks/01_small.md", {EXECUTED}),
        ("notebooks/01_small.ipynb", {EXECUTED, REPLAYED, SITE}),
        ("notebooks/records/01.json", {EXECUTED, REPLAYED}),
        ("notebooks/records/07.json", set()),
        ("notebooks/02_other.md", set()),
        ("notebooks/02_other.ipynb", {SITE}),
        ("ntk/core.py", {EXECUTED, REPLAYED, SITE}),
        ("ntk/new.py", {EXECUTED, REPLAYED, SITE}),
        ("ntk/companion/claims.py", {EXECUTED, REPLAYED, SITE}),
        ("ntk/companion/book/site.py", {SITE}),
        ("ntk/companion/cli.py", {SITE}),
        ("ntk/__pycache__/core.pyc", set()),
        ("requirements.lock", {EXECUTED, REPLAYED, SITE}),
        ("tests/conftest.py", {REPLAYED}),
        ("_toc.yml", {SITE}),
        ("_config.yml", {SITE}),
        ("book/intro.md", {SITE}),
        ("book/_ext/ledger.py", {SITE}),
        ("tests/test_core.py", set()),
    ],
)
def test_a_change_makes_stale_what_depends_on_it(project, executed, name, stale):
    before = keys(project, executed)
    path = project.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.is_file() else "") + "\n# changed\n")
    after = keys(project, executed)
    assert {step for step in before if before[step] != after[step]} == stale


def test_the_times_of_files_play_no_part(project, executed):
    before = keys(project, executed)
    for path in project.root.rglob("*"):
        os.utime(path, (1, 1))
    assert keys(project, executed) == before


def test_a_renamed_module_is_a_change(project, executed):
    before = keys(project, executed)
    (project.root / "ntk" / "core.py").rename(project.root / "ntk" / "kernel.py")
    assert not set(before.values()) & set(keys(project, executed).values())
