"""Types in docstrings, shown as they are written.

In `shape (n, *positions)` reStructuredText takes the star for the beginning of an emphasis, and in
`{"ntk", "standard"}` Sphinx bends the quotation marks, which nobody could then paste into code.
"""

import re

from sphinx.application import Sphinx

# A star before a name that a comma or a bracket follows: no emphasis, which a star would end.
STAR = re.compile(r"(?<![\\*\w])\*(?=\w+[,)\]])")
TYPED = re.compile(r"^\s*[*\w][\w*, ]* : ")
QUOTE = re.compile(r"(?<!\\)([\"'])")


def protect_types(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Escape, in place, what reStructuredText would take for markup or typography."""
    for number, line in enumerate(lines):
        # Every other part lies between double backquotes and is shown as it is anyway.
        parts = line.split("``")
        parts[::2] = [STAR.sub(r"\*", part) for part in parts[::2]]
        if TYPED.match(parts[0]):
            parts[::2] = [QUOTE.sub(r"\\\1", part) for part in parts[::2]]
        lines[number] = "``".join(parts)


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    # Before numpydoc, which turns the docstring into reStructuredText at 500.
    app.connect("autodoc-process-docstring", protect_types, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
