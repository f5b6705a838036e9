"""Figures with a slider: by keyboard, in both themes, on a phone and on paper."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, expect

from tests.site.conftest import DESK, PHONE, address, settle

CHAPTER = "notebooks/01_kernels"


@pytest.fixture
def figure(page: Page) -> Locator:
    """The first such figure of a chapter, once it is drawn."""
    page.goto(address(CHAPTER))
    settle(page)
    found = page.locator("figure:has(.ntk-interactive)").first
    found.evaluate("element => element.scrollIntoView()")
    expect(found.locator(".ntk-interactive")).to_have_attribute("data-ready", "yes", timeout=60_000)
    return found


def heights(figure: Locator) -> list[list[float]]:
    """Return what the plot shows, curve by curve."""
    return figure.locator(".ntk-plot").evaluate("plot => plot.data.map((curve) => [...curve.y])")


def test_the_keyboard_moves_the_slider_and_the_plot(page, figure):
    slider, value = figure.get_by_role("slider"), figure.locator("output")
    before, told = heights(figure), value.inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(value).not_to_have_text(told)
    assert heights(figure) != before
    assert slider.get_attribute("aria-valuetext").endswith(f"= {value.inner_text()}")
    page.keyboard.press("ArrowLeft")
    assert heights(figure) == before
    page.keyboard.press("End")
    assert slider.input_value() == slider.get_attribute("max")


def test_the_plot_takes_the_place_of_its_picture_but_not_on_paper(page, figure):
    picture, plot = figure.locator("img"), figure.locator(".ntk-interactive")
    expect(picture).to_be_hidden()
    expect(figure.locator(".ntk-plot")).to_have_attribute(
        "aria-label", picture.get_attribute("alt")
    )
    page.emulate_media(media="print")
    expect(picture).to_be_visible()
    expect(plot).to_be_hidden()
    page.emulate_media(media="screen")


def test_without_a_script_there_is_the_picture(browser):
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(address(CHAPTER))
    expect(page.locator("figure:has(.ntk-interactive) img").first).to_be_visible()
    context.close()


def test_the_plot_is_inverted_in_the_dark_and_accessible_in_both_themes(page, figure):
    page.evaluate(AXE_SCRIPT)
    for theme, turned in (("light", "none"), ("dark", "invert(1) hue-rotate(180deg)")):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        assert figure.locator(".ntk-plot").evaluate("e => getComputedStyle(e).filter") == turned
        options = {"preload": False, "resultTypes": ["violations"]}
        found = page.evaluate("options => axe.run('.ntk-interactive', options)", options)
        assert [rule["id"] for rule in found["violations"]] == []


def test_the_plot_fits_a_phone(page, figure):
    page.set_viewport_size(PHONE)
    page.wait_for_function(
        "document.querySelector('.ntk-plot').getBoundingClientRect().width < 390"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert figure.get_by_role("slider").bounding_box()["height"] >= 24  # for a finger
