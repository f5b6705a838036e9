"""On what the measurements were made, without anything that names a person or a place."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.worker import threads

# What the benchmarks themselves write does not make a checkout another one.
WRITTEN = ("benchmarks/records", "book/benchmarks.md", "book/benchmarks")


def machine() -> dict[str, Any]:
    """Return processor, cores, memory and system."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": threads(),
        "memory_gib": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def now() -> str:
    """Return the time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def load() -> float | None:
    """Return how many processes wanted a processor over the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def git_state(root: Path) -> dict[str, Any] | None:
    """Return the commit and whether files other than records differ; None outside git."""
    excluded = [f":(exclude){path}" for path in WRITTEN]
    try:
        commit, status = (
            subprocess.run(
                ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
            ).stdout.strip()
            for arguments in (
                ("rev-parse", "HEAD"),
                ("status", "--porcelain", "--", ".", *excluded),
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit, "dirty": bool(status)}


def _cpu() -> str:
    """Return the processor's model; where it is not told, its architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None
