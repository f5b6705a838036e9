"""A process that computes one side of one case and answers line by line, in JSON.

It is told on standard input what to do: ``time`` once more, ``save`` the result, say how much
``memory`` it took, ``finish``. It runs in the project's environment or in the peer's, so it imports
nothing but NumPy until a case does.
"""

import ctypes
import gc
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from benchmarks import cases
from benchmarks.case import UnavailableError, entries

VERSIONS = ("ntk-companion", "neural-tangents", "jax", "jaxlib", "numpy", "scipy")


def main(group: str, case_id: str, side_name: str, scale: str) -> None:
    """Prepare the work, warm it up, and do as told until told to finish."""
    # What libraries print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    case = cases.find(group, case_id)
    (side,) = (side for side in case.sides if side.name == side_name)
    try:
        work = side.build(case.at(scale))
    except UnavailableError as reason:
        _answer(answers, unavailable=str(reason))
        return
    imported = memory()["VmRSS"]
    start = time.perf_counter()
    work.run()  # compiles
    first_call = time.perf_counter() - start
    result = work.run()
    checked = entries(result) if side.compared else None
    del result  # or the next call would hold two
    digest = hashlib.sha256()
    for array in work.inputs:
        digest.update(f"{array.dtype} {array.shape} ".encode() + array.tobytes())
    _answer(
        answers,
        first_call=first_call,
        imported=imported,
        inputs=digest.hexdigest(),
        entries=checked,
        threads=threads(),
        versions=versions(),
    )
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "time":
            wall, cpu = time.perf_counter(), time.process_time()
            work.run()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            _answer(answers, seconds=wall, cpu_seconds=cpu)
        elif order["do"] == "save":
            np.save(order["path"], np.asarray(work.run()))
            _answer(answers, saved=order["path"])
        elif order["do"] == "memory":
            peak, call = memory()["VmHWM"], memory_of_a_call(work.run)
            planned = None if work.planned is None else work.planned()
            _answer(answers, peak=peak, call=call, planned=planned)
        else:
            _answer(answers, finished=True)
            return


def memory() -> dict[str, int | None]:
    """Return the resident set of this process, now and at its largest, in bytes; None if unknown.

    ``ru_maxrss`` would begin with what the parent held when it started this process.
    """
    found: dict[str, int | None] = {"VmRSS": None, "VmHWM": None}
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return found
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name in found:
            found[name] = int(value.split()[0]) * 1024
    return found


def memory_of_a_call(run: Callable[[], Any]) -> int | None:
    """Return how much the resident set grows at most while a compiled call runs; None if unknown.

    The process's peak contains its imports and the compiler, of which one side may have loaded
    more beforehand. So what is free is given back, the system's mark of the peak is set to what is
    left, and the call runs once more.
    """
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except (AttributeError, OSError):  # not Linux with the GNU library
        return None
    before = memory()["VmRSS"]
    run()
    peak = memory()["VmHWM"]
    return None if before is None or peak is None else peak - before


def threads() -> int:
    """Return how many processors this process may use, which is how many threads XLA starts."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Return the versions that decide about results, of what is installed here."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _answer(answers: TextIO, **values: Any) -> None:
    answers.write(json.dumps(values) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
