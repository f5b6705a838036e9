"""The directive ``{claims-table}``: every claim of the ledger in one table, with a filter."""

from html import escape

from docutils import nodes
from ledger_role import claim_link, depend_on
from sphinx.util.docutils import SphinxDirective

from ntk.companion.claims.myst import (
    MARKS,
    WORDS,
    has_bibliography,
    source_nodes,
    table,
    without_html,
)
from ntk.companion.claims.numerals import typeset, typeset_within
from ntk.companion.claims.render import control_text, measured_text, rule_text, with_unit

HEAD = ("Chapter", "Claim", "Rule", "Predicted", "Measured", "Verdict")
WIDTHS = (7, 40, 18, 12, 15, 8)
_MARKER = "ntk_claims_table"


class ClaimsTable(SphinxDirective):
    """All claims; the filter is drawn by ``claims.js`` and hidden without it."""

    def run(self):
        """Return the filter's form and the table."""
        depend_on(self.env)
        self.env.metadata[self.env.docname][_MARKER] = True
        ledger = self.env.app.ledger
        rows = [(self.cells(entry), classes(entry)) for entry in ledger]
        whole = table(WIDTHS, HEAD, rows)
        whole["classes"] += ["ntk-claims"]
        whole["ids"] += ["ntk-claims"]
        return [nodes.raw("", filter_form(ledger), format="html"), whole]

    def cells(self, entry):
        """Return the cells of a claim's row."""
        record = entry.record
        sources = source_nodes(record.sources, self.parse, has_bibliography(self.env.app))
        control = f"Control: {control_text(record, typeset)}"
        claim = [
            claim_link(record, self.env.docname, verdict=False),
            nodes.inline("", "", *self.parse(record.statement), classes=["ntk-statement"]),
            nodes.inline("", "", *self.parse(without_html(control)), classes=["ntk-control"]),
            nodes.inline("", "", *sources, classes=["ntk-source"]),
        ]
        texts = (
            typeset_within(rule_text(record)),
            with_unit(record.predicted, record.numbers.unit, typeset),
            measured_text(record, typeset),
            f"{MARKS[record.verdict]} {WORDS[record.verdict]}",
        )
        return [[nodes.Text(entry.chapter)], claim, *([nodes.Text(text)] for text in texts)]

    def parse(self, text):
        """Return the nodes of a line of the page's own markup."""
        return self.state.inline_text(text, self.lineno)[0]


def classes(entry):
    """Return what a row is filtered by."""
    return [
        f"ntk-chapter-{entry.chapter}",
        f"ntk-verdict-{entry.record.verdict}",
        *(f"ntk-source-{key}" for key, _ in papers(entry.record)),
    ]


def papers(record):
    """Return key and name of every source: papers, seeds, or "other" for plain texts."""
    found = {}
    for source in record.sources:
        if source.cite:
            found[nodes.make_id(source.cite)] = source.name
        found |= {nodes.make_id(f"seed-{seed}"): f"Seed {seed}" for seed in source.seeds}
    return list(found.items()) or [("other", "Other")]


def filter_form(ledger):
    """Return the form with its three selects and the line that counts."""
    chapters = [(c, f"Chapter {c}" if c else "No chapter") for c in ledger.by_chapter()]
    names = sorted(dict(p for e in ledger for p in papers(e.record)).items(), key=lambda p: p[1])
    held = {entry.record.verdict for entry in ledger}
    verdicts = [(v, word) for v, word in WORDS.items() if v in held]
    selects = "\n".join(
        f'<span><label for="ntk-filter-{name}">{label}</label>\n'
        f'<select id="ntk-filter-{name}" data-filter="{name}">\n<option value="">All</option>\n'
        + "\n".join(f'<option value="{escape(v)}">{escape(text)}</option>' for v, text in options)
        + "\n</select></span>"
        for name, label, options in (
            ("chapter", "Chapter", chapters),
            ("source", "Source", names),
            ("verdict", "Verdict", verdicts),
        )
    )
    # The count is right as it stands, for readers without JavaScript.
    count = f"{len(ledger)} claim{'s' * (len(ledger) != 1)}."
    return (
        f'<form class="ntk-filter" id="ntk-filter" hidden>\n{selects}\n</form>\n'
        f'<p class="ntk-count" id="ntk-count" role="status" aria-live="polite">{count}</p>'
    )


def add_filter(app, pagename, templatename, context, doctree):
    """Load the filter's script on the pages that have the table, and only there."""
    if _MARKER in app.env.metadata.get(pagename, {}):
        app.add_js_file("claims.js", loading_method="defer")
