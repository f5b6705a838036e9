"""A checkout of the book in small: one notebook, a package of one module, a lock."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ntk.companion import cli
from ntk.companion.book.execute import execute
from ntk.companion.book.project import Pair, Project
from tests.companion.checkout import HEADER, make_checkout

ROOT = Path(__file__).resolve().parents[3]

CONFIG = """\
title: small
only_build_toc_files: true
exclude_patterns: ["_build", "notebooks/*.md"]
execute:
  execute_notebooks: "off"
"""

BODY = """
# A chapter

```{code-cell} ipython3
:tags: [parameters]

n = 3
```

Some text with $n$.

```{code-cell} ipython3
---
mystnb:
  image:
    alt: a number
---
print(sum(range(n)))
```
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a checkout whose notebook was never executed."""
    modules = ("ntk/companion/claims.py", "ntk/companion/book/site.py")
    files = {
        "_config.yml": CONFIG,
        # The comparison of outputs is set up there.
        "tests/conftest.py": (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"),
        **dict.fromkeys(modules, "value = 1\n"),
    }
    return make_checkout(tmp_path, {"01_small": BODY}, files)


@pytest.fixture
def pair(project: Project) -> Pair:
    """Return the notebook of the small checkout."""
    return project.pairs()[0]


@pytest.fixture(scope="session")
def executed_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Execute the small notebook once for all tests that only need its outputs."""
    folder = tmp_path_factory.mktemp("executed")
    (folder / "01_small.md").write_text(HEADER + BODY)
    execute(Pair(folder, "01_small"))
    return (folder / "01_small.ipynb").read_text()


@pytest.fixture
def executed(pair: Pair, executed_text: str) -> Pair:
    """Return the notebook of the small checkout, executed."""
    pair.ipynb.write_text(executed_text)
    return pair


@pytest.fixture
def run(project, monkeypatch):
    """Return a function that runs the command line in the small checkout."""
    monkeypatch.chdir(project.root / "notebooks")

    def invoke(*arguments):
        result = CliRunner().invoke(cli.application(), arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
