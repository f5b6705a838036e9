"""Pages without a trace of scripts that would come from another host.

Jupyter Book loads the extension sphinx-thebe whether or not cells can be run in the page, and with
it the address of a script elsewhere. Nothing here uses it.
"""

from typing import Any

from sphinx.application import Sphinx

UNUSED = "thebe"


def drop_unused(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Take the unused scripts and styles out of a page's head."""
    for key in ("script_files", "css_files"):
        context[key] = [file for file in context[key] if not _unused(file)]


def _unused(file: Any) -> bool:
    told = [
        str(file),
        str(getattr(file, "filename", "")),
        *getattr(file, "attributes", {}).values(),
    ]
    return any(UNUSED in str(text).lower() for text in told)


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    # After the other extensions, which add their files to each page.
    app.connect("html-page-context", drop_unused, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
