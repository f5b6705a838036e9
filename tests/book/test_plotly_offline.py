"""Figures with a slider on a small site: the data and the twin on the page, one script, no host."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4

from ntk.companion import figures
from ntk.companion.figures.plot import MIME

ROOT = Path(__file__).resolve().parents[2]
CONF = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
extensions = ["myst_nb", "plotly_offline"]
html_theme = "basic"
html_static_path = [{str(ROOT / "book" / "_static")!r}]
nb_execution_mode = "off"
exclude_patterns = ["_build", "jupyter_execute"]
"""
INDEX = "# Start\n\n```{toctree}\nchapter\n```\n"
ENTRY_POINT = "ntk-figure = ntk.companion.figures.myst:FigureRenderer"


def outputs():
    """Return the MIME bundle of a small figure, and the figure."""
    made = figures.interactive(
        lambda panel, power: panel.theory([0.0, 1.0], [0.0, float(power)]),
        [1, 2],
        parameter="slope a",
        xlabel="x",
        ylabel="a x < 3",
    )
    return made._repr_mimebundle_(), made


def build(folder, *, picture=True):
    """Build a site of a page without a figure and a chapter with one."""
    bundle, made = outputs()
    if not picture:
        del bundle["image/png"]
    output = v4.new_output("execute_result", data=bundle, execution_count=1)
    options = {"figure": {"name": "fig-a", "caption": "A caption."}, "image": {"alt": "two lines"}}
    cells = [
        v4.new_markdown_cell("# Chapter", id="text"),
        v4.new_code_cell(
            "f()", execution_count=1, outputs=[output], id="f", metadata={"mystnb": options}
        ),
    ]
    language = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(v4.new_notebook(cells=cells, metadata=language), folder / "chapter.ipynb")
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    (folder / "index.md").write_text(INDEX, encoding="utf-8")
    # The project's own entry point, whether or not the installed metadata have it yet.
    info = folder / "entry" / "ntk_figure-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ntk-figure\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[myst_nb.mime_renderers]\n{ENTRY_POINT}\n")
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", ".", "_build"],
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(info.parent)]), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr, made


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the built site and the figure in it."""
    folder = tmp_path_factory.mktemp("site")
    code, printed, made = build(folder)
    assert code == 0, printed
    return folder / "_build", made


def page(site, name):
    return BeautifulSoup((site[0] / f"{name}.html").read_text("utf-8"), "html.parser")


def test_the_page_has_the_data_and_the_picture_in_one_figure(site):
    figure = page(site, "chapter").find("figure")
    assert json.loads(figure.find("script").string) == site[1].plot
    assert figure.find("script")["type"] == "application/json"
    (holder,) = figure.find_all(class_="ntk-interactive")
    assert holder.parent.find("img") is not None  # where the script looks for it
    assert figure.find("img")["alt"] == "two lines"
    assert "A caption." in figure.find("figcaption").get_text()


def test_only_pages_with_a_figure_ask_for_the_script(site):
    sources = {
        name: [tag.get("src", "") for tag in page(site, name).find_all("script")]
        for name in ("index", "chapter")
    }
    assert not any("interactive" in source for source in sources["index"])
    assert any("interactive.js" in source for source in sources["chapter"])
    assert not any("plotly" in source for source in sources["chapter"])  # loaded when it is near
    assert (site[0] / "_static" / "plotly" / "plotly.min.js").stat().st_size > 1_000_000


def test_the_page_names_no_other_host(site):
    text = (site[0] / "chapter.html").read_text("utf-8")
    addresses = set(re.findall(r'(?:src|href)="(https?:)?//([^/"]+)', text))
    assert {host for _, host in addresses} <= {"www.sphinx-doc.org", "alabaster.readthedocs.io"}


def test_a_figure_without_a_twin_is_told(tmp_path):
    code, printed, _ = build(tmp_path, picture=False)
    assert code != 0
    assert "no picture for paper" in printed


def test_the_entry_point_is_the_projects(site):
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    name, _, target = ENTRY_POINT.partition(" = ")
    assert f'{name} = "{target}"' in text
    assert MIME in str(site[1]._repr_mimebundle_().keys())
