"""The look of the book's figures: theory black, experiment coloured, legible in both themes.

A notebook calls :func:`use` once and then draws with matplotlib as usual, with :func:`theory`,
:func:`experiment` and :func:`slope_guide` for the three kinds of curve that it needs again and
again, :func:`image_grid` for pictures, and :func:`interactive` where a parameter is worth turning.
"""

from ntk.errors import MissingExtraError

try:
    import matplotlib as mpl  # noqa: F401  (if it is missing, say so before a submodule fails)
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "ntk.companion.figures needs matplotlib, which is not installed; "
        "install the extra: pip install 'ntk-companion[book]'"
    ) from error

from ntk.companion.figures.curves import experiment, theory
from ntk.companion.figures.interactive import Interactive, interactive
from ntk.companion.figures.panel import Panel
from ntk.companion.figures.pictures import image_grid
from ntk.companion.figures.scaling import scaling_axes, slope_guide
from ntk.companion.figures.style import COLOURS, MARKERS, use

__all__ = [
    "COLOURS",
    "MARKERS",
    "Interactive",
    "Panel",
    "experiment",
    "image_grid",
    "interactive",
    "scaling_axes",
    "slope_guide",
    "theory",
    "use",
]
