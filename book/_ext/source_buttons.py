"""Buttons to the source, to its issues and to Binder: there once the repository has an address.

The address is one setting, `repository: url` in `_config.yml`. The theme fails if the buttons are
asked for without it, and would make a button to Binder that leads nowhere.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

BUTTONS = ("use_repository_button", "use_issues_button")


def show_buttons(app: Sphinx, config: Config) -> None:
    """Turn the buttons on if there is something that they can lead to."""
    options: dict[str, Any] = config.html_theme_options
    known = bool(options.get("repository_url"))
    options |= dict.fromkeys(BUTTONS, known)
    if not known:
        options["launch_buttons"] = {}


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    app.connect("config-inited", show_buttons)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
