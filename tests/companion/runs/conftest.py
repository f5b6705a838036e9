"""A checkout in small: two notebooks that take no time, a package, a lock, profiles."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from ntk.companion.book.project import Pair, Project
from ntk.companion.cli import main
from ntk.companion.runs.record import runs
from tests.companion.checkout import make_checkout

PARAMETERS = """
# A chapter

```{code-cell} ipython3
:tags: [parameters]

width = 4
rate = 0.5
widths = [1, 2]
name = "erf"
biased = True
seed = 7
gate = ""
crash = False
```

```{code-cell} ipython3
import time
from pathlib import Path
print("waiting", flush=True)
while width > 10 and gate and not Path(gate).exists():
    time.sleep(0.02)
```
"""

PLAIN = """
```{code-cell} ipython3
if crash:
    raise ValueError("it was to crash")
print(width, rate, widths, name, biased)
```
"""

CLAIMS = """
```{code-cell} ipython3
from ntk.companion import claims
wrong = claims.Control("twice as much", 2.0 * width)
claims.check("first", claims.Identity(0.5), float(width), 4.0, statement="one", source="-",
             control=claims.Control("a wrong number", 100.0))
claims.check("same-cell", claims.Open(), 1.0, statement="seen", source="-");
```

```{code-cell} ipython3
claims.check("second", claims.Identity(1e-12), rate, 0.5, statement="two", source="-",
             control=claims.Control("a wrong number", 100.0));
```
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a checkout with the chapters `01_plain` and `02_claims`."""
    chapters = {"01_plain": PARAMETERS + PLAIN, "02_claims": PARAMETERS + CLAIMS}
    full = "01_plain: {width: 64, widths: [8, 16]}\n"
    return make_checkout(tmp_path, chapters, {"notebooks/profiles/full.yaml": full})


@pytest.fixture
def gate(project: Project) -> Path:
    """Return the file whose name makes a notebook with a width above 10 wait until it is there."""
    return project.root / "gate"


@pytest.fixture
def plain(project: Project) -> Pair:
    """Return the notebook without claims."""
    return project.pairs(["01"])[0]


@pytest.fixture
def claiming(project: Project) -> Pair:
    """Return the notebook with claims."""
    return project.pairs(["02"])[0]


def start(project: Project, *arguments: str) -> "subprocess.Popen[str]":
    """Begin a command `ntk` in the checkout."""
    return subprocess.Popen(
        [sys.executable, "-m", "ntk.companion", *arguments],
        cwd=project.notebooks,  # any folder of the checkout will do
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def ntk(monkeypatch, capsys):
    """Return the function that runs a command here, which saves the time of the imports."""

    def call(project: Project, *arguments: str) -> tuple[int, str]:
        monkeypatch.chdir(project.notebooks)
        monkeypatch.setattr(sys, "argv", ["ntk", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out + captured.err

    return call


@pytest.fixture
def begin():
    """Return the function that begins a command; what is left of it is killed afterwards."""
    started = []

    def begin_and_note(project: Project, *arguments: str) -> "subprocess.Popen[str]":
        started.append(start(project, *arguments))
        return started[-1]

    yield begin_and_note
    for process in started:
        process.kill()
        process.communicate()


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)
    return found


def waiting_run(project):
    """Return the run whose kernel has come to the cell that waits."""

    def come():
        return [
            run
            for run in runs(project)
            if run.status == "running"
            and run.partial.is_file()
            and has_come_to_the_wait(nbformat.read(run.partial, 4))
        ]

    (run,) = wait_for(come)
    return run


def has_come_to_the_wait(notebook):
    """Whether the last cell before the one that waits is done."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    (waits,) = (i for i, cell in enumerate(code) if "waiting" in cell.source)
    return code[waits - 1].execution_count is not None


def kernels(run):
    """Return the processes that are the kernel of a run: the children of its process."""
    parent = str(run.data["process"]["pid"])
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if is_running(pid) and fields(pid)[1:2] == [parent]]


def is_running(pid):
    """Say whether a process runs."""
    return fields(pid)[:1] not in ([], ["Z"], ["X"])


def fields(pid):
    """Return what the system knows of a process after its name: state, parent, ..."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return stat.rpartition(")")[2].split()


@pytest.fixture
def watch():
    """Return the functions that wait for runs in other processes and look at these."""
    return SimpleNamespace(until=wait_for, run=waiting_run, kernels=kernels, is_running=is_running)
