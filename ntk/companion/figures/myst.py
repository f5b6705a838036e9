"""How the book's pages show a figure with a slider: its data, for a script that draws it."""

import json
from typing import Any, ClassVar

from docutils import nodes  # type: ignore[import-untyped]

from ntk.companion.figures.plot import MIME

CLASS = "ntk-interactive"
"""The class of the element that holds the data, for the script and the styles."""


class FigureRenderer:
    """MyST-NB's renderer for Plotly figures, by the entry point ``myst_nb.mime_renderers``."""

    # Elsewhere, in LaTeX for one, the picture beside it is taken.
    mime_priority_overrides: ClassVar[list[tuple[str, str, int | None]]] = [
        (builder, MIME, 1) for builder in ("html", "dirhtml", "singlehtml")
    ]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """Return the node that holds a figure, None for any other output.

        Parameters
        ----------
        renderer : myst_nb.core.render.NbElementRenderer
            The notebook's renderer.
        data : myst_nb.core.render.MimeData
            The output.
        inline : bool
            Whether inline nodes are wanted; a figure is a block.

        Returns
        -------
        list of docutils nodes, or None
            One piece of HTML; the extension `plotly_offline` puts the static twin beside it.
        """
        del renderer
        if data.mime_type != MIME or inline:
            return None
        # Nothing in a text may end the element that it stands in.
        text = json.dumps(data.content, separators=(",", ":"), sort_keys=True).replace(
            "<", "\\u003c"
        )
        html = f'<div class="{CLASS}"><script type="application/json">{text}</script></div>'
        # Not as a class, for which docutils would put one more element around it.
        return [nodes.raw("", html, format="html", ntk_figure=CLASS)]
