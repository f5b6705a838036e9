"""Where a result comes from: versions, the state of the repository, the process that made it."""

import os
import platform
import socket
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["TOLD", "git_state", "is_alive", "this_process", "versions"]

# Their versions decide about results or about what the site looks like.
TOLD = (
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "jaxtyping",
    "matplotlib",
    "jupyter-book",
    "nbclient",
    "papermill",
)


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package and of the packages that results depend on."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("ntk-companion", *TOLD):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def git_state(root: Path) -> dict[str, Any] | None:
    """Return the commit of a checkout and whether files differ from it; None outside git.

    Parameters
    ----------
    root
        A folder of the checkout.
    """
    try:
        commit, status = (
            subprocess.run(
                ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
            ).stdout.strip()
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit, "dirty": bool(status)}


def this_process() -> dict[str, Any]:
    """Return what tells this process from every other: number, start, machine."""
    return {"pid": os.getpid(), "started": _started(os.getpid()), "host": socket.gethostname()}


def is_alive(process: dict[str, Any]) -> bool:
    """Say whether a process still runs; one of another machine is believed to.

    Parameters
    ----------
    process
        What :func:`this_process` returned in it.
    """
    pid = process["pid"]
    if process["host"] != socket.gethostname():
        return True
    if process["started"] is not None:
        # The number alone may have been given to another process since.
        return bool(_started(pid) == process["started"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str | None:
    """Return when a process began, None where it is dead or the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    # The name, in brackets, may hold anything; after it come the state and, as the 20th, the start.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]
