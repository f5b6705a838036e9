"""The commands: what they do again, what they leave alone, and how they fail."""

import sys

import pytest

from ntk.companion import cli
from ntk.companion.book import commands
from ntk.companion.book.execute import NotebookFailedError
from ntk.companion.book.project import Project
from ntk.errors import InvalidValueError, UnknownNameError


def test_only_what_has_changed_is_executed(run, pair):
    assert "[1/1] 01_small: done" in run("book", "execute").output
    again = run("book", "execute")
    assert (again.exit_code, again.output) == (
        0,
        "notebooks: 1 unchanged since they were executed\n",
    )
    pair.md.write_text(pair.md.read_text().replace("n = 3", "n = 4"))
    assert "[1/1] 01_small: done" in run("book", "execute").output
    assert "[1/1] 01_small: done" in run("book", "execute", "--force", "01").output


def test_altered_outputs_are_made_again(run, pair):
    run("book", "execute")
    good = pair.ipynb.read_text()
    pair.ipynb.write_text(good.replace('"3\\n"', '"4\\n"'))
    run("book", "execute")
    assert pair.ipynb.read_text() == good


def test_a_failure_has_a_status_and_is_tried_again(run, pair):
    good = pair.md.read_text()
    pair.md.write_text(good.replace("n = 3", "n = missing"))
    for _ in range(2):
        result = run("book", "execute")
        assert result.exit_code == 1
        assert "NameError: name 'missing' is not defined" in result.output
        assert "1 notebooks failed: 01_small" in result.output
    assert not pair.ipynb.exists()


@pytest.mark.usefixtures("executed")
def test_only_what_has_changed_is_compared(run, monkeypatch):
    calls = []
    monkeypatch.setattr(commands, "replay", lambda _, pair: calls.append(pair.slug))
    for _ in range(2):
        assert run("book", "test").exit_code == 0
    assert calls == ["01_small"]


@pytest.mark.usefixtures("executed")
def test_a_difference_has_a_status_and_is_compared_again(run, monkeypatch):
    calls = []

    def differ(project, pair):
        calls.append(pair.slug)
        raise NotebookFailedError("other outputs")

    monkeypatch.setattr(commands, "replay", differ)
    for _ in range(2):
        result = run("book", "test")
        assert result.exit_code == 1
        assert "error: other outputs" in result.output
    assert len(calls) == 2


def test_the_tests_run_until_they_pass_and_again_after_a_change(run, project, monkeypatch):
    # Each process loads JAX for the settings, and packages for plugins, that this needs not.
    (project.root / "tests" / "conftest.py").unlink()
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "xdist.plugin")
    test = project.root / "tests" / "test_small.py"
    test.write_text("def test_small():\n    assert 1 == 2\n")
    assert run("book", "pytest").exit_code == 1
    assert run("book", "pytest").exit_code == 1
    test.write_text("def test_small():\n    assert 1 == 1\n")
    assert "nothing has changed" not in run("book", "pytest").output
    assert "nothing has changed" in run("book", "pytest").output
    (project.root / "ntk" / "core.py").write_text("value = 2\n")
    assert "nothing has changed" not in run("book", "pytest").output


def test_nothing_is_built_from_notebooks_that_fail_verification(run):
    result = run("book", "build")
    assert result.exit_code == 1
    assert "it was never executed" in result.output


@pytest.mark.usefixtures("executed")
def test_the_site_is_built_once(run, project, monkeypatch):
    calls = []

    def build(project, on_line):
        calls.append(project)
        on_line("reading sources")
        project.html.mkdir(parents=True, exist_ok=True)
        (project.html / "index.html").write_text("")
        return project.html / "index.html"

    (project.root / "_toc.yml").write_text("format: jb-book\n")
    monkeypatch.setattr(commands.site, "build", build)
    for _ in range(2):
        assert f"Open {(project.html / 'index.html').as_uri()}" in run("book", "build").output
    assert len(calls) == 1
    (project.html / "index.html").unlink()
    run("book", "build")
    assert len(calls) == 2


def test_an_unknown_notebook_is_an_error_that_names_the_known(run):
    with pytest.raises(UnknownNameError, match=r"there is no '9'; the notebooks are 01_small"):
        run("book", "execute", "9")


def test_outside_a_checkout_the_message_says_so(tmp_path):
    with pytest.raises(InvalidValueError, match="not inside a checkout"):
        Project.find(tmp_path)


def test_an_error_for_the_user_is_one_line_and_status_one(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ntk", "book", "verify"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("ntk: start: ")


def test_info_tells_versions_and_devices(run):
    output = run("info").output
    for word in ("python", "jax", "numpy", "devices", "cpu:0"):
        assert word in output
