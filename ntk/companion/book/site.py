"""The site: from the prose, the stored notebooks and the docstrings to `_build/html`."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from ntk.companion.book.project import Problem, Project
from ntk.errors import NTKError

__all__ = ["SiteFailedError", "build", "missing_pages", "toc_entries"]

# Jupyter Book cannot be run with `python -m`.
JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"

# Jupyter Book colours its messages whether or not a terminal reads them.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class SiteFailedError(NTKError, RuntimeError):
    """The site could not be built, or was built with warnings."""


def toc_entries(project: Project) -> list[str]:
    """Return the documents named in `_toc.yml`, without suffixes, in reading order.

    Parameters
    ----------
    project
        The checkout.
    """

    def entries(node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for item in node:
                yield from entries(item)
        elif isinstance(node, dict):
            for key in ("root", "file"):
                if key in node:
                    yield str(Path(node[key]).with_suffix("").as_posix())
            for key in ("parts", "chapters", "sections"):
                yield from entries(node.get(key, []))

    return list(entries(yaml.safe_load((project.root / "_toc.yml").read_text(encoding="utf-8"))))


def missing_pages(project: Project) -> list[Problem]:
    """Return the entries of `_toc.yml` that have no page in the built site.

    Parameters
    ----------
    project
        The checkout.
    """
    return [
        Problem("_toc.yml", f"{entry} has no page in {project.show(project.html)}.")
        for entry in toc_entries(project)
        if not (project.html / f"{entry}.html").is_file()
    ]


def build(project: Project, *, on_line: Callable[[str], None] | None = None) -> Path:
    """Build the whole site anew; any warning is an error.

    Parameters
    ----------
    project
        The checkout.
    on_line
        Called with each line that Sphinx prints, for a display of progress.

    Returns
    -------
    Path
        The page to open.

    Raises
    ------
    SiteFailedError
        With everything that Sphinx complained about; the whole log is in `_build/site.log`.
    """
    command = [
        *(sys.executable, "-c", JUPYTER_BOOK, "build", "."),
        *("--all", "-W", "--keep-going", "--path-output", "."),
    ]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONUNBUFFERED": "1"}
    # Pages of entries that are gone would stay, and pages of code count as fresh by their times.
    for folder in (project.html, project.build / ".doctrees"):
        shutil.rmtree(folder, ignore_errors=True)
    project.build.mkdir(exist_ok=True)
    lines = []
    with (
        (project.build / "site.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            cwd=project.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        for coloured in process.stdout:
            line = COLOUR.sub("", coloured).rstrip()
            log.write(f"{line}\n")
            lines.append(line)
            if on_line is not None:
                on_line(line)
    problems = [str(problem) for problem in missing_pages(project)]
    if process.returncode or problems:
        told = [line for line in lines if "WARNING" in line or "ERROR" in line or "Error" in line]
        raise SiteFailedError("\n".join([*(told or lines[-30:]), *problems]))
    return project.html / "index.html"
