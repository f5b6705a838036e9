"""Chapters numbered by their files: `02_gradient_flow` is chapter 2, whatever stands before it.

Sphinx counts the entries of the table of contents, so that a chapter's number would change with
every chapter that is written before it, and would not be the number by which claims, commands and
prose call it.
"""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

CHAPTER = re.compile(r"(?:^|/)(\d\d)_[^/]+$")


def number_by_file(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Replace the first part of every number on a numbered chapter; return the pages changed."""
    changed = []
    for page, sections in env.toc_secnumbers.items():
        found = CHAPTER.search(page)
        if found is None or not any(sections.values()):
            continue
        chapter = int(found[1])
        env.toc_secnumbers[page] = {
            anchor: (chapter, *number[1:]) if number else number
            for anchor, number in sections.items()
        }
        for node in numbered(env, page):
            node["secnumber"] = (chapter, *node["secnumber"][1:])
        # Figures, tables, equations and theorems: `2.1` is the first of its kind in chapter 2.
        for numbers in env.toc_fignumbers.get(page, {}).values():
            numbers |= {key: (chapter, *number[1:]) for key, number in numbers.items()}
        changed.append(page)
    return changed


def numbered(env: BuildEnvironment, page: str) -> Iterator[nodes.Element]:
    """Yield the page's title and the entries of its contents that bear a number."""
    for node in [env.titles[page], *env.tocs[page].findall(nodes.reference)]:
        if node.get("secnumber"):
            yield node


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    # After Sphinx, which counts sections and then figures at 500.
    app.connect("env-get-updated", number_by_file, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
