"""The command `ntk`: the book's machinery, and what a bug report wants to know."""

import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from ntk.companion.runs.provenance import TOLD
from ntk.errors import MissingExtraError, NTKError

if TYPE_CHECKING:
    from typer import Typer

__all__ = ["application", "info", "main"]


def main() -> None:
    """Run the command line; an error meant for the user ends it with status 1, not a traceback."""
    try:
        application()()
    except NTKError as error:
        notes = getattr(error, "__notes__", [])
        print("\n".join([f"ntk: {error}", *notes]), file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from error


def application() -> "Typer":
    """Return the command line's commands.

    Raises
    ------
    MissingExtraError
        A package of the extra `book` is not installed.
    """
    try:
        import typer

        from ntk.companion.book import commands
        from ntk.companion.runs import commands as runs
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "ntk":
            raise
        raise MissingExtraError(
            f"the command line needs {error.name}, which is not installed; "
            "install the extra: pip install 'ntk-companion[book]'"
        ) from error

    app = typer.Typer(
        name="ntk", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    app.callback()(_about)
    app.command()(info)
    runs.add_to(app)
    app.add_typer(commands.app, name="book")
    return app


def info() -> None:
    """Print the versions and devices that results depend on."""
    import jax
    import jax.numpy as jnp

    import ntk

    lines = [
        f"{'ntk':<14} {ntk.__version__}",
        f"{'python':<14} {platform.python_version()} on {platform.platform()}",
    ]
    for name in TOLD:
        try:
            lines.append(f"{name:<14} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{name:<14} not installed")
    devices = ", ".join(
        f"{device.platform}:{device.id} ({device.device_kind})" for device in jax.devices()
    )
    lines += [f"{'devices':<14} {devices}", f"{'precision':<14} {jnp.result_type(float).name}"]
    print("\n".join(lines))  # noqa: T201


def _about() -> None:
    """The neural tangent kernel's companion: notebooks, claims and the site."""  # noqa: D401
