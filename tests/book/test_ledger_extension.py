"""The extension on a small site: numbers in the text, the table of claims, errors that stop it."""

import os
import re
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4

from ntk.companion import claims
from ntk.companion.claims.render import bundle

ROOT = Path(__file__).resolve().parents[2]
CONF = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
extensions = ["myst_nb", "sphinx_external_toc", "sphinxcontrib.bibtex", "ledger"]
external_toc_path = "_toc.yml"
html_theme = "basic"
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
bibtex_bibfiles = ["references.bib"]
exclude_patterns = ["_build", "jupyter_execute"]
"""
TOC = """
format: jb-book
root: intro
chapters:
- file: notebooks/02_flow.ipynb
- file: claims
"""
INTRO = """# Intro

Measured {claim}`rate:measured:.2f` in {claim}`rate:interval:.1f`,
predicted {claim}`rate:predicted`, small {claim}`exact:measured`, within {claim}`exact:within`,
verdict {claim}`rate:verdict`, by {claim}`exact:rule`, from {claim}`exact:source`,
that {claim}`exact:statement`.

See {claim}`rate` or [the check](#claim-exact).

```{bibliography}
```
"""
BIB = "@article{jacot2018, author={Jacot, A}, title={NTK}, journal={NeurIPS}, year=2018}\n"
ENTRY_POINT = "ntk-claim = ntk.companion.claims.myst:ClaimRenderer"


def records(measured=-0.4981, verdict="pass"):
    """Return the MIME bundles of a few claims."""
    widths = [8, 16, 32, 64]
    flat = claims.Scaling(widths, [[1.0, 1.1, 0.9, 1.2, 1.0]] * 4)
    falling = claims.Scaling(widths, [[v / w**0.5 for v in (1, 1.1, 0.9, 1.2, 1)] for w in widths])
    made = [
        claims.check(
            "exact",
            claims.Identity(1e-12),
            [1.0 + 2**-50],
            [1.0],
            statement=r"the sum $\sum_i x_i < \infty$",
            source=claims.Source("jacot2018", "Proposition 1", ("S3",)),
            control=claims.Control("twice <b>", [2.0]),
        ),
        claims.check(
            "rate",
            claims.Slope.around(-0.5, 0.25),
            falling,
            -0.5,
            statement="it falls",
            source="folklore",
            control=claims.Control("flat", flat),
        ),
        claims.check("time", claims.Open(), 3.5, statement="it takes", source="-", unit="s"),
    ]
    bundles = [bundle(record) for record in made]
    bundles[1][claims.MIME] |= {"measured": measured, "verdict": verdict}
    return bundles


def write_notebook(folder, bundles, name="02_flow.ipynb"):
    """Write an executed notebook with these outputs."""
    outputs = [v4.new_output("display_data", data=data) for data in bundles]
    cells = [
        v4.new_markdown_cell("# Flow\n\nHere {claim}`rate:measured:.3f`.", id="text"),
        v4.new_code_cell("check()", execution_count=1, outputs=outputs, id="check"),
    ]
    path = folder / "notebooks" / name
    path.parent.mkdir(exist_ok=True)
    language = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(v4.new_notebook(cells=cells, metadata=language), path)


@pytest.fixture(scope="module")
def entry_point(tmp_path_factory):
    """Return a folder with the renderer's entry point, empty if the project is installed."""
    folder = tmp_path_factory.mktemp("entry")
    if any(e.name == "ntk-claim" for e in metadata.entry_points(group="myst_nb.mime_renderers")):
        return folder
    info = folder / "ntk_claim-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ntk-claim\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[myst_nb.mime_renderers]\n{ENTRY_POINT}\n")
    return folder


@pytest.fixture
def site(tmp_path, entry_point):
    """Return a function that writes a small site, and builds it with its warnings as errors."""
    return make_site(tmp_path, entry_point)


def make_site(folder, entry_point):
    """Write the small site and return what builds it."""
    for name, text in (("conf.py", CONF), ("_toc.yml", TOC), ("intro.md", INTRO)):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "references.bib").write_text(BIB, encoding="utf-8")
    page = (ROOT / "book" / "claims.md").read_text(encoding="utf-8")
    (folder / "claims.md").write_text(page, encoding="utf-8")
    write_notebook(folder, records())

    def build(*options):
        path = os.pathsep.join([str(ROOT), str(entry_point)])
        run = subprocess.run(
            [sys.executable, "-m", "sphinx", "-W", "--keep-going", *options, ".", "_build"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": path, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return run.returncode, run.stdout + run.stderr

    return build


def page(folder, name):
    """Return a built page as a tree."""
    return BeautifulSoup((folder / "_build" / f"{name}.html").read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def built(tmp_path_factory, entry_point):
    """Return the folder of the small site, built in two processes."""
    folder = tmp_path_factory.mktemp("site")
    code, printed = make_site(folder, entry_point)("-j", "2")
    assert code == 0, printed
    return folder


def test_roles_are_filled(built):
    text = re.sub(r"\s+", " ", page(built, "intro").find("p").get_text())
    assert text.startswith(
        "Measured −0.50 in [−0.6, −0.4], predicted −0.5, small 8.882 × 10⁻¹⁶, within 10⁻¹², "
        "verdict pass, by identity, relative 10⁻¹², from Jacot"
    )
    assert "Proposition 1; seed S3" in text
    assert r"that the sum \(\sum_i x_i < \infty\)" in text
    assert "Here −0.498." in page(built, "notebooks/02_flow").get_text()


def test_a_role_without_a_field_links_to_the_check(built):
    link = page(built, "intro").find("a", href="notebooks/02_flow.html#claim-rate")
    assert link.get_text() == "rate\u00a0✓ (passes)"
    assert link.find("code").get_text() == "rate"
    assert page(built, "intro").find("a", href="notebooks/02_flow.html#claim-exact")


def test_the_notebook_shows_a_box_instead_of_the_html(built):
    tree = page(built, "notebooks/02_flow")
    box = tree.find(id="claim-exact")
    assert {"ntk-claim", "ntk-claim-pass"} <= set(box["class"])
    assert box.find(class_="math") is not None
    rows = {row.th.get_text(): row.td.get_text() for row in box.find_all("tr")}
    assert rows["Rule"] == "identity, relative 10⁻¹²"
    assert rows["Verdict"] == "✓ passes"
    assert rows["Control"] == "twice <b>: 1, rejected"
    assert rows["Measured"].startswith("8.882\u2009×\u200910⁻¹⁶")
    assert box.find("a", href=re.compile(r"intro\.html#")) is not None  # into the bibliography
    assert tree.find("td", class_="ntk-measured") is None


def test_the_table_has_every_claim(built):
    tree = page(built, "claims")
    rows = tree.find("table", class_="ntk-claims").tbody.find_all("tr")
    links = [row.find("a")["href"] for row in rows]
    assert links == [f"notebooks/02_flow.html#claim-{c}" for c in ("exact", "rate", "time")]
    assert {"ntk-chapter-02", "ntk-verdict-pass", "ntk-source-jacot2018"} <= set(rows[0]["class"])
    assert {"ntk-verdict-open", "ntk-source-other"} <= set(rows[2]["class"])
    cells = [cell.get_text() for cell in rows[1].find_all("td")]
    assert cells[0] == "02"
    assert "it falls" in cells[1]
    assert "Control: flat: " in cells[1]
    assert "folklore" in cells[1]
    assert cells[2].startswith("log-log slope of the mean in [−0.75, −0.25], ")
    assert cells[3:] == ["−0.5", cells[4], "✓ passes"]
    assert cells[4].startswith("−0.4981, interval [")


def test_the_filter_is_labelled_and_only_where_the_table_is(built):
    tree = page(built, "claims")
    labels = {label["for"] for label in tree.select("form.ntk-filter label")}
    assert labels == {s["id"] for s in tree.select("form.ntk-filter select")}
    assert len(labels) == 3
    assert tree.find(id="ntk-filter").has_attr("hidden")
    count = tree.find(id="ntk-count")
    assert (count["aria-live"], count.get_text()) == ("polite", "3 claims.")
    values = [o["value"] for o in tree.select("#ntk-filter-source option")]
    assert values == ["", "jacot2018", "other", "seed-s3"]
    rows = tree.select("table.ntk-claims tbody tr")
    for select in tree.select("form.ntk-filter select"):
        for option in select.find_all("option")[1:]:
            name = f"ntk-{select['data-filter']}-{option['value']}"
            assert any(name in row["class"] for row in rows), name
    scripts = {p: str(page(built, p)).count("claims.js") for p in ("claims", "intro")}
    assert scripts == {"claims": 1, "intro": 0}
    assert (built / "_build" / "_static" / "claims.css").is_file()


WRONG_ROLES = {
    "rat:measured": "did you mean rate?",
    "rat": "did you mean rate?",
    "rate:mesured": "unknown field 'mesured'; use one of measured",
    "rate:": "no field after the colon",
    "rate:measured:.2z": "bad format '.2z'",
    "rate:verdict:.2f": "'verdict' is text and takes no format",
    "exact:interval": "claim 'exact' has no interval",
    "time:predicted": "claim 'time' has no predicted",
}


def test_one_wrong_role_fails_the_build(site, tmp_path):
    """Nothing else is wrong with this site: it differs by one letter."""
    intro = INTRO.replace("rate:verdict", "rats:verdict")
    (tmp_path / "intro.md").write_text(intro, encoding="utf-8")
    code, printed = site()
    assert code != 0
    assert "role claim, 'rats:verdict': no notebook checks a claim 'rats'" in printed
    places = set(re.findall(r"(\S+):\d+: (?:WARNING|ERROR)", printed))
    assert places == {f"{tmp_path}/intro.md"}


def test_each_kind_of_wrong_role_is_reported_in_its_place(site, tmp_path):
    roles = "\n\n".join(f"Here {{claim}}`{role}`." for role in WRONG_ROLES)
    (tmp_path / "intro.md").write_text(f"# Intro\n\n{roles}\n", encoding="utf-8")
    code, printed = site()
    assert code != 0
    for i, (role, message) in enumerate(WRONG_ROLES.items()):
        line = rf"intro\.md:{3 + 2 * i}: WARNING: role claim, '{re.escape(role)}': .*"
        assert re.search(line + re.escape(message), printed), role


def test_a_claim_that_fails_fails_the_build(site, tmp_path):
    data = records()
    control = data[0][claims.MIME]["control"] | {"rejected": False}
    data[0][claims.MIME] |= {"verdict": "fail", "control": control}
    write_notebook(tmp_path, data)
    code, printed = site()
    assert code != 0
    assert "claim 'exact' does not stand: its negative control was not rejected" in printed
    assert "✗ fails" in page(tmp_path, "claims").get_text()


def test_a_contradictory_or_repeated_record_stops_the_build(site, tmp_path):
    write_notebook(tmp_path, records(verdict="fail") + records()[:1])
    code, printed = site()
    assert code != 0
    assert "verdict 'fail', but the numbers meet the rule" in printed
    assert "claim 'exact' stands already in 02_flow.ipynb, cell 1 (id check)" in printed


def test_pages_follow_a_changed_notebook_and_no_other(site, tmp_path):
    (tmp_path / "other.md").write_text("# Other\n", encoding="utf-8")
    (tmp_path / "_toc.yml").write_text(TOC + "- file: other\n", encoding="utf-8")
    code, printed = site()
    assert code == 0, printed
    code, printed = site()
    assert "no targets are out of date" in printed
    time.sleep(0.01)
    write_notebook(tmp_path, records(measured=-0.4912))
    code, printed = site("-v")
    assert code == 0, printed
    read = set(re.findall(r"reading sources\.\.\. \[ *\d+%\] (\S+)", printed))
    assert read == {"intro", "claims", "notebooks/02_flow"}
    assert "predicted −0.5" in page(tmp_path, "intro").get_text()
    assert "−0.49 in" in page(tmp_path, "intro").get_text()
    assert "−0.4912" in page(tmp_path, "claims").get_text()


def test_a_notebook_added_to_the_contents_comes_into_the_table(site, tmp_path):
    assert site()[0] == 0
    extra = claims.check("late", claims.Open(), 1.0, statement="late", source="-")
    write_notebook(tmp_path, [bundle(extra)], "03_late.ipynb")
    time.sleep(0.01)
    toc = TOC.replace("- file: claims", "- file: notebooks/03_late\n- file: claims")
    (tmp_path / "_toc.yml").write_text(toc, encoding="utf-8")
    code, printed = site()
    assert code == 0, printed
    assert "claim-late" in str(page(tmp_path, "claims"))
