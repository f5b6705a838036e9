"""A formula in a line keeps the bracket before it and the comma or full stop after it.

A browser may break a line on either side of a formula, and would begin the next one with the comma.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

BEFORE = re.compile(r"[(\[“‘]+$")
AFTER = re.compile(r"^[.,;:!?)\]’”]+")


def bind(app: Sphinx, doctree: nodes.document) -> None:
    """Put each formula of a page into one unbreakable piece with its punctuation."""
    for formula in list(doctree.findall(nodes.math)):
        parent = formula.parent
        place = parent.index(formula)
        around = parent[place - 1 : place] if place else []
        before = taken(around[0], BEFORE) if around else ""
        after = taken(parent[place + 1], AFTER) if place + 1 < len(parent) else ""
        if before or after:
            piece = nodes.inline("", before, formula.deepcopy(), classes=["ntk-unbroken"])
            piece += nodes.Text(after)
            parent.replace(formula, piece)


def taken(node: nodes.Node, pattern: re.Pattern[str]) -> str:
    """Take what matches away from a neighbour, if that is plain text, and return it."""
    found = pattern.search(node) if isinstance(node, nodes.Text) else None
    if found is None:
        return ""
    node.parent.replace(node, nodes.Text(node[: found.start()] + node[found.end() :]))
    return found[0]


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    app.connect("doctree-read", bind)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
