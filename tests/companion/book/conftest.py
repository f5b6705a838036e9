"""A checkout of the book in small: one notebook, a package of one module, a lock."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ntk.companion import cli
from ntk.companion.book.execute import execute
from ntk.companion.book.project import Pair, Project

ROOT = Path(__file__).resolve().parents[3]

HEADER = """\
---
jupytext:
  formats: md:myst,ipynb
  cell_metadata_filter: tags,mystnb,-all
  notebook_metadata_filter: jupytext,kernelspec,-jupytext.text_representation.jupytext_version
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""

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
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "requirements.lock").write_text("jax==0\n")
    (tmp_path / "notebooks" / "01_small.md").write_text(HEADER + BODY)
    for name in ("ntk/core.py", "ntk/companion/claims.py", "ntk/companion/book/site.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("value = 1\n")
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests" / "conftest.py")
    return Project(tmp_path)


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
