"""One notebook in one kernel that can be stopped at any moment, watched cell by cell."""

import ast
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from ntk.errors import NTKError

__all__ = ["CellFailedError", "Observed", "RunInterruptedError", "execute"]

# Asked in the kernel after the last cell; the first must not be what loads JAX or a device.
DEVICES = (
    "[f'{d.platform}:{d.id} ({d.device_kind})' for d in __import__('sys').modules['jax'].devices()]"
    " if 'jax' in __import__('sys').modules else []"
)
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class CellFailedError(NTKError, RuntimeError):
    """A cell raised, or the kernel died in it.

    Parameters
    ----------
    cell
        Number of the cell, from 1.
    name, what
        Name of the exception and its text.
    """

    def __init__(self, cell: int, name: str, what: str) -> None:
        super().__init__(f"cell {cell}: {name}: {what}")
        self.cell, self.name, self.what = cell, name, what


class RunInterruptedError(NTKError, RuntimeError):
    """The user or the system asked the run to stop."""


@dataclass
class Observed:
    """What was seen of a kernel.

    Parameters
    ----------
    cells
        How many cells were finished.
    peak_memory
        The most memory that its process ever held, in bytes; None if the system does not tell.
    devices
        JAX's devices in it; None if it could not be asked.
    """

    cells: int = 0
    peak_memory: int | None = None
    devices: list[str] | None = None


def execute(
    notebook: Any,
    folder: Path,
    *,
    observed: Observed,
    on_cell: Callable[[], None],
    tolerated: tuple[str, ...] = (),
) -> None:
    """Execute a notebook's cells in place, in a new kernel.

    Parameters
    ----------
    notebook
        A parsed notebook; its outputs are filled in.
    folder
        The kernel's working directory.
    observed
        Filled in as the execution goes on.
    on_cell
        Called after each cell, the failing one too.
    tolerated
        Names of exceptions after which the next cell is executed all the same.

    Raises
    ------
    CellFailedError
        A cell failed.
    RunInterruptedError
        A signal came that asks to stop; the kernel is gone.
    """
    client = NotebookClient(
        notebook,
        timeout=None,  # a run at the papers' scale may take hours
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        allow_error_names=list(tolerated),
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(folder)}},
    )
    client.reset_execution_trackers()
    with _stoppable(client, observed) as stopped:
        try:
            with client.setup_kernel():
                for index, cell in enumerate(notebook.cells):
                    _execute_cell(client, cell, index, observed, on_cell)
                _ask(client, observed)
        except Exception as error:
            # A kernel that is stopped looks to its client like one that died.
            if stopped:
                raise RunInterruptedError(f"stopped by {stopped[0]}") from error
            raise
        finally:
            if observed.peak_memory is None:
                observed.peak_memory = _largest_child()


def _execute_cell(
    client: NotebookClient, cell: Any, index: int, observed: Observed, on_cell: Callable[[], None]
) -> None:
    try:
        client.execute_cell(cell, index)
    except CellExecutionError as error:
        raise CellFailedError(index + 1, error.ename, error.evalue) from error
    except DeadKernelError as error:
        what = "the kernel died, most often for want of memory"
        raise CellFailedError(index + 1, "DeadKernelError", what) from error
    else:
        observed.cells += 1
    finally:
        observed.peak_memory = _peak(client) or observed.peak_memory
        on_cell()


def _ask(client: NotebookClient, observed: Observed) -> None:
    """Ask the kernel for its devices; not knowing them spoils no run."""
    assert client.kc is not None
    with contextlib.suppress(Exception):
        question: Any = client.kc.execute(
            "", silent=True, store_history=False, user_expressions={"devices": DEVICES}
        )
        reply: Any = client.wait_for_reply(question)
        text = reply["content"]["user_expressions"]["devices"]["data"]["text/plain"]
        observed.devices = [str(device) for device in ast.literal_eval(text)]
        info: Any = client.wait_for_reply(client.kc.kernel_info())
        client.nb.metadata["language_info"] = info["content"]["language_info"]


@contextlib.contextmanager
def _stoppable(client: NotebookClient, observed: Observed) -> Iterator[list[str]]:
    """Let the signals that ask to stop end the kernel, so that the client returns in good order."""
    stopped: list[str] = []

    def stop(number: int, _: FrameType | None) -> None:
        stopped.append(signal.Signals(number).name)
        pid = _pid(client)
        observed.peak_memory = _peak(client) or observed.peak_memory
        if pid is None or len(stopped) > 1:  # no kernel yet; or it will not go
            raise KeyboardInterrupt
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    former = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        yield stopped
    except KeyboardInterrupt as error:
        raise RunInterruptedError(f"stopped by {stopped[0] if stopped else 'SIGINT'}") from error
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _pid(client: NotebookClient) -> int | None:
    provisioner = getattr(client.km, "provisioner", None)
    pid = getattr(provisioner, "pid", None)
    return pid if isinstance(pid, int) and pid > 0 else None


def _peak(client: NotebookClient) -> int | None:
    """Return the high-water mark of the kernel's memory where the system keeps one (Linux)."""
    try:
        status = Path(f"/proc/{_pid(client)}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(marks[0]) * 1024 if marks else None


def _largest_child() -> int | None:
    """Return the most memory of any child so far: the nearest to be had where there is no /proc."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
