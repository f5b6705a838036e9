"""One run: a plan that was checked, its execution, and the record of how it ended."""

import hashlib
import json
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from ntk.companion import claims
from ntk.companion.book.project import Pair, Project
from ntk.companion.book.source import read_executed, read_source, store
from ntk.companion.book.staleness import run_key
from ntk.companion.runs.kernel import CellFailedError, Observed, RunInterruptedError, execute
from ntk.companion.runs.parameters import Value, check, read_parameters
from ntk.companion.runs.profiles import FAST, profile_parameters, resolve
from ntk.companion.runs.provenance import git_state, this_process, versions
from ntk.companion.runs.record import Run
from ntk.companion.runs.written import parse
from ntk.errors import ClaimFailedError, NTKError

__all__ = ["Plan", "make_plan", "perform", "read_notebook"]

CLAIM = ClaimFailedError.__name__
# What was set by hand or by a sweep, and may move the last digits or the time.
SETTINGS = ("JAX_PLATFORMS", "JAX_ENABLE_X64", "XLA_FLAGS", "NPROC", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Plan:
    """A run that has not begun: names and types are checked, nothing is written.

    Parameters
    ----------
    project, pair
        The checkout and the notebook.
    profile
        Name of the profile.
    own
        The parameters that were given beside it.
    parameters
        All parameters of the notebook.
    keep_going
        Whether the cells after a claim that fails are executed too.
    """

    project: Project
    pair: Pair
    profile: str
    own: dict[str, Value]
    parameters: dict[str, Value]
    keep_going: bool = False

    @cached_property
    def code(self) -> str:
        """Digest of the notebook, the package, the lock and what is installed."""
        return run_key(self.project, self.pair)

    @cached_property
    def key(self) -> str:
        """Digest of the code and all parameters: equal for runs that would come out the same."""
        text = json.dumps([self.pair.slug, self.code, self.parameters], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def command(self) -> str:
        """Return the command that runs this plan."""
        words = ["ntk", "run", self.pair.slug]
        words += ["--profile", self.profile] * (self.profile != FAST)
        for name, value in self.own.items():
            text = value if isinstance(value, str) else json.dumps(value)
            words += ["-p", f"{name}={text}"]
        return shlex.join([*words, *["--keep-going"] * self.keep_going])


def make_plan(
    project: Project,
    pair: Pair,
    profile: str = FAST,
    given: dict[str, str] | None = None,
    *,
    values: dict[str, Value] | None = None,
    keep_going: bool = False,
) -> Plan:
    """Check names and types against the notebook's parameters cell, and return what would be run.

    Parameters
    ----------
    project, pair
        The checkout and the notebook.
    profile
        Name of a profile.
    given
        Parameters as a user wrote them.
    values
        Further parameters, as values.
    keep_going
        Whether the cells after a claim that fails are executed too.

    Raises
    ------
    UnknownNameError, InvalidTypeError, InvalidValueError
        There is no such profile or parameter, or a value does not fit; the message says which.
    """
    defaults = read_parameters(read_notebook(pair))
    chosen = profile_parameters(project, pair, profile, defaults)
    own = {name: parse(name, text, defaults) for name, text in (given or {}).items()}
    own |= {name: check(name, value, defaults) for name, value in (values or {}).items()}
    return Plan(project, pair, profile, own, resolve(defaults, chosen, own), keep_going)


def perform(
    plan: Plan,
    *,
    on_start: Callable[[Run, int], None] = lambda *_: None,
    on_cell: Callable[[], None] = lambda: None,
) -> Run:
    """Execute a plan; whatever happens, the record says how it ended.

    Parameters
    ----------
    plan
        What to run.
    on_start
        Called with the run and the number of its cells.
    on_cell
        Called after each cell.

    Returns
    -------
    Run
        With the status ``done``, ``failed`` or ``interrupted``.
    """
    notebook = _parameterised(plan)
    run, begin, observed = _create(plan), perf_counter(), Observed()
    ending: dict[str, Any] = {"status": "interrupted", "error": None}
    on_start(run, len(notebook.cells))

    def cell_done() -> None:
        store(notebook, run.partial)
        on_cell()

    try:
        store(notebook, run.partial)
        execute(
            notebook,
            plan.pair.folder,
            observed=observed,
            on_cell=cell_done,
            tolerated=(CLAIM,) if plan.keep_going else (),
        )
        store(notebook, run.partial)
        run.partial.replace(run.final)
        ending["status"] = "done"
    except CellFailedError as error:
        kind = "claim" if error.name == CLAIM else "cell"
        told = {"cell": error.cell, "name": error.name, "message": error.what}
        ending |= {"status": "failed", "error": {"kind": kind, **told}}
    except RunInterruptedError as error:
        ending["error"] = {"kind": "interrupted", "message": str(error)}
    except Exception as error:
        told = {"kind": "run", "name": type(error).__name__, "message": str(error)}
        ending |= {"status": "failed", "error": told}
        raise
    finally:
        run.update(
            **(ending | _claims(run, ending)),
            seconds=round(perf_counter() - begin, 3),
            cells={"done": observed.cells, "of": len(notebook.cells)},
            peak_memory=observed.peak_memory,
            devices=observed.devices,
        )
    return run


def read_notebook(pair: Pair) -> Any:
    """Return a notebook's cells from its written side, or from its only one."""
    return read_source(pair.md) if pair.md.is_file() else read_executed(pair.ipynb)


def _parameterised(plan: Plan) -> Any:
    """Return a copy of the notebook with a cell that sets the parameters which are not defaults."""
    notebook = read_notebook(plan.pair)
    defaults = read_parameters(notebook)
    # Empty markdown after the last cell and such stay; outputs of another run must not.
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    injected = {name: value for name, value in plan.parameters.items() if value != defaults[name]}
    notebook = load_notebook_node(notebook)
    return parameterize_notebook(notebook, injected) if injected else notebook


def _create(plan: Plan) -> Run:
    data = {
        "profile": plan.profile,
        "own": plan.own,
        "parameters": plan.parameters,
        "seed": plan.parameters.get("seed"),
        "keep_going": plan.keep_going,
        "command": plan.command(),
        "code": plan.code,
        "git": git_state(plan.project.root),
        "versions": versions(),
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
        "process": this_process(),
    }
    return Run.create(plan.project, plan.pair.slug, plan.key, data)


def _claims(run: Run, ending: dict[str, Any]) -> dict[str, Any]:
    """Return the claims among the outputs, and a failure if one of them does not stand."""
    try:
        ledger = claims.read([run.notebook]) if _has_outputs(run) else claims.Ledger(())
    except NTKError as error:
        told = {"kind": "ledger", "message": str(error)}
        return {"claims": [], "status": "failed", "error": ending["error"] or told}
    found = {"claims": [entry.record.to_json() for entry in ledger]}
    try:
        ledger.require_passed()
    except ClaimFailedError as error:
        if ending["status"] == "done":
            # The cells went through, since they were to go on or because one caught the error.
            told = {"kind": "claim", "message": str(error)}
            return {**found, "status": "failed", "error": told}
    return found


def _has_outputs(run: Run) -> bool:
    return run.notebook.is_file() and any(
        cell.get("outputs") for cell in read_executed(run.notebook).cells
    )
