"""The built site: whole, self-contained, and every link and picture in order."""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from ntk.companion.book.project import Project
from ntk.companion.book.site import missing_pages, toc_entries
from ntk.companion.book.staleness import Stamps, site_key

PROJECT = Project(Path(__file__).resolve().parent.parent)
HTML = PROJECT.html

# What a browser fetches by itself to show a page; a plain link is followed by the reader only.
FETCHED = [
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("img", "srcset"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("object", "data"),
    ("embed", "src"),
    ("input", "src"),
    ("image", "href"),
    ("use", "href"),
]


@pytest.fixture(autouse=True, scope="module")
def built() -> None:
    """Skip where the site was not built, or from other sources; `make test` builds it first."""
    if Stamps(PROJECT.build / "stamps").fresh("site", site_key(PROJECT)):
        return
    message = "the site is not built from the present sources: run `make book`"
    if os.environ.get("NTK_REQUIRE_SITE"):
        pytest.fail(message)
    pytest.skip(message)


def pages() -> list[Path]:
    """Return the site's pages."""
    return sorted(path for path in HTML.rglob("*.html") if "_static" not in path.parts)


@cache
def parsed(path: Path) -> BeautifulSoup:
    """Return a page as a tree."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def elements(path: Path) -> dict[str, list[Tag]]:
    """Return the elements of a page by their names, and all of them by a star."""
    found: dict[str, list[Tag]] = {"*": list(parsed(path).find_all(True))}
    for tag in found["*"]:
        found.setdefault(tag.name, []).append(tag)
    return found


@cache
def anchors(path: Path) -> set[str]:
    """Return the places of a page that a link can name."""
    return {
        str(tag[key]) for tag in elements(path)["*"] for key in ("id", "name") if tag.has_attr(key)
    }


def every(name: str, has: str = "") -> Iterator[tuple[str, Tag]]:
    """Yield every element of a kind that has some attribute, with the name of its page."""
    for page in pages():
        for tag in elements(page).get(name, ()):
            if not has or tag.has_attr(has):
                yield page.relative_to(HTML).as_posix(), tag


def external(address: str) -> bool:
    """Say whether an address leads to a host."""
    return urlsplit(address).scheme in {"http", "https", "ftp"} or address.startswith("//")


def test_each_entry_of_the_contents_has_its_page():
    assert missing_pages(PROJECT) == []
    assert len(toc_entries(PROJECT)) >= 10


def test_the_front_page_leads_into_the_book():
    assert "book/intro.html" in (HTML / "index.html").read_text(encoding="utf-8")


def test_no_page_fetches_from_another_host():
    found = [
        f"{page}: {tag[key]}"
        for name, key in FETCHED
        for page, tag in every(name, key)
        if external(str(tag[key])) and "canonical" not in tag.get("rel", [])
    ]
    assert found == [], "\n".join(found)


def test_no_script_in_a_page_names_another_host():
    found = [
        f"{page}: {match.group()}"
        for page, tag in every("script")
        if (match := re.search(r"https?://[^\s\"']+", tag.get_text()))
    ]
    assert found == [], "\n".join(found)


def test_no_style_fetches_from_another_host():
    fetched = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')]+)")
    sheets = [(path.name, path.read_text(encoding="utf-8")) for path in HTML.rglob("*.css")]
    inline = [(page, tag.get_text()) for page, tag in every("style")]
    inline += [(page, str(tag["style"])) for page, tag in every("*", "style")]
    assert sheets
    assert [
        f"{name}: {hit}" for name, text in [*sheets, *inline] for hit in fetched.findall(text)
    ] == []


def test_everything_that_a_page_fetches_is_there():
    found = []
    for name, key in FETCHED:
        for page, tag in every(name, key):
            address = urlsplit(str(tag[key]))
            if address.scheme or not address.path or "srcset" in key:
                continue
            if not ((HTML / page).parent / unquote(address.path)).resolve().is_file():
                found.append(f"{page}: {address.path}")
    assert found == [], "\n".join(found)


def test_formulas_have_their_script_and_fonts():
    math = [page for page in pages() if parsed(page).select(".math")]
    assert math
    for page in math:
        scripts = [str(tag.get("src", "")) for tag in elements(page)["script"]]
        assert any("mathjax/tex-chtml-full.js" in script for script in scripts), page
    fonts = HTML / "_static" / "mathjax" / "output" / "chtml" / "fonts" / "woff-v2"
    assert (fonts / "MathJax_Main-Regular.woff").is_file()


def test_every_picture_has_a_text():
    found = [
        f"{page}: {str(tag)[:120]}"
        for page, tag in every("img")
        if not str(tag.get("alt", "")).strip()
        or str(tag["alt"]).strip() == str(tag.get("src", "")).strip()
        or re.fullmatch(r"(?:\.\./)*_images/\S+", str(tag["alt"]).strip())
    ]
    assert found == [], "\n".join(found)


def test_every_link_within_the_site_leads_somewhere():
    found = []
    for page, tag in every("a", "href"):
        address = urlsplit(str(tag["href"]))
        if address.scheme or address.netloc:
            continue
        target = (HTML / page).parent / unquote(address.path) if address.path else HTML / page
        target = target.resolve()
        if not target.is_file():
            found.append(f"{page}: {tag['href']} leads nowhere")
        elif address.fragment and target.suffix == ".html":
            fragment = unquote(address.fragment)
            if fragment not in anchors(target) and fragment != "top":
                found.append(f"{page}: {tag['href']} has no such place")
    assert found == [], "\n".join(found)


def test_every_id_is_unique_on_its_page():
    found = []
    for page in pages():
        ids = [str(tag["id"]) for tag in elements(page)["*"] if tag.has_attr("id")]
        found += [f"{page.name}: {name}" for name in sorted({i for i in ids if ids.count(i) > 1})]
    assert found == [], "\n".join(found)


def test_every_page_has_one_title_and_a_language():
    for entry in toc_entries(PROJECT):
        tree = parsed(HTML / f"{entry}.html")
        assert tree.html is not None
        assert tree.html.get("lang") == "en", entry
        assert tree.title is not None, entry
        assert tree.title.get_text(strip=True), entry
        # Outside the article the theme keeps a copy for print.
        assert len(tree.select("article.bd-article h1")) == 1, entry


def test_a_chapter_has_the_number_of_its_file():
    numbered = 0
    for entry in toc_entries(PROJECT):
        article = parsed(HTML / f"{entry}.html").select_one("article.bd-article")
        number = article.select_one("h1 .section-number")
        if entry.startswith("notebooks/") and number is not None:
            chapter = str(int(Path(entry).name[:2]))
            assert number.get_text(strip=True) == f"{chapter}.", entry
            for tag in article.select("h2 .section-number, .caption-number, .math .eqno"):
                # A definition's number stands after its kind, an equation's in brackets.
                found = re.search(r"\d+(?=\.)", tag.get_text())
                assert found is not None, f"{entry}: {tag.get_text()}"
                assert found[0] == chapter, f"{entry}: {tag.get_text()}"
            numbered += 1
        else:
            assert number is None, entry
    assert numbered >= 2


def test_no_number_of_an_equation_stands_in_two_brackets():
    found = [
        f"{page.name}: {hit}"
        for page in pages()
        for hit in re.findall(r"\(\([\d.]+\)\)", parsed(page).get_text())
    ]
    assert found == []


def test_no_line_can_begin_with_the_comma_after_a_formula():
    found = []
    for page, tag in every("span", "class"):
        after = tag.next_sibling if "math" in tag["class"] else None
        if isinstance(after, str) and re.match(r"[.,;:!?)\]]", after):
            assert tag.parent is not None
            if "ntk-unbroken" not in tag.parent.get("class", []):
                found.append(f"{page}: {tag.get_text()}{after[:10]}")
    assert found == []


def test_a_citation_names_author_and_year():
    entries = parsed(HTML / "book" / "references.html").select("div.citation")
    labels = {
        str(entry["id"]): entry.select_one(".label").get_text().strip("[]") for entry in entries
    }
    assert len(labels) >= 40
    for label in labels.values():
        assert re.fullmatch(
            r"[A-ZÀ-Ž][\w’ -]+?(?: et al\.| and [\w -]+)? \(\d{4}[a-z]?\)", label
        ), label
    cited = 0
    for page, link in every("a", "class"):
        if "reference" not in link["class"]:
            continue
        address = urlsplit(str(link.get("href", "")))
        label = labels.get(address.fragment, "")
        if address.path.endswith("references.html") and label:
            year = link.get_text()[-4:]
            assert year == label[-5:-1], f"{page}: {link}"
            cited += 1
    assert cited >= 30


def test_notebooks_can_be_downloaded_as_they_are_stored():
    for entry in toc_entries(PROJECT):
        if entry.startswith("notebooks/"):
            stored = PROJECT.root / f"{entry}.ipynb"
            assert (HTML / "_sources" / f"{entry}.ipynb").read_bytes() == stored.read_bytes()


def test_the_search_knows_the_pages():
    index = (HTML / "searchindex.js").read_text(encoding="utf-8")
    for entry in toc_entries(PROJECT):
        assert f'"{entry}"' in index


def test_the_readme_shows_the_site():
    text = (PROJECT.root / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text)
    assert pictures
    for told, name in pictures:
        assert len(told) > 40
        picture = (PROJECT.root / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 150_000


def test_no_page_shows_an_error():
    for page, tag in every("*"):
        classes = set(tag.get("class") or [])
        assert not classes & {"system-message", "problematic"}, page
        assert not ({"output", "traceback"} <= classes), page
