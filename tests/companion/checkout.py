"""A checkout of the book in small, for the tests of what works on checkouts."""

from collections.abc import Mapping
from pathlib import Path

from ntk.companion.book.project import Project

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


def make_checkout(
    root: Path, chapters: Mapping[str, str], files: Mapping[str, str] | None = None
) -> Project:
    """Write a checkout: settings, a lock, a package of one module, and chapters never executed.

    Parameters
    ----------
    root
        An empty folder.
    chapters
        The text of each chapter after its front matter, by slug.
    files
        Further files, or others in place of those, by name.
    """
    written = {
        "_config.yml": "title: small\n",
        "requirements.lock": "jax==0\n",
        "ntk/core.py": "value = 1\n",
        **{f"notebooks/{slug}.md": HEADER + text for slug, text in chapters.items()},
        **(files or {}),
    }
    for name, text in written.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Project(root)
