"""Execution of notebooks: from the written side to the stored outputs."""

import os
from collections.abc import Callable
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from ntk.companion.book.project import Pair
from ntk.companion.book.source import clean, read_source, store
from ntk.errors import NTKError

__all__ = ["NotebookFailedError", "execute", "run"]

CELL_TIMEOUT = 300


class NotebookFailedError(NTKError, RuntimeError):
    """A cell of a notebook raised, took too long, or took the kernel with it."""


def execute(
    pair: Pair, *, timeout: int = CELL_TIMEOUT, on_cell: Callable[[], None] | None = None
) -> None:
    """Execute a notebook's written side and store the result beside it.

    The stored file is replaced only after the last cell has succeeded.

    Parameters
    ----------
    pair
        The notebook.
    timeout
        Seconds that one cell may take.
    on_cell
        Called after each cell, for a progress bar.

    Raises
    ------
    NotebookFailedError
        A cell failed; the message names it and the old outputs are left as they were.
    """
    notebook = read_source(pair.md)
    run(notebook, pair, timeout=timeout, on_cell=on_cell)
    store(clean(notebook), pair.ipynb)


def run(
    notebook: Any,
    pair: Pair,
    *,
    timeout: int = CELL_TIMEOUT,
    on_cell: Callable[[], None] | None = None,
) -> None:
    """Execute a parsed notebook in place, in a new kernel in the notebook's own folder.

    Parameters
    ----------
    notebook
        The notebook; its outputs are filled in.
    pair
        Where it lies, for the folder and the messages.
    timeout, on_cell
        As for :func:`execute`.

    Raises
    ------
    NotebookFailedError
        A cell failed.
    """
    # Outputs are compared with those of other machines, of which the CPU is what all have.
    os.environ["JAX_PLATFORMS"] = "cpu"
    current = {"cell": 0}

    def started(cell_index: int, **_: Any) -> None:
        current["cell"] = cell_index

    def done(**_: Any) -> None:
        if on_cell is not None:
            on_cell()

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # else lines split at random between outputs
        allow_errors=False,
        resources={"metadata": {"path": str(pair.folder)}},
        on_cell_start=started,
        on_cell_complete=done,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise _failure(notebook, pair, current["cell"], f"{error.ename}: {error.evalue}") from error
    except CellTimeoutError as error:
        raise _failure(
            notebook, pair, current["cell"], f"it took more than {timeout} s."
        ) from error
    except DeadKernelError as error:
        what = "the kernel died, most often for want of memory."
        raise _failure(notebook, pair, current["cell"], what) from error


def _failure(notebook: Any, pair: Pair, index: int, what: str) -> NotebookFailedError:
    """Return an error that names the notebook, the cell and its text."""
    lines = notebook.cells[index].source.splitlines()
    text = "\n".join(f"    {line}" for line in lines)
    kept = " The stored outputs are the old ones." if pair.ipynb.is_file() else ""
    return NotebookFailedError(
        f"notebooks/{pair.md.name}, cell {index + 1} failed.{kept}\n{text}\n  {what}"
    )
