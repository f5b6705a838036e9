"""Proofs that fold, and that have names of their own.

A proof is folded under its title, so that the line of thought stays in view; one that is to stay
open has `:class: unfolded`. sphinx-proof gives a proof no title, so that a fold has nothing to hang
on (the script of sphinx-togglebutton even fails). It also calls every proof of a page `proof` and
the body of every theorem `proof-content`, while an id must be unique.
"""

from docutils import nodes
from sphinx.application import Sphinx

OPENING = "Proof. "


def name_and_fold(app: Sphinx, doctree: nodes.document) -> None:
    """Fold the proofs of a page under titles, and give them numbered ids."""
    proofs = [node for node in doctree.findall(nodes.admonition) if node["ids"] == ["proof"]]
    for number, proof in enumerate(proofs, start=1):
        proof["ids"] = [f"proof-{number}"]
        if "unfolded" not in proof["classes"]:
            if "dropdown" not in proof["classes"]:
                proof["classes"].append("dropdown")
            drop_opening(proof)
            proof.insert(0, nodes.title("", "Proof"))
    bodies = [node for node in doctree.findall(nodes.section) if node["ids"] == ["proof-content"]]
    for number, body in enumerate(bodies, start=1):
        body["ids"] = [f"proof-content-{number}"]


def drop_opening(proof: nodes.admonition) -> None:
    """Take the words that the title says now from the beginning of the text."""
    text = next(iter(proof.findall(nodes.Text)), None)
    if text is not None and text.startswith(OPENING):
        text.parent.replace(text, nodes.Text(text.removeprefix(OPENING)))


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    app.connect("doctree-read", name_and_fold)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
