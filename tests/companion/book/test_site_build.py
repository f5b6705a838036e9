"""The build of the site: the contents are understood, and nothing that is missing goes unseen."""

import pytest

from ntk.companion.book.site import SiteFailedError, build, missing_pages, toc_entries

TOC = """\
format: jb-book
root: book/intro
parts:
  - caption: One
    chapters:
      - file: notebooks/01_small.ipynb
        sections:
          - file: book/api/index
  - caption: Two
    chapters:
      - file: book/last.md
"""


@pytest.fixture
def toc(project):
    """Return the checkout with a table of contents."""
    (project.root / "_toc.yml").write_text(TOC)
    return project


def test_every_entry_of_the_contents_is_found(toc):
    assert toc_entries(toc) == [
        "book/intro",
        "notebooks/01_small",
        "book/api/index",
        "book/last",
    ]


def test_an_entry_without_a_page_is_told(toc):
    for entry in toc_entries(toc)[1:]:
        page = toc.html / f"{entry}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<html></html>")
    (problem,) = missing_pages(toc)
    assert str(problem) == "_toc.yml: book/intro has no page in _build/html."


def small_site(project, text):
    (project.root / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    (project.root / "book").mkdir()
    (project.root / "book" / "intro.md").write_text(text)
    return project


def test_a_site_is_built_and_progress_told(project):
    lines = []
    small_site(project, "# Title\n\nText.\n")
    index = build(project, on_line=lines.append)
    assert index.is_file()
    assert (project.html / "book" / "intro.html").is_file()
    assert any("reading sources" in line for line in lines)


def test_a_warning_fails_the_build(project):
    small_site(project, "# Title\n\n[](nowhere.md)\n")
    with pytest.raises(SiteFailedError, match=r"intro.md.*nowhere.md"):
        build(project)
