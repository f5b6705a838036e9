"""Each page of the site as a browser shows it: in both themes, on a desk and on a phone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.site.conftest import DESK, PHONE, address, listings, settle, written

# Rules about structure need one theme only; these look at colours.
COLOURS = ["color-contrast", "link-in-text-block"]

# What sticks out of the page to the right: an element, or a word that does not break.
WIDER = """() => {
  const out = [], width = document.documentElement.clientWidth;
  for (const element of document.querySelectorAll("article.bd-article, article.bd-article *")) {
    if (element.scrollWidth > element.clientWidth && element.clientWidth &&
        getComputedStyle(element).overflowX === "visible" &&
        element.getBoundingClientRect().left + element.scrollWidth > width + 1)
      out.push(`${element.tagName} ${element.className}: ${element.textContent.slice(0, 60)}`);
  }
  return out.slice(-3);
}"""

# Formulas and pieces of code that are wider than their place and do not scroll.
CUT = """() => [...document.querySelectorAll("main :is(.math, mjx-container, pre)")]
  .filter((element) => element.scrollWidth > element.clientWidth + 1 &&
                       ["hidden", "clip"].includes(getComputedStyle(element).overflowX))
  .map((element) => element.textContent.slice(0, 60))"""

# The drawn glyphs of formulas are hidden from readers, and thousands.
UNDRAWN = """() => document.querySelectorAll("mjx-math[aria-hidden]").forEach((e) => e.remove())"""

# Colours follow from the elements and classes around a text: one text of each kind is enough.
SAMPLE = """() => {
  const texts = [...document.body.querySelectorAll("*")].filter(
    (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const seen = new Set(), kept = new Set();
  const around = (element) => {
    const chain = [];
    for (let e = element; e; e = e.parentElement) chain.unshift(e);
    return chain;
  };
  for (const text of texts) {
    const chain = around(text);
    const kind = chain.map((e) =>
      `${e.tagName}.${e.className}.${e.getAttribute("style") ?? ""}`).join(">");
    if (seen.has(kind)) continue;
    seen.add(kind);
    chain.forEach((element) => kept.add(element));
  }
  texts.filter((text) => !kept.has(text)).forEach((text) => text.remove());
}"""


# Formulas of a line of their own that a reader has to scroll, though there is a whole desk of room.
SCROLLED = """() => [...document.querySelectorAll("main mjx-container[display]")]
  .filter((element) => element.clientWidth && element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.textContent.slice(0, 60))"""


@dataclass
class Visit:
    """A page that was opened, and what went wrong meanwhile."""

    name: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def axe(self, **options: object) -> list[str]:
        """Return what the accessibility checker holds to be serious or critical."""
        chosen = {"preload": False, "resultTypes": ["violations"], **options}
        found = self.page.evaluate("options => axe.run(document, options)", chosen)["violations"]
        return [
            f"{rule['id']} ({rule['impact']}): {node['target'][0]}: {node['failureSummary']}"
            for rule in found
            if rule["impact"] in {"serious", "critical"}
            for node in rule["nodes"]
        ]


@pytest.fixture(scope="module", params=written())
def visit(request: pytest.FixtureRequest, window: Page) -> Iterator[Visit]:
    """One page at a time; all tests of a page come one after another."""
    yield from opened(window, request.param)


def opened(window: Page, name: str) -> Iterator[Visit]:
    visit = Visit(name, window)
    listeners = {
        "console": lambda message: visit.complaints.extend(
            [message.text] if message.type == "error" else []
        ),
        "pageerror": lambda error: visit.complaints.append(str(error)),
        "requestfailed": lambda request: visit.complaints.append(f"failed: {request.url}"),
        "request": lambda request: visit.addresses.append(request.url),
        "websocket": lambda socket: visit.addresses.append(socket.url),
    }
    window.goto("about:blank")
    window.emulate_media(color_scheme="light")
    window.set_viewport_size(DESK)
    for event, listener in listeners.items():
        window.on(event, listener)
    window.goto(address(name))
    settle(window)
    yield visit
    for event, listener in listeners.items():
        window.remove_listener(event, listener)


def test_loads_without_errors_and_without_a_host(visit):
    assert visit.complaints == []
    assert visit.addresses
    local = ("file:", "data:", "blob:")
    assert [found for found in visit.addresses if not found.startswith(local)] == []


def test_formulas_are_set(visit):
    sources, formulas, wrong = visit.page.evaluate(
        """() => [".math", "mjx-container",
                  // A command that MathJax does not know is set in red.
                  "mjx-merror, [data-mjx-error], mtext[mathcolor='red']"].map(
             (selector) => document.querySelectorAll(`main ${selector}`).length)"""
    )
    assert wrong == 0
    assert (sources > 0) == (formulas > 0)
    assert formulas >= sources
    # What MathJax does not know to be a formula stays as it was typed.
    text = visit.page.evaluate(
        """() => { const copy = document.querySelector("main").cloneNode(true);
             copy.querySelectorAll("pre, code, script, mjx-container").forEach((n) => n.remove());
             return copy.textContent; }"""
    )
    assert re.findall(r"\$[^$\n]*[\\^_][^$\n]*\$|\\[(\[]", text) == []


def test_formulas_fit_on_a_desk(visit):
    # Folded ones too.
    visit.page.evaluate("document.querySelectorAll('button.toggle-button').forEach(b => b.click())")
    assert visit.page.evaluate(SCROLLED) == []


def test_pictures_are_there_and_have_a_text(visit):
    wrong = visit.page.evaluate(
        """() => [...document.images]
             .filter((image) => !image.naturalWidth || !image.alt.trim())
             .map((image) => image.outerHTML.slice(0, 120))"""
    )
    assert wrong == []


def test_no_wider_than_a_phone(visit):
    visit.page.set_viewport_size(PHONE)
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    told = visit.page.evaluate(WIDER)
    cut = visit.page.evaluate(CUT)
    visit.page.set_viewport_size(DESK)
    assert width <= PHONE["width"], told
    assert cut == []


def test_accessible_in_the_light(visit):
    # Colours that are still on their way are nobody's to judge.
    visit.page.add_style_tag(content="*, ::before, ::after { transition: none !important; }")
    visit.page.evaluate(UNDRAWN)
    visit.page.evaluate(AXE_SCRIPT)
    assert theme(visit.page) == "light"
    assert visit.axe(rules={rule: {"enabled": False} for rule in COLOURS}) == []
    visit.page.evaluate(SAMPLE)
    assert visit.axe(runOnly=COLOURS) == []


def test_accessible_in_the_dark(visit):
    visit.page.emulate_media(color_scheme="dark")
    visit.page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert visit.axe(runOnly=COLOURS) == []


def theme(page: Page) -> str:
    return page.evaluate("document.documentElement.dataset.theme")


def test_listings_of_code(window):
    names = listings()
    assert names
    # They have one template: each must load, and the longest names must fit; one is gone through.
    for name in names[:1] + sorted(names, key=len)[-2:]:
        for visit in opened(window, name):
            test_loads_without_errors_and_without_a_host(visit)
            test_no_wider_than_a_phone(visit)
            test_accessible_in_the_light(visit)
            test_accessible_in_the_dark(visit)
