"""Buttons to the source: none without an address, all of them with one."""

import shutil
import subprocess
import sys

import nbformat
import yaml
from bs4 import BeautifulSoup

from ntk.companion.book.site import JUPYTER_BOOK
from tests.site.conftest import PROJECT

# A host that by its name is nobody's; the theme cannot tell from it what serves it.
ADDRESS, SERVED_BY = "https://git.example.org/group/book", "github"


def buttons(folder, address):
    """Return the links above a chapter, in a small book with the settings of this one."""
    settings = yaml.safe_load((PROJECT.root / "_config.yml").read_text(encoding="utf-8"))
    settings["repository"]["url"] = address
    settings["sphinx"]["config"]["html_theme_options"]["repository_provider"] = SERVED_BY
    # What is not asked about costs time: the package's code, and the copy of MathJax.
    for name in ("sphinx.ext.autodoc", "sphinx.ext.viewcode", "numpydoc"):
        settings["sphinx"]["extra_extensions"].remove(name)
    for name in ("docstring_types", "offline_mathjax"):
        del settings["sphinx"]["local_extensions"][name]
    (folder / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    toc = {
        "format": "jb-book",
        "root": "book/index",
        "chapters": [{"file": "notebooks/chapter.ipynb"}],
    }
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    shutil.copytree(PROJECT.root / "book", folder / "book")
    (folder / "book" / "index.md").write_text("# A book\n", encoding="utf-8")
    (folder / "notebooks").mkdir()
    output = nbformat.v4.new_output("stream", text="1")
    code = nbformat.v4.new_code_cell("print(1)", execution_count=1, outputs=[output])
    chapter = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# One"), code])
    nbformat.write(chapter, folder / "notebooks" / "chapter.ipynb")
    run = subprocess.run(
        [sys.executable, "-c", JUPYTER_BOOK, "build", ".", "--path-output", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    page = (folder / "_build/html/notebooks/chapter.html").read_text(encoding="utf-8")
    links = BeautifulSoup(page, "html.parser").select(".article-header-buttons a[href]")
    return {str(link["href"]) for link in links if "://" in str(link["href"])}


def test_no_buttons_without_an_address(tmp_path):
    assert buttons(tmp_path, "") == set()


def test_buttons_to_source_issues_and_binder_with_one(tmp_path):
    shown = buttons(tmp_path, ADDRESS)
    source, issue, binder = sorted(shown)
    assert source == ADDRESS
    assert issue.startswith(f"{ADDRESS}/issues/new?title=")
    assert binder == (
        "https://mybinder.org/v2/git/https%3A//git.example.org/group/book/main"
        "?urlpath=lab/tree/notebooks/chapter.ipynb"
    )
