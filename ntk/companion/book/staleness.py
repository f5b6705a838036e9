"""What has to be made again: fingerprints of inputs, and stamps that remember them.

A stamp is written after a step has succeeded and holds the fingerprint of everything the step
depended on. A step is fresh as long as that fingerprint is the same; times of files play no part.
"""

import hashlib
import os
import platform
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from ntk.companion.book.project import Pair, Project

__all__ = ["Stamps", "execution_key", "replay_key", "run_key", "site_key", "tests_key"]

# No notebook can depend on these, so changing them executes nothing again.
NOT_IN_NOTEBOOKS = (
    "ntk/companion/book/",
    "ntk/companion/runs/",
    "ntk/companion/cli.py",
    "ntk/companion/__main__.py",
)


class Stamps:
    """Fingerprints of the steps that succeeded.

    Parameters
    ----------
    folder
        Where they are kept, one file for each step.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fresh(self, step: str, key: str) -> bool:
        """Say whether a step last succeeded with this fingerprint."""
        try:
            return self._path(step).read_text(encoding="utf-8") == key
        except FileNotFoundError:
            return False

    def record(self, step: str, key: str) -> None:
        """Remember that a step has succeeded with this fingerprint."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._path(step).write_text(key, encoding="utf-8")

    def forget(self, step: str) -> None:
        """Forget a step, before it begins anew: if it is interrupted, it counts as not done."""
        self._path(step).unlink(missing_ok=True)

    def _path(self, step: str) -> Path:
        return self.folder / step


def execution_key(project: Project, pair: Pair) -> str:
    """Return the fingerprint of a notebook's execution: what went in, and the outputs that it left.

    The outputs are part of it, so that outputs which were edited or reverted are made again.
    """
    return _fingerprint(project, [pair.md, pair.ipynb, *_notebook_inputs(project, pair)])


def replay_key(project: Project, pair: Pair) -> str:
    """Return the fingerprint of a notebook's comparison with its stored outputs."""
    hook = project.root / "tests" / "conftest.py"
    return _fingerprint(project, [pair.ipynb, hook, *_notebook_inputs(project, pair)])


def run_key(project: Project, pair: Pair) -> str:
    """Return the fingerprint of what decides about a run of a notebook beside its parameters."""
    source = pair.md if pair.md.is_file() else pair.ipynb
    return _fingerprint(project, [source, *_notebook_inputs(project, pair)])


def site_key(project: Project) -> str:
    """Return the fingerprint of the site."""
    root = project.root
    return _fingerprint(
        project,
        [
            root / "_config.yml",
            root / "_toc.yml",
            *root.glob("*.md"),
            *project.notebooks.glob("*.ipynb"),
            *_tree(root / "book"),
            *_tree(root / "ntk"),
        ],
    )


def tests_key(project: Project) -> str:
    """Return the fingerprint of everything that the tests can read: all files of the project.

    Whether they demand a browser is part of it: a run that skipped them is not one that passed.
    """
    root = project.root
    folders = (".ci", ".github", "benchmarks", "book", "notebooks", "ntk", "tests")
    files = [path for path in root.iterdir() if path.is_file()]
    key = _fingerprint(project, files + [path for name in folders for path in _tree(root / name)])
    return f"{key} {os.environ.get('NTK_REQUIRE_BROWSER', '')}".strip()


def _notebook_inputs(project: Project, pair: Pair) -> list[Path]:
    """Return the files beside its own that a notebook can read: the package and its records."""
    package = [
        path
        for path in _tree(project.root / "ntk")
        if not path.relative_to(project.root).as_posix().startswith(NOT_IN_NOTEBOOKS)
    ]
    return [*package, *(project.notebooks / "records").glob(f"{pair.chapter}*")]


def _tree(folder: Path) -> list[Path]:
    return [
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]


def _fingerprint(project: Project, paths: Iterable[Path]) -> str:
    """Return the digest of files by name and content, of the lock, and of what is installed."""
    digest = hashlib.sha256(_environment().encode())
    for path in sorted({*paths, project.root / "requirements.lock"}):
        if path.is_file():
            name = path.relative_to(project.root).as_posix()
            digest.update(f"\n{name} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


@cache
def _environment() -> str:
    """Return the Python and the packages that run, which may be others than those of the lock."""
    installed = sorted({f"{item.name}=={item.version}" for item in metadata.distributions()})
    return "\n".join([platform.python_version(), platform.machine(), *installed])
