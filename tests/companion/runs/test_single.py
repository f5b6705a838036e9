"""One run: its notebook, its record, and what is left when it does not come to its end."""

import json
import signal
import subprocess
import sys

import nbformat
import pytest

from ntk.companion.runs.provenance import is_alive, this_process
from ntk.companion.runs.record import Run, find_run, runs
from ntk.companion.runs.single import make_plan, perform
from ntk.errors import InvalidValueError, UnknownNameError

# nbclient leaves the sockets of a kernel that was killed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def outputs(path):
    return "".join(
        output.get("text", "")
        for cell in nbformat.read(path, 4).cells
        for output in cell.get("outputs", [])
    )


def test_a_run_executes_a_copy_and_says_how(project, plain):
    before = tree(project.notebooks)
    plan = make_plan(project, plain, "full", {"width": "3", "name": "it's"})
    cells = []
    run = perform(plan, on_start=lambda _, n: cells.append(n), on_cell=lambda: cells.append(1))
    assert outputs(run.final).endswith("3 0.5 [8, 16] it's True\n")
    assert tree(project.notebooks) == before
    assert not run.partial.exists()
    assert sum(cells[1:]) == cells[0] == run.data["cells"]["of"] == run.data["cells"]["done"]

    data = json.loads((run.folder / "record.json").read_text())
    assert data == run.data
    assert data["status"] == "done"
    assert data["error"] is None
    assert data["profile"] == "full"
    assert data["own"] == {"width": 3, "name": "it's"}
    assert data["parameters"]["widths"] == [8, 16]
    assert data["seed"] == 7
    assert data["claims"] == []
    assert data["seconds"] > 0
    assert 2**20 < data["peak_memory"] < 2**33
    assert data["devices"] == []  # this notebook does not use JAX
    assert data["versions"]["jax"]
    assert data["git"] is None
    assert data["command"] == """ntk run 01_plain --profile full -p width=3 -p 'name=it'"'"'s'"""


def test_a_run_in_a_git_checkout_names_the_commit(project, plain):
    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        command = ["git", "-C", str(project.root), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    (project.root / ".gitignore").write_text("/runs/\n")
    git("init", "--quiet")
    git("add", "-A")
    git("commit", "--quiet", "-m", "all")
    first = perform(make_plan(project, plain)).data["git"]
    assert first == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (project.root / "ntk" / "new.py").write_text("")
    assert perform(make_plan(project, plain)).data["git"]["dirty"] is True


def test_every_run_has_a_folder_of_its_own(project, plain):
    plan = make_plan(project, plain)
    first, second = perform(plan), perform(plan)
    assert first.folder != second.folder
    assert [run.name for run in runs(project)] == [first.name, second.name]
    assert first.data["key"] == second.data["key"]


def test_a_failing_cell_leaves_a_marked_partial_run(project, plain):
    run = perform(make_plan(project, plain, given={"crash": "true"}))
    assert run.status == "failed"
    assert run.data["error"]["kind"] == "cell"
    assert run.data["error"]["name"] == "ValueError"
    assert "it was to crash" in run.data["error"]["message"]
    assert run.data["cells"]["done"] < run.data["cells"]["of"]
    assert not run.final.exists()
    assert "waiting" in outputs(run.partial)
    assert not list(run.folder.glob(".*"))


def test_a_kernel_that_dies_is_a_failure(project, plain):
    plain.md.write_text(plain.md.read_text().replace("raise Value", "__import__('os')._exit(1) #"))
    run = perform(make_plan(project, plain, given={"crash": "true"}))
    assert run.status == "failed"
    assert run.data["error"]["name"] == "DeadKernelError"


def test_outputs_and_claims_of_the_committed_side_are_not_taken_over(project, plain):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("pass")])
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="old")]
    nbformat.write(notebook, plain.ipynb)
    plain.md.unlink()
    assert outputs(perform(make_plan(project, plain)).final) == ""


# --- claims ---------------------------------------------------------------------------------------


def test_claims_are_part_of_the_record(project, claiming):
    run = perform(make_plan(project, claiming))
    assert run.status == "done"
    verdicts = [(claim["id"], claim["verdict"]) for claim in run.data["claims"]]
    assert verdicts == [("first", "pass"), ("same-cell", "open"), ("second", "pass")]
    assert [device.partition(":")[0] for device in run.data["devices"]] == ["cpu"]


def test_a_claim_that_fails_ends_the_run(project, claiming):
    run = perform(make_plan(project, claiming, given={"width": "9"}))
    assert run.status == "failed"
    assert run.stopped_by_claim
    assert [claim["id"] for claim in run.data["claims"]] == ["first"]
    assert not run.final.exists()


def test_keep_going_executes_the_rest_and_still_fails(project, claiming):
    run = perform(make_plan(project, claiming, given={"width": "9"}, keep_going=True))
    assert run.status == "failed"
    assert run.stopped_by_claim
    verdicts = [(claim["id"], claim["verdict"]) for claim in run.data["claims"]]
    assert verdicts == [("first", "fail"), ("second", "pass")]
    assert run.final.is_file()
    assert "first" in run.data["error"]["message"]


def test_keep_going_stops_at_any_other_error(project, plain):
    run = perform(make_plan(project, plain, given={"crash": "true"}, keep_going=True))
    assert run.data["error"]["kind"] == "cell"


def test_a_claim_whose_error_was_caught_fails_the_run_all_the_same(project, claiming):
    text = claiming.md.read_text()
    caught = text.replace(
        "from ntk.companion import claims", "from ntk.companion import claims\ntry:"
    )
    caught = caught.replace("wrong = ", " wrong = ").replace(
        'claims.check("first"', ' claims.check("first"'
    )
    caught = caught.replace('claims.check("same', 'except AssertionError: pass\nclaims.check("same')
    claiming.md.write_text(caught)
    run = perform(make_plan(project, claiming, given={"width": "9"}))
    assert run.data["cells"]["done"] == run.data["cells"]["of"]
    assert run.status == "failed"
    assert run.data["error"]["kind"] == "claim"


# --- interruption ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_a_record_that_says_so(project, begin, number, watch, gate):
    process = begin(project, "run", "01", "-p", f"gate={gate}", "-p", "width=11")
    run = watch.run(project)
    (kernel,) = watch.kernels(run)
    process.send_signal(number)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted after" in told
    assert "partial.ipynb" in told
    assert f"To run it again: ntk run 01_plain -p gate={gate} -p width=11" in told
    assert "Traceback" not in told
    ended = Run.load(run.folder)
    assert ended.data["status"] == "interrupted"
    assert ended.data["cells"]["done"] == 3  # all before the one that waits
    assert not ended.final.exists()
    assert not list(run.folder.glob(".*"))
    assert not watch.is_running(kernel)


def test_a_killed_run_reads_as_interrupted_and_can_begin_again(project, begin, ntk, watch, gate):
    arguments = ("run", "01", "-p", f"gate={gate}", "-p", "width=11")
    process = begin(project, *arguments)
    run = watch.run(project)
    (kernel,) = watch.kernels(run)
    assert find_run(project, "last").status == "running"
    process.kill()
    process.wait()
    killed = Run.load(run.folder)
    assert killed.data["status"] == "running"
    assert killed.status == "interrupted"
    nbformat.validate(nbformat.read(killed.partial, 4))
    assert not killed.final.exists()
    watch.until(lambda: not watch.is_running(kernel))  # it notices by itself

    assert "interrupted" in ntk(project, "runs")[1]
    gate.touch()
    status, told = ntk(project, *arguments)
    assert status == 0, told
    assert "An earlier run of this was interrupted" in told
    assert [run.status for run in runs(project)] == ["interrupted", "done"]


def test_a_number_that_another_process_has_got_is_not_the_same_process():
    me = this_process()
    assert is_alive(me)
    assert not is_alive({**me, "started": "1"})
    assert is_alive({**me, "host": "elsewhere", "started": "1"})


# --- the command ----------------------------------------------------------------------------------


def test_the_command_tells_the_claims_and_where_the_run_is(project, ntk):
    status, told = ntk(project, "run", "02_claims", "-p", "rate=0.5")
    assert status == 0, told
    assert "claims passed: 2 of 2, 1 open" in told
    (run,) = runs(project)
    assert f"runs/02_claims/{run.name}" in told

    status, told = ntk(project, "run", "02_claims", "-p", "rate=0.75")
    assert status == 1
    assert "fail" in told
    assert "--keep-going" in told
    assert "Traceback" not in told


def test_a_dry_run_prints_the_parameters_and_writes_nothing(project, ntk):
    status, told = ntk(project, "run", "01", "--profile", "full", "-p", "rate=2", "--dry-run")
    assert status == 0
    assert "width = 64  (profile full)" in told
    assert "rate = 2.0  (given)" in told
    assert "biased = True  (default)" in told
    assert not (project.root / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "01_plan"), "did you mean 01_plain"),
        (("run", "01", "-p", "widht=3"), "did you mean width"),
        (("run", "01", "-p", "width=0.5"), "expected int"),
        (("run", "01", "--profile", "ful"), "did you mean full"),
        (("claims", "nothing"), "no notebook either"),
        (("sweep", "01", "-p", "width=3"), "a list of values"),
    ],
)
def test_a_wrong_word_ends_with_one_clear_message(project, ntk, arguments, message):
    status, told = ntk(project, *arguments)
    assert status == 1
    assert message in told
    assert "Traceback" not in told
    assert not (project.root / "runs").exists()


def test_runs_are_found_by_id_beginning_folder_and_last(project, plain):
    run = perform(make_plan(project, plain))
    for name in (run.name, run.name[:-2], str(run.folder), str(run.final), "last"):
        assert find_run(project, name).folder == run.folder
    with pytest.raises(UnknownNameError, match="there is no 'nope'"):
        find_run(project, "nope")
    other = perform(make_plan(project, plain))
    with pytest.raises(UnknownNameError, match="could be any of"):
        find_run(project, other.name[:8])


def test_a_broken_record_is_named(project, plain):
    run = perform(make_plan(project, plain))
    (run.folder / "record.json").write_text("{")
    with pytest.raises(InvalidValueError, match=r"record\.json"):
        runs(project)


def test_a_missing_package_of_the_extra_is_named():
    code = """
import sys
sys.modules["papermill"] = None
from ntk.companion.cli import main
sys.argv = ["ntk", "run", "01"]
main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "papermill" in ended.stderr
    assert "pip install 'ntk-companion[book]'" in ended.stderr
    assert "Traceback" not in ended.stderr
