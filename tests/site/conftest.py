"""A browser, and the pages of the built site in it, opened from file:// as a reader may."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from ntk.companion.book.project import Project
from ntk.companion.book.site import toc_entries
from ntk.companion.book.staleness import Stamps, site_key

PROJECT = Project(Path(__file__).resolve().parent.parent.parent)
NAMES = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def browser_path() -> str | None:
    """Return the browser to use: the one named by NTK_CHROMIUM, or the first on the path."""
    named = os.environ.get("NTK_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def address(name: str) -> str:
    """Return the address of a page, without a server."""
    path = PROJECT.html / f"{name}.html"
    # A browser would show a page of its own instead, and go on.
    assert path.is_file(), f"the site has no page {name}"
    return path.as_uri()


def written() -> list[str]:
    """Return the pages that are written or generated one by one: all but the listings of code."""
    return [*toc_entries(PROJECT), "genindex", "py-modindex", "search"]


def listings() -> list[str]:
    """Return the pages with the package's code, which are all made alike."""
    folder = PROJECT.html / "_modules"
    paths = [path.relative_to(PROJECT.html) for path in folder.rglob("*.html")]
    return sorted(path.with_suffix("").as_posix() for path in paths)


def settle(page: Page) -> None:
    """Wait until the scripts of a page have run and its formulas are set."""
    page.wait_for_function("document.documentElement.dataset.theme !== undefined")
    page.evaluate("async () => { if (window.MathJax?.startup) await MathJax.startup.promise; }")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for one module of tests: its event loop must not outlive them."""
    if not Stamps(PROJECT.build / "stamps").fresh("site", site_key(PROJECT)):
        message = "the site is not built from the present sources: run `make book`"
        (pytest.fail if os.environ.get("NTK_REQUIRE_SITE") else pytest.skip)(message)
    path = browser_path()
    if path is None:
        message = (
            f"no browser: NTK_CHROMIUM names none, and none of {', '.join(NAMES)} is on the path; "
            "on Debian or Ubuntu: apt-get install chromium"
        )
        required = os.environ.get("NTK_REQUIRE_BROWSER", "") not in {"", "0"}
        (pytest.fail if required else pytest.skip)(message)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """A window for one module of tests: opening one costs more than most of the tests do."""
    context = browser.new_context(viewport=DESK, color_scheme="light")
    yield context.new_page()
    context.close()


@pytest.fixture
def page(window: Page) -> Page:
    """The window as a reader has it who has no history here and prefers light."""
    window.goto(address("search"))
    window.evaluate("localStorage.clear()")
    window.goto("about:blank")
    window.emulate_media(color_scheme="light")
    window.set_viewport_size(DESK)
    return window
