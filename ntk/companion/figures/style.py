"""One matplotlib style for every figure, and PNG bytes that depend on the figure alone."""

import sys
from typing import Any

import matplotlib as mpl
from cycler import cycler

# Okabe and Ito's palette, told apart with every common kind of colour blindness, in the order of
# contrast with a white page. Black is kept for theory; yellow is too pale for a marker.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# Shape repeats what colour says, for grey prints.
MARKERS = ("o", "s", "^", "D", "v", "P")

# The column is 700 CSS pixels wide: 7 inches, 100 pixels each, so that a font size in points is
# 1.4 times as many CSS pixels. The resolution is higher for dense screens.
_STYLE: Any = {
    "figure.figsize": (7.0, 4.0),
    "figure.dpi": 144,
    "figure.constrained_layout.use": True,
    # Transparent, so that the page's background shows: see book/_static/figures.css.
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.dpi": "figure",
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.axisbelow": True,
    # 0.001 ... 9000 in plain digits: widths are read as numbers, and labels do not collide.
    "axes.formatter.min_exponent": 4,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "mathtext.fontset": "dejavusans",
    "grid.color": "#808080",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "errorbar.capsize": 2.5,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "image.interpolation": "nearest",
}


def use() -> None:
    """Set the book's figure style for the rest of the session.

    Start from matplotlib's defaults (a user's own configuration does not leak into the book), with
    a transparent background, a colour-blind-safe palette, fonts that ship with matplotlib and a
    size for a column of 700 pixels. In a notebook, inline PNGs come out at exactly this size and
    without the name of the software, so that the same figure is the same bytes.

    Examples
    --------
    >>> from ntk.companion import figures
    >>> figures.use()
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> fig.get_size_inches().tolist()
    [7.0, 4.0]
    >>> plt.close(fig)
    """
    mpl.rcdefaults()  # leaves the backend alone
    mpl.rcParams.update(_STYLE)
    _configure_inline_backend()


def _configure_inline_backend() -> None:
    """Make a notebook's PNGs reproducible; do nothing outside of one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    from IPython.core.pylabtools import select_figure_formats
    from matplotlib_inline.config import InlineBackend

    config: Any = InlineBackend.instance(parent=shell)
    # bbox_inches: the default "tight" would give every figure another width.
    config.print_figure_kwargs = {"bbox_inches": None, "metadata": {"Software": None}}
    # The formats may have been chosen already, with the options of before.
    select_figure_formats(shell, config.figure_formats, **config.print_figure_kwargs)
