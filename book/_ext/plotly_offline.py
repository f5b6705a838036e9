"""Figures with a slider without a request to another host: Plotly's script comes from its package.

It is copied into the site once, and pages without such a figure never ask for it. Without scripts,
and on paper, a page shows the static twin, which stands beside the figure's data.
"""

from importlib.util import find_spec
from pathlib import Path
from shutil import copy2

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from ntk.companion.figures.myst import CLASS
from ntk.companion.figures.plot import MIME

_MARKER = "ntk_interactive"
_PICTURE = "image/png"
_logger = logging.getLogger(__name__)


class TwinBeside(SphinxPostTransform):
    """Put the picture of an output into the figure of the same output.

    MyST-NB keeps all forms of an output until it knows the builder, and then takes one of them.
    """

    default_priority = 3  # before MyST-NB chooses
    formats = ("html",)

    def run(self, **kwargs):  # noqa: ARG002 (Sphinx decides)
        """Run the transform."""
        for bundle in self.document.findall(nodes.container):
            forms = {
                node.get("mime_type"): node
                for node in bundle.children
                if bundle.get("nb_element") == "mime_bundle" and isinstance(node, nodes.container)
            }
            if MIME not in forms:
                continue
            picture = forms.get(_PICTURE)
            if picture is None:
                _logger.warning(
                    "a figure with a slider has no picture for paper: make it with "
                    "ntk.companion.figures.interactive",
                    location=bundle,
                    type="plotly_offline",
                )
                continue
            children = list(picture.children)
            picture.clear()
            forms[MIME][0:0] = children


def plotly_script() -> Path:
    """Return Plotly's script in the installed package, which need not be imported for that."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise ExtensionError("plotly is not installed: pip install 'ntk-companion[book]'")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


def note_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Remember which pages have such a figure."""
    if any(node.get("ntk_figure") == CLASS for node in doctree.findall(nodes.raw)):
        app.env.metadata[app.env.docname][_MARKER] = "yes"


def add_script(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object
) -> None:
    """Load the script that draws the figures on the pages that have one, and only there."""
    if _MARKER in app.env.metadata.get(pagename, {}):
        app.add_js_file("interactive.js", loading_method="defer")


def copy_plotly(app: Sphinx, error: Exception | None) -> None:
    """Copy Plotly's script beside the pages if one of them has a figure."""
    used = any(_MARKER in metadata for metadata in app.env.metadata.values())
    if error is None and used and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "plotly"
        target.mkdir(parents=True, exist_ok=True)
        copy2(plotly_script(), target)


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    app.add_post_transform(TwinBeside)
    app.connect("doctree-read", note_figures)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", copy_plotly)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
