"""One worker of a sweep: `python -m ntk.companion.runs.worker`, which takes a point from its input.

The line that it reads is the point; nothing more ever comes. If the input ends, the sweep is gone,
even by `kill -9`, and the worker stops as if it had been asked to: nothing runs on that nobody
waits for, and the record says so.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from ntk.companion.book.project import Project
from ntk.companion.runs.naming import find_notebook
from ntk.companion.runs.single import make_plan, perform

__all__ = ["main"]


def main() -> None:
    """Run one point of a sweep and print the folder of its run."""
    point = json.loads(sys.stdin.readline())
    threading.Thread(target=_follow, daemon=True).start()
    project = Project(Path(point["root"]))
    plan = make_plan(
        project,
        find_notebook(project, point["notebook"]),
        point["profile"],
        values=point["own"],
        keep_going=point["keep_going"],
    )
    run = perform(plan)
    sys.stdout.write(f"{run.folder}\n")


def _follow() -> None:
    """Stop when the sweep does."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
