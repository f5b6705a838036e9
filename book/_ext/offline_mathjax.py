"""Formulas without a request to another host: MathJax is copied from a package into the site.

The package `sphinx-mathjax-offline` holds all of MathJax, 24 MB. The site needs one script, which
contains every TeX extension already, and its fonts: 1.7 MB.
"""

from importlib.util import find_spec
from pathlib import Path
from shutil import copy2

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

SCRIPT = "tex-chtml-full.js"
# The script looks for the fonts here, relative to itself; this works from file:// too.
FONTS = "output/chtml/fonts/woff-v2"


def mathjax_folder() -> Path:
    """Return the folder of the installed package that holds MathJax."""
    # The name has hyphens and cannot be imported.
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise ExtensionError(
            "sphinx-mathjax-offline is not installed: pip install 'ntk-companion[book]'"
        )
    return Path(spec.origin).parent / "static" / "mathjax"


def use_local_script(app: Sphinx, config: Config) -> None:
    """Point Sphinx's own MathJax extension at the copy in the site."""
    config.mathjax_path = f"mathjax/{SCRIPT}"


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy the script and its fonts beside the pages."""
    if error is not None or app.builder.format != "html":
        return
    source, target = mathjax_folder(), Path(app.outdir) / "_static" / "mathjax"
    for path in [source / SCRIPT, *sorted((source / FONTS).glob("*.woff"))]:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy2(path, copy)


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    app.connect("config-inited", use_local_script)
    app.connect("build-finished", copy_mathjax)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
