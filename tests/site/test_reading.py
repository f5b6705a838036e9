"""What a reader does with the site: searches, filters, changes the theme, unfolds."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from ntk.companion.book.site import toc_entries
from tests.site.conftest import PHONE, PROJECT, address, settle

CHAPTER = "notebooks/02_gradient_flow"
FOLDED = "notebooks/04_ntk_recursion"


def visit(page: Page, name: str) -> None:
    page.goto(address(name))
    settle(page)


# --- search ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "found"),
    [("Jacobian", CHAPTER), ("Fashion-MNIST", "notebooks/00_quickstart"), ("Arora", "notation")],
)
def test_the_search_finds(page, word, found):
    visit(page, "book/intro")
    page.get_by_role("button", name="Search").first.click()
    field = page.locator(
        "dialog[open] input[type=search], .search-button__wrapper.show input"
    ).first
    field.fill(word)
    field.press("Enter")
    expect(page.locator(f'#search-results a[href*="{found}"]').first).to_be_visible()


def test_the_search_says_that_there_is_nothing(page):
    page.goto(f"{address('search')}?q=xyzzyquux")
    expect(page.locator("#search-results")).to_contain_text("did not match")
    expect(page.locator("#search-results ul.search li")).to_have_count(0)


# --- claims ---------------------------------------------------------------------------------------


def stored_claims() -> list[dict]:
    """Return the records in the notebooks, read without the code that made the page."""
    found = []
    for entry in toc_entries(PROJECT):
        path = PROJECT.root / f"{entry}.ipynb"
        if path.is_file():
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                for output in cell.get("outputs", []):
                    record = output.get("data", {}).get("application/vnd.ntk.claim+json")
                    if record:
                        found.append(record | {"chapter": path.name[:2]})
    return found


def shown(page: Page) -> set[str]:
    """Return the ids of the claims that are to be seen."""
    return set(
        page.locator("table.ntk-claims tbody tr:visible td:nth-of-type(2) code").all_inner_texts()
    )


def ids(**wanted: str) -> set[str]:
    """Return the ids of the stored claims with these fields."""
    return {
        record["id"]
        for record in stored_claims()
        if all(record[name] == value for name, value in wanted.items())
    }


def test_the_filter_counts_all(page):
    visit(page, "book/claims")
    assert len(shown(page)) == len(stored_claims()) >= 30
    assert shown(page) == ids()
    expect(page.locator("#ntk-count")).to_have_text(f"All {len(ids())} claims.")


@pytest.mark.parametrize("chapter", ["00", "02"])
def test_the_filter_by_chapter(page, chapter):
    visit(page, "book/claims")
    page.get_by_label("Chapter", exact=True).select_option(chapter)
    assert shown(page) == ids(chapter=chapter) < ids()
    expect(page.locator("#ntk-count")).to_have_text(
        f"{len(ids(chapter=chapter))} of {len(ids())} claims."
    )


@pytest.mark.parametrize("verdict", ["pass", "open"])
def test_the_filter_by_verdict(page, verdict):
    visit(page, "book/claims")
    page.get_by_label("Verdict", exact=True).select_option(verdict)
    assert set() < shown(page) == ids(verdict=verdict) < ids()


def test_the_filter_by_source_together_with_others(page):
    visit(page, "book/claims")
    page.get_by_label("Source", exact=True).select_option("seed-s4")
    assert "linear-ode-solution" in shown(page)
    assert "test-point-ode" not in shown(page)
    page.get_by_label("Chapter", exact=True).select_option("00")
    assert set() < shown(page) < ids(chapter="00")
    page.get_by_label("Verdict", exact=True).select_option("open")
    assert shown(page) == set()
    expect(page.locator("#ntk-count")).to_have_text(f"0 of {len(ids())} claims.")


def test_a_claim_leads_to_its_check(page):
    visit(page, "book/claims")
    page.locator("table.ntk-claims a", has_text="linear-ode-solution").first.click()
    page.wait_for_url(f"**/{CHAPTER}.html#*")
    box = page.locator(":target")
    expect(box).to_contain_text("linear-ode-solution")
    expect(box).to_be_in_viewport()


def test_the_claims_are_cards_on_a_phone(page):
    page.set_viewport_size(PHONE)
    visit(page, "book/claims")
    row = page.locator("table.ntk-claims tbody tr").first
    for cell in row.locator("td").all():
        box = cell.bounding_box()
        assert box is not None
        assert box["width"] > 250


@pytest.mark.parametrize("width", [1200, 1280, 1920])
def test_the_claims_table_fits_and_keeps_words_whole(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    visit(page, "book/claims")
    table = page.locator("table.ntk-claims")
    box = table.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width
    # Nor does anything around it cut it off.
    assert table.evaluate("e => e.parentElement.scrollWidth <= e.parentElement.clientWidth + 1")
    # The longest word of a rule is nine letters long.
    for cell in table.locator("tbody tr:first-child td").all()[2:5]:
        assert cell.evaluate("e => e.clientWidth") >= 70


# --- theme ----------------------------------------------------------------------------------------


def theme(page: Page) -> str:
    return page.evaluate("document.documentElement.dataset.theme")


def test_the_theme_toggles_and_stays(page):
    visit(page, "book/intro")
    assert theme(page) == "light"
    seen = []
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        seen.append((page.evaluate("document.documentElement.dataset.mode"), theme(page)))
    assert {mode for mode, _ in seen} == {"light", "dark", "auto"}
    assert {shade for _, shade in seen} == {"light", "dark"}
    while theme(page) != "dark":
        page.locator("button.theme-switch-button:visible").first.click()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, background.removeprefix("rgb(").removesuffix(")").split(","))) < 60
    page.reload()
    assert theme(page) == "dark"
    visit(page, CHAPTER)
    assert theme(page) == "dark"


def test_figures_are_inverted_in_the_dark_and_photographs_are_not(page):
    page.emulate_media(color_scheme="dark")
    visit(page, "notebooks/00_quickstart")
    assert theme(page) == "dark"
    filters = page.evaluate(
        """() => [...document.querySelectorAll("div.cell_output img")].map((image) =>
             [Boolean(image.closest(".photograph")), getComputedStyle(image).filter])"""
    )
    assert {bool(photograph) for photograph, _ in filters} == {True, False}
    for photograph, filtered in filters:
        assert filtered == ("none" if photograph else "invert(1) hue-rotate(180deg)")


# --- folds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["solution", "proof"])
def test_folds_open_and_close(page, kind):
    visit(page, FOLDED)
    fold = page.locator(FOLDS[kind]).first
    button = fold.locator("summary, button.toggle-button").first
    body = fold.locator("p:not(.admonition-title), mjx-container").last
    expect(body).to_be_hidden()
    for state in (True, False):
        fold.locator("summary, .admonition-title").first.click()
        expect(body).to_be_visible(visible=state)
    for key in ("Enter", "Space"):
        for state in (True, False):
            button.focus()
            page.keyboard.press(key)
            expect(body).to_be_visible(visible=state)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


# --- what is wider than a phone ----------------------------------------------------------------


def test_what_goes_on_fades_until_its_end_is_seen(page):
    page.set_viewport_size(PHONE)
    visit(page, FOLDED)
    wide = page.locator("main pre.ntk-goes-on").first
    assert "linear-gradient" in wide.evaluate("e => getComputedStyle(e).maskImage")
    wide.evaluate("e => { e.id = 'wide'; e.scrollLeft = e.scrollWidth; }")
    expect(page.locator("#wide")).not_to_have_class(re.compile("ntk-goes-on"))
    # What is whole does not fade: the formulas of a line, all but a few.
    formulas = page.locator("main span.math")
    faded = page.locator("main span.math.ntk-goes-on")
    assert 0 < faded.count() < formulas.count() / 10
    assert page.locator("main mjx-container[display].ntk-goes-on").count() > 0


FOLDS = {"solution": ".admonition.dropdown:not(.proof)", "proof": ".proof.dropdown"}


def test_every_fold_has_a_way_in(page):
    visit(page, FOLDED)
    folds = page.locator(".admonition.dropdown")
    assert folds.count() >= 4
    for fold in folds.all():
        assert fold.locator("summary, button.toggle-button").count() == 1
