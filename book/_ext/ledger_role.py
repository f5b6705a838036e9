"""The role ``{claim}``: what a check measured, in running text.

- ``{claim}`thm1-rate``` links to the check, with its verdict as a mark;
- ``{claim}`thm1-rate:measured``` is the number, ``{claim}`thm1-rate:measured:.2f``` formatted.
"""

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from sphinx.util.nodes import make_refnode

from ntk.companion.claims.myst import MARKS, WORDS, anchor, has_bibliography, source_nodes
from ntk.companion.claims.numerals import typeset, typeset_within
from ntk.errors import InvalidValueError, NTKError, UnknownNameError

NUMBERS = ("measured", "predicted", "interval", "within")
TEXTS = ("verdict", "rule", "source", "statement")
LINK = "ntk-claim"
_logger = logging.getLogger(__name__)


class ClaimRole(SphinxRole):
    """Fill in a field of a claim, or link to it."""

    def run(self):
        """Return the nodes, or the mark of an error in their place."""
        claim, _, rest = self.text.strip().partition(":")
        field, _, spec = rest.partition(":")
        try:
            depend_on(self.env, claim)
            record = self.env.app.ledger[claim]
            return self.fill(record, field, spec), []
        except NTKError as error:
            text = f"role claim, '{self.text}': {error}"
            # Both: the page shows where it is, and -W fails whatever the reporter's threshold.
            _logger.warning(text, location=self.get_location(), type="ledger", subtype="role")
            message = self.inliner.reporter.error(text, line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]

    def fill(self, record, field, spec):
        """Return the nodes of one field."""
        if not field and ":" in self.text:
            raise InvalidValueError(f"no field after the colon; use one of {NUMBERS + TEXTS}")
        if not field:
            return [claim_link(record, self.env.docname, verdict=True)]
        if field in NUMBERS:
            return [number(record, field, spec)]
        if field not in TEXTS:
            raise UnknownNameError(
                f"unknown field '{field}'; use one of {', '.join(NUMBERS + TEXTS)}"
            )
        if spec:
            raise InvalidValueError(f"'{field}' is text and takes no format, got '{spec}'")
        if field == "statement":
            return self.parse(record.statement)
        if field == "source":
            return source_nodes(record.sources, self.parse, has_bibliography(self.env.app))
        rule = typeset_within(record.rule.describe())
        return [nodes.Text(record.verdict if field == "verdict" else rule)]

    def parse(self, text):
        """Return the nodes of a line of the page's own markup."""
        return self.inliner.parse(text, self.lineno, self.inliner, self.inliner.parent)[0]


def number(record, field, spec):
    """Return a recorded number, formatted, as a node."""
    value = getattr(record, field)
    if value is None:
        raise InvalidValueError(
            f"claim '{record.id}' has no {field}; its rule is '{record.rule.describe()}'"
        )
    try:
        text = typeset(value, spec or ".4g")
    except ValueError as error:
        raise InvalidValueError(f"bad format '{spec}': {error}; use one like .2f or .3g") from None
    if field == "interval":
        text = f"[{text}]"
    return nodes.inline("", text, classes=["ntk-number"])


def claim_link(record, docname, verdict):
    """Return a link to the check of a claim in its notebook."""
    label = nodes.literal("", record.id)
    content = nodes.inline("", "", label)
    if verdict:
        mark = f"\u00a0{MARKS[record.verdict]}"
        title = f"{WORDS[record.verdict]}"
        content += nodes.inline("", mark, classes=["ntk-mark"])
        content += nodes.inline("", f" ({title})", classes=["ntk-visually-hidden"])
        content["classes"] += [f"ntk-link-{record.verdict}"]
    target = {"reftype": LINK, "reftarget": anchor(record.id)}
    return pending_xref("", content, refdoc=docname, refwarn=True, **target)


def resolve_link(app, env, node, contnode):
    """Resolve the link to a check, keeping its content (a ``ref`` would flatten it to text)."""
    if node.get("reftype") != LINK:
        return None
    labels = env.get_domain("std").anonlabels
    if node["reftarget"] not in labels:
        return None  # a warning of Sphinx: the notebook hides the output
    docname, label = labels[node["reftarget"]]
    return make_refnode(app.builder, node["refdoc"], docname, label, contnode)


def depend_on(env, claim=None):
    """Have the current page read again when the notebook of a claim changes.

    Without a known claim it depends on every notebook, and on the table of contents.
    """
    ledger = env.app.ledger
    if claim in ledger:
        env.note_dependency(str(ledger.where(claim).notebook.resolve()))
        return
    env.note_dependency(str(env.app.ledger_toc.resolve()))
    for notebook in {entry.notebook for entry in ledger}:
        env.note_dependency(str(notebook.resolve()))
