"""Re-execution of a stored notebook, cell by cell, with a comparison of every output."""

import os
import subprocess
import sys

from ntk.companion.book.execute import CELL_TIMEOUT, NotebookFailedError
from ntk.companion.book.project import Pair, Project

__all__ = ["replay"]


def replay(project: Project, pair: Pair, *, timeout: int = CELL_TIMEOUT) -> None:
    """Execute a notebook anew with nbval and compare its outputs with the stored ones.

    The claims' own comparison, which lets the last digits of a measurement differ between machines,
    comes from `tests/conftest.py`.

    Parameters
    ----------
    project
        The checkout.
    pair
        The notebook.
    timeout
        Seconds that one cell may take.

    Raises
    ------
    NotebookFailedError
        An output differs, or a cell failed; the message holds what nbval says of these cells.
    """
    command = [
        *(sys.executable, "-m", "pytest", "--quiet", "--no-header", "--override-ini=addopts="),
        # A conftest is loaded for its own folder only, and the notebooks lie in another.
        *("-p", "tests.conftest", "-p", "no:cacheprovider"),
        *("--nbval", "--nbval-current-env", f"--nbval-cell-timeout={timeout}"),
        str(pair.ipynb),
    ]
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    result = subprocess.run(
        command,
        cwd=project.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise NotebookFailedError(
            f"{result.stdout.rstrip()}\n{project.show(pair.ipynb)}: executed again, it does not "
            "give the stored outputs (above). If the new ones are right, store them with "
            "`make notebooks` and look at the difference."
        )
