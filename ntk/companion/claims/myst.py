"""How the book's pages show the record of a claim: a box with an anchor, in place of the table."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from docutils import nodes  # type: ignore[import-untyped]

from ntk.companion.claims.numerals import typeset, typeset_within
from ntk.companion.claims.record import MIME, Record
from ntk.companion.claims.render import control_text, measured_text, rule_text, with_unit
from ntk.companion.claims.source import Source

MARKS = {"pass": "✓", "fail": "✗", "open": "○"}
"""A sign for each verdict; never shown without the word."""

WORDS = {"pass": "passes", "fail": "fails", "open": "open"}
"""The verdicts as words."""

Inline = Callable[[str], Sequence[nodes.Node]]
"""What turns a line of MyST text into nodes."""


class ClaimRenderer:
    """MyST-NB's renderer for records, by the entry point group ``myst_nb.mime_renderers``."""

    mime_priority_overrides: ClassVar[list[tuple[str, str, int | None]]] = [("*", MIME, 1)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """Return the nodes of a record, None for any other output.

        Parameters
        ----------
        renderer : myst_nb.core.render.NbElementRenderer
            The notebook's renderer; its own parser reads the statement.
        data : myst_nb.core.render.MimeData
            The output.
        inline : bool
            Whether inline nodes are wanted; a record is a block.

        Returns
        -------
        list of docutils nodes, or None
            One box.
        """
        if data.mime_type != MIME or inline:
            return None
        record = Record.from_json(dict(data.content))
        page = renderer.renderer

        def parse(text: str) -> list[nodes.Node]:
            holder = nodes.Element()
            with page.current_node_context(holder):
                page.nested_render_text(text, data.line or 0, inline=True)
            return list(holder.children)

        sphinx = getattr(page.sphinx_env, "app", None)
        box = claim_box(record, parse, cites=has_bibliography(sphinx))
        page.document.note_explicit_target(box)
        return [box]


def has_bibliography(app: Any) -> bool:
    """Whether this Sphinx run can resolve citations."""
    return app is not None and "sphinxcontrib.bibtex" in app.extensions


def anchor(claim: str) -> str:
    """Return the name of the place where a claim is checked, for links.

    Examples
    --------
    >>> anchor("thm1-rate")
    'claim-thm1-rate'
    """
    return f"claim-{claim}"


def without_html(text: str) -> str:
    """Escape what MyST would take for a tag, outside of formulas."""
    parts = text.split("$")
    parts[::2] = [part.replace("<", r"\<") for part in parts[::2]]
    return "$".join(parts)


def claim_box(record: Record, parse: Inline, cites: bool) -> nodes.admonition:
    """Return the box of a record: title, statement, and a table of what decided it."""
    name = anchor(record.id)
    box = nodes.admonition(
        ids=[name], names=[name], classes=["ntk-claim", f"ntk-claim-{record.verdict}"]
    )
    verdict = f" {MARKS[record.verdict]} {WORDS[record.verdict]}"
    box += nodes.title(
        "",
        "",
        nodes.Text("Claim "),
        nodes.literal("", record.id),
        nodes.inline("", verdict, classes=["ntk-verdict"]),
    )
    box += nodes.paragraph("", "", *parse(record.statement), classes=["ntk-statement"])
    rows = [
        ("Rule", [nodes.Text(typeset_within(rule_text(record)))]),
        ("Predicted", [nodes.Text(with_unit(record.predicted, record.numbers.unit, typeset))]),
        ("Measured", [nodes.Text(measured_text(record, typeset))]),
        ("Verdict", [nodes.Text(verdict.strip())]),
        ("Control", parse(without_html(control_text(record, typeset)))),
        ("Source", source_nodes(record.sources, parse, cites)),
    ]
    box += table([30, 70], None, [([[nodes.Text(n)], cell], []) for n, cell in rows], stub=True)
    return box


def table(
    widths: Sequence[int],
    head: Sequence[str] | None,
    rows: Iterable[tuple[Sequence[Sequence[nodes.Node]], Sequence[str]]],
    stub: bool = False,
) -> nodes.table:
    """Return a table of inline content; each row comes with its CSS classes."""
    group = nodes.tgroup(cols=len(widths))
    for i, width in enumerate(widths):
        group += nodes.colspec(colwidth=width, **({"stub": 1} if stub and i == 0 else {}))
    if head is not None:
        group += nodes.thead("", _row([[nodes.Text(name)] for name in head], []))
    group += nodes.tbody("", *(_row(cells, classes) for cells, classes in rows))
    return nodes.table("", group, classes=["ntk-claim-table"])


def source_nodes(sources: Sequence[Source], parse: Inline, cites: bool) -> list[nodes.Node]:
    """Return the sources; where there is a bibliography, each key becomes a link into it."""
    found: list[nodes.Node] = []
    for i, source in enumerate(sources):
        found += [nodes.Text("; ")] if i else []
        if source.cite and cites:
            found += [*parse(f"{{cite:t}}`{source.cite}`"), nodes.Text(source.rest)]
        else:
            found.append(nodes.Text(str(source)))
    return found


def _row(cells: Sequence[Sequence[nodes.Node]], classes: Sequence[str]) -> nodes.row:
    entries = [nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells]
    return nodes.row("", *entries, classes=list(classes))
