"""Sphinx extension: the claims ledger on the pages of the book.

It reads the committed notebooks that the table of contents names, once for each build, and gives

- the role ``{claim}``: a computed number, or a link to the check (`ledger_role`);
- the directive ``{claims-table}``: all claims, with a filter (`ledger_table`).

An unknown id, field or format is an error of the page; a claim that does not stand is a warning.
"""

from pathlib import Path

import yaml
from ledger_role import ClaimRole, resolve_link
from ledger_table import ClaimsTable, add_filter
from sphinx.errors import ExtensionError
from sphinx.util import logging

from ntk.companion import claims
from ntk.errors import NTKError

_STATIC = Path(__file__).resolve().parent.parent / "_static"
_logger = logging.getLogger(__name__)


def setup(app):
    """Register role, directive and static files."""
    app.connect("builder-inited", read_ledger)
    app.connect("missing-reference", resolve_link)
    app.connect("html-page-context", add_filter)
    app.add_role("claim", ClaimRole())
    app.add_directive("claims-table", ClaimsTable)
    app.add_css_file("claims.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def read_ledger(app):
    """Read the notebooks and keep the ledger on the application for role and directive."""
    static = app.config.html_static_path
    if all(Path(app.confdir, path).resolve() != _STATIC for path in static):
        static.append(str(_STATIC))
    app.ledger_toc = Path(app.srcdir, getattr(app.config, "external_toc_path", "_toc.yml"))
    try:
        app.ledger = claims.read(notebooks(app.ledger_toc))
    except NTKError as error:
        raise ExtensionError(f"claims ledger: {error}") from error
    for entry in app.ledger:
        for reason in entry.record.shortcomings():
            _logger.warning(
                "claim '%s' does not stand: %s",
                entry.record.id,
                reason,
                location=str(entry.notebook),
                type="ledger",
                subtype="claim",
            )


def notebooks(toc):
    """Return the notebooks that a table of contents names, in its order."""
    try:
        tree = yaml.safe_load(toc.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ExtensionError(f"claims ledger: cannot read {toc}: {error}") from error
    found = []
    for name in _files(tree):
        path = toc.parent / name
        candidates = [path] if path.suffix == ".ipynb" else [Path(f"{path}.ipynb")]
        found += [p for p in candidates if p.is_file() and p not in found]
    return found


def _files(tree):
    """Yield every ``root`` and ``file`` of a table of contents, depth first."""
    if isinstance(tree, list):
        for branch in tree:
            yield from _files(branch)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("root", "file") and isinstance(value, str):
                yield value
            else:
                yield from _files(value)
