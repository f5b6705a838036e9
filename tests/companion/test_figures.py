"""Figures: the same bytes each time, legible in both themes, honest about their error bars."""

import base64
import hashlib
import inspect
import io
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from ntk.errors import InvalidValueError, ShapeError

mpl.use("agg")

import matplotlib.pyplot as plt

from ntk.companion import figures

CSS = Path(__file__).parents[2] / "book" / "_static" / "figures.css"


@pytest.fixture(autouse=True)
def _style():
    with mpl.rc_context():
        figures.use()
        yield
        plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def typical_figure():
    random = np.random.default_rng(0)
    widths = np.array([64, 128, 256, 512, 1024])
    fig, ax = plt.subplots()
    ax.set(xscale="log", yscale="log", xlabel="width $n$", ylabel=r"$\|\hat\Theta - \Theta\|$")
    for i, scale in enumerate((1.0, 2.0, 3.0)):
        values = scale / np.sqrt(widths) * (1 + 0.1 * random.normal(size=(20, 5)))
        figures.experiment(ax, widths, values, label=f"depth {i + 1}", i=i)
        figures.theory(ax, widths, scale / np.sqrt(widths), label=None if i else "theory")
    figures.slope_guide(ax, -0.5, through=(64, 0.5), to=1024)
    ax.legend()
    return fig


def png(fig):
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def test_a_typical_figure_is_small_and_has_the_size_of_the_column():
    data = png(typical_figure())
    image = plt.imread(io.BytesIO(data))
    assert image.shape == (576, 1008, 4)
    assert 20_000 < len(data) < 80_000


def test_the_same_figure_is_the_same_bytes():
    first, second = (hashlib.sha256(png(typical_figure())).hexdigest() for _ in range(2))
    assert first == second


def test_the_background_is_transparent():
    image = plt.imread(io.BytesIO(png(typical_figure())))
    assert image[0, 0, 3] == 0
    assert (image[..., 3] == 0).mean() > 0.5


def test_a_users_own_configuration_does_not_leak():
    plt.rcParams["lines.linewidth"] = 17
    plt.rcParams["axes.xmargin"] = 0.4
    figures.use()
    assert plt.rcParams["lines.linewidth"] < 3
    assert plt.rcParams["axes.xmargin"] == mpl.rcParamsDefault["axes.xmargin"]
    assert mpl.get_backend() == "agg"


def luminance(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def in_dark_theme(rgb):
    """What `filter: invert(1) hue-rotate(180deg)` makes of a colour (Filter Effects Module 1)."""
    grey = np.array([0.213, 0.715, 0.072])
    rotate = 2 * np.outer(np.ones(3), grey) - np.eye(3)  # cos = -1, sin = 0
    return np.clip(rotate @ (1 - rgb), 0, 1)


WHITE, DARK_PAGE = np.ones(3), np.array(mpl.colors.to_rgb("#121212"))


@pytest.mark.parametrize("colour", figures.COLOURS[:4])
def test_the_first_colours_stand_out_in_both_themes(colour):
    rgb = np.array(mpl.colors.to_rgb(colour))
    assert contrast(rgb, WHITE) > 2.9
    assert contrast(in_dark_theme(rgb), DARK_PAGE) > 2.9


@pytest.mark.parametrize("colour", figures.COLOURS)
def test_the_dark_theme_keeps_the_hue(colour):
    rgb = np.array(mpl.colors.to_rgb(colour))
    before, after = (mpl.colors.rgb_to_hsv(c)[0] for c in (rgb, in_dark_theme(rgb)))
    turn = abs(before - after)
    assert min(turn, 1 - turn) < 0.06


def test_theory_becomes_white_in_the_dark_theme(ax):
    line = figures.theory(ax, [1, 2], [3, 4])
    assert line.get_linestyle() == "-"
    black = np.array(mpl.colors.to_rgb(line.get_color()))
    np.testing.assert_allclose(in_dark_theme(black), 1)
    assert contrast(in_dark_theme(black), DARK_PAGE) > 15


def test_titles_of_pictures_are_legible_on_both_pages_as_they_are():
    grey = np.array(mpl.colors.to_rgb(figures.pictures.TITLE_GREY))
    assert min(contrast(grey, WHITE), contrast(grey, DARK_PAGE)) > 4


def test_the_stylesheet_inverts_and_lets_photographs_out():
    rules = dict(
        re.findall(
            r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", CSS.read_text(), flags=re.DOTALL)
        )
    )
    inverted = [s for s, body in rules.items() if "invert(1) hue-rotate(180deg)" in body]
    assert len(inverted) == 1
    assert all('html[data-theme="dark"]' in s for s in inverted)
    assert "background-color: transparent" in rules[inverted[0]]
    let_out = [s for s, body in rules.items() if "filter: none" in body and "photograph" in s]
    assert len(let_out) == 1


def test_experiment_shows_mean_and_standard_error(ax):
    values = np.array([[1.0, 10.0], [2.0, 14.0], [6.0, 12.0]])
    bars = figures.experiment(ax, [1, 2], values, label="net")
    line, _, (segments,) = bars
    np.testing.assert_allclose(line.get_ydata(), [3, 12])
    half = values.std(axis=0, ddof=1) / np.sqrt(3)
    lengths = [np.ptp(s[:, 1]) / 2 for s in segments.get_segments()]
    np.testing.assert_allclose(lengths, half)
    assert bars.get_label() == "net (mean ± SE, 3 seeds)"


def test_experiment_shows_median_and_percentiles(ax):
    values = np.random.default_rng(1).exponential(size=(200, 1))
    bars = figures.experiment(ax, [1.0], values, label="net", bars="percentiles")
    line, _, (segments,) = bars
    assert line.get_ydata() == pytest.approx([np.median(values)])
    assert segments.get_segments()[0][:, 1] == pytest.approx(np.percentile(values, [5, 95]))
    assert bars.get_label() == "net (median, 5–95 %, 200 seeds)"


def test_single_measurements_have_no_bars_and_experiments_differ(ax):
    first = figures.experiment(ax, [1, 2], [3, 4], label="one")
    second = figures.experiment(ax, [1, 2], [3, 4], i=1)
    assert first.get_label() == "one"
    assert not first.has_yerr
    assert first[0].get_color() == figures.COLOURS[0]
    assert first[0].get_marker() != second[0].get_marker()
    assert first[0].get_color() != second[0].get_color() != "black"


def test_slope_guide_is_a_power_law_without_a_legend_entry(ax):
    ax.set(xscale="log", yscale="log")
    line = figures.slope_guide(ax, -1, through=(10, 3.0), to=1000)
    np.testing.assert_allclose(line.get_ydata(), [3, 0.03])
    assert ax.get_legend_handles_labels() == ([], [])
    figures.slope_guide(ax, -0.5, through=(1, 1), to=2)
    figures.slope_guide(ax, 0.37, through=(1, 1), to=2)
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["slope −1", "slope −1/2", "slope 0.37"]
    np.testing.assert_allclose(ax.texts[0].xy, (100, 0.3))
    figures.slope_guide(ax, -1, through=(10, 3.0), to=1000, label_at=1)
    np.testing.assert_allclose(ax.texts[-1].xy, (1000, 0.03))


def test_the_label_of_a_slope_guide_is_on_the_side_where_it_does_not_cross_the_line(ax):
    ax.set(xscale="log", yscale="log")
    figures.slope_guide(ax, 2, through=(1, 1), to=10)
    figures.slope_guide(ax, -2, through=(1, 1), to=10)
    rising, falling = ax.texts
    assert (rising.get_ha(), falling.get_ha()) == ("right", "left")
    assert rising.xyann[0] < 0 < falling.xyann[0]


def test_widths_are_written_in_digits(ax):
    ax.loglog([128, 1024], [0.4, 0.1])
    ax.figure.canvas.draw()
    labels = [t.get_text() for t in (*ax.get_xticklabels(), *ax.get_xticklabels(minor=True))]
    assert {"$\\mathdefault{200}$", "$\\mathdefault{1000}$"} <= set(labels)


@pytest.mark.parametrize("shape", [(5, 9), (5, 3, 3), (5, 3, 3, 1)])
def test_image_grid_takes_every_layout(shape):
    images = np.arange(45.0).reshape(shape)
    fig = figures.image_grid(images, columns=3, titles=list("abcde"))
    assert [a.get_title() for a in fig.axes] == list("abcde")
    np.testing.assert_array_equal(fig.axes[4].images[0].get_array(), images[4].reshape(3, 3))
    assert {a.images[0].get_clim() for a in fig.axes} == {(0.0, 44.0)}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda ax: figures.theory(ax, [1, 2], [1]), ShapeError, "y: got shape"),
        (lambda ax: figures.experiment(ax, [1, 2], np.ones((4, 3))), ShapeError, "values: got"),
        (lambda ax: figures.experiment(ax, [1], [[2.0]]), ShapeError, "got 1 seed"),
        (lambda ax: figures.experiment(ax, [1], [[np.nan], [1]]), InvalidValueError, "1 entries"),
        (
            lambda _: inspect.unwrap(figures.curves.summary)(np.ones((2, 1)), "sd"),
            InvalidValueError,
            "bars: got 'sd'",
        ),
        (lambda ax: figures.slope_guide(ax, 1, through=(1, 1), to=2), InvalidValueError, "log"),
        (lambda _: figures.image_grid(np.ones((2, 7))), ShapeError, "images: got"),
        (lambda _: figures.image_grid(np.ones((2, 4)), titles=["a"]), ShapeError, "titles"),
        (lambda _: figures.image_grid(np.ones((2, 4)), columns=0), InvalidValueError, "columns"),
        (lambda _: figures.image_grid(np.full((2, 4), np.nan)), InvalidValueError, "pixels"),
    ],
)
def test_bad_input_names_the_argument(ax, call, error, message):
    with pytest.raises(error, match=message):
        call(ax)


def test_slope_guide_refuses_what_a_logarithm_cannot_show(ax):
    ax.set(xscale="log", yscale="log")
    with pytest.raises(InvalidValueError, match="positive"):
        figures.slope_guide(ax, 1, through=(0, 1), to=2)


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )


def test_without_matplotlib_the_extra_is_named():
    result = run("import sys; sys.modules['matplotlib'] = None; import ntk.companion.figures")
    assert result.returncode != 0
    assert "MissingExtraError" in result.stderr
    assert "pip install 'ntk-companion[book]'" in result.stderr


def test_matplotlib_is_loaded_for_figures_only():
    result = run(
        "import sys, ntk, ntk.companion, ntk.companion.datasets; "
        "assert 'matplotlib' not in sys.modules"
    )
    assert result.returncode == 0, result.stderr


def test_a_notebook_stores_reproducible_pngs(monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own

    def execute():
        cells = [
            "from ntk.companion import figures\nfigures.use()",
            "import matplotlib.pyplot as plt\n"
            "fig, ax = plt.subplots()\nline = figures.theory(ax, [1, 2], [1, 2])",
        ]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
        assert not notebook.cells[0].outputs
        (output,) = notebook.cells[1].outputs
        return base64.b64decode(output.data["image/png"])

    first, second = execute(), execute()
    assert first == second
    assert b"Software" not in first
    assert b"matplotlib" not in first.lower()
    assert plt.imread(io.BytesIO(first)).shape == (576, 1008, 4)


def test_scaling_axes_tick_what_was_measured_and_nothing_else():
    fig, ax = plt.subplots()
    figures.scaling_axes(ax, [64, 256, 1024], ylabel="error")
    fig.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["64", "256", "1024"]
    assert ax.get_xticks(minor=True).size == 0
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    with pytest.raises(InvalidValueError, match=r"x: got .*positive"):
        figures.scaling_axes(ax, [0, 1])
    plt.close(fig)
