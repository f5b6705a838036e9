"""Figures with a slider: the same curves in both drawings, small, reproducible, hard to misuse."""

import io
import json

import matplotlib as mpl
import numpy as np
import pytest

from ntk.companion.claims.plots import PLOT, plot_differences
from ntk.errors import InvalidValueError, ShapeError

mpl.use("agg")

import matplotlib.pyplot as plt

from ntk.companion import figures
from ntk.companion.figures.myst import FigureRenderer
from ntk.companion.figures.plot import MIME

X = np.linspace(0.0, 1.0, 5)
SEEDS = np.random.default_rng(0).normal(size=(20, 5))


@pytest.fixture(autouse=True)
def _style():
    with mpl.rc_context():
        figures.use()
        yield
        plt.close("all")


def draw(panel, power):
    panel.theory(X, X**power, label="limit")
    panel.line(X, 1 - X**power, label="other", i=2, dashed=True)
    panel.experiment(X, X**power + SEEDS / 10, label="nets", i=1)


def figure(**changes):
    arguments = {"parameter": "exponent p", "xlabel": "x", "ylabel": "f(x)", **changes}
    return figures.interactive(arguments.pop("draw", draw), [1, 2, 4, 8], **arguments)


def shown_at(plot, place):
    """The traces that a page shows at one place of the slider."""
    return [
        {**first, **change}
        for first, change in zip(plot["data"], plot["frames"][place]["data"], strict=True)
    ]


def test_every_place_of_the_slider_shows_the_curves_of_its_value():
    plot = figure().plot
    for place, power in enumerate([1, 2, 4, 8]):
        theory, line, nets = shown_at(plot, place)
        np.testing.assert_allclose(theory["y"], X**power, atol=1e-3)
        np.testing.assert_allclose(line["y"], 1 - X**power, atol=1e-3)
        np.testing.assert_allclose(nets["y"], (X**power + SEEDS / 10).mean(0), atol=2e-3)
        error = (SEEDS / 10).std(0, ddof=1) / 20**0.5
        np.testing.assert_allclose(nets["error_y"]["array"], error, atol=1e-4)


def test_the_slider_has_the_values_and_starts_in_the_middle():
    plot = figure().plot
    (slider,) = plot["layout"]["sliders"]
    assert [step["label"] for step in slider["steps"]] == ["1", "2", "4", "8"]
    assert [frame["name"] for frame in plot["frames"]] == ["1", "2", "4", "8"]
    assert slider["active"] == 2
    assert slider["currentvalue"]["prefix"] == "exponent p = "
    assert figure(start=0).plot["layout"]["sliders"][0]["active"] == 0


def test_theory_is_black_and_experiments_are_markers_with_the_meaning_of_their_bars():
    theory, line, nets = figure().plot["data"]
    assert theory["line"] == {"color": "black", "dash": "solid", "width": 2}
    assert (line["line"]["color"], line["line"]["dash"]) == (figures.COLOURS[2], "dash")
    assert nets["marker"]["color"] == figures.COLOURS[1]
    assert (nets["mode"], nets["name"]) == ("markers", "nets (mean ± SE, 20 seeds)")


def test_the_twin_draws_the_same_points():
    made = figure(shown=[0, 3])
    axes = made.twin.axes
    assert [ax.get_title("left") for ax in axes] == ["p = 1", "p = 8"]
    for ax, power in zip(axes, (1, 8), strict=True):
        np.testing.assert_allclose(ax.lines[0].get_ydata(), X**power)
        np.testing.assert_allclose(ax.lines[2].get_ydata(), (X**power + SEEDS / 10).mean(0))
        assert ax.get_ylim() == pytest.approx(made.plot["layout"]["yaxis"]["range"], rel=1e-3)


def test_axes_stand_still_and_hold_everything():
    made = figure().plot
    low, high = made["layout"]["yaxis"]["range"]
    for place in range(4):
        for trace in shown_at(made, place):
            assert low <= min(trace["y"]) <= max(trace["y"]) <= high
    given = figure(xlim=(-1, 2), ylim=(-3, 3)).plot["layout"]
    assert (given["xaxis"]["range"], given["yaxis"]["range"]) == ([-1, 2], [-3, 3])


def test_logarithmic_axes():
    widths = [8.0, 16.0, 32.0]

    def powers(panel, power):
        panel.theory(widths, np.array(widths) ** -power)

    made = figure(draw=powers, log="xy", ylim=(1e-8, 1))
    layout = made.plot["layout"]
    assert (layout["xaxis"]["type"], layout["yaxis"]["type"]) == ("log", "log")
    assert layout["yaxis"]["range"] == [-8, 0]
    assert made.twin.axes[0].get_xscale() == "log"
    # Digits of each number, not of the largest.
    assert shown_at(made.plot, 3)[0]["y"] == pytest.approx(np.array(widths) ** -8, rel=1e-3)
    with pytest.raises(InvalidValueError, match="positive"):
        figure(log="x")


@pytest.mark.parametrize(
    ("limits", "written"),
    [
        ((0.004, 3), ["0.01", "0.1", "1"]),
        ((9, 600), ["10", "20", "50", "100", "200", "500"]),
        ((0.01, 1), ["0.01", "0.1", "1"]),
        ((0.2, 0.9), None),  # Plotly's own are 0.2, 0.3, ...
        ((1e-8, 1), None),  # and powers of ten
    ],
)
def test_every_tick_of_a_logarithmic_axis_is_written_in_full(limits, written):
    axis = figure(draw=_ones, log="y", ylim=limits).plot["layout"]["yaxis"]
    assert axis.get("ticktext") == written
    if written:
        assert (axis["tickmode"], axis["tickvals"]) == ("array", [float(t) for t in written])


def _ones(panel, power):
    panel.theory(X, np.ones_like(X))


def test_it_is_small_reproducible_json():
    first, second = figure(), figure()
    text = json.dumps(first.plot, sort_keys=True)
    assert text == json.dumps(second.plot, sort_keys=True)
    assert json.loads(text) == first.plot
    assert len(text) < 6_000
    assert first.png() == second.png()
    assert plt.imread(io.BytesIO(first.png())).shape[1] == 1008
    assert plt.get_fignums() == []  # else a notebook shows the twin once more


def test_what_is_the_same_at_every_value_is_stored_once():
    def constant(panel, power):
        panel.theory(X, X)

    assert all(frame["data"] == [{}] for frame in figure(draw=constant).plot["frames"])


def test_rounding_errors_of_a_zero_leave_no_trace():
    def zeros(panel, power):
        panel.theory(X, np.sin(np.pi * np.round(X)) * power + np.where(X > 0.9, 1.0, 0.0))

    assert set(figure(draw=zeros).plot["data"][0]["y"]) == {0.0, 1.0}


def test_the_cell_output_has_the_plot_the_picture_and_a_text():
    made = figure()
    bundle = made._repr_mimebundle_()
    assert set(bundle) == {MIME, "image/png", "text/plain"}
    assert bundle["text/plain"] == "<figure with a slider: exponent p, 4 values, 1 to 8>"
    assert PLOT == MIME


class Data:
    def __init__(self, mime_type, content):
        self.mime_type, self.content = mime_type, content


def test_the_renderer_embeds_json_that_cannot_end_its_element():
    plot = figure().plot
    plot["data"][0]["name"] = "</script><b>"
    (node,) = FigureRenderer.handle_mime(None, Data(MIME, plot), False)
    html = node.astext()
    assert html.count("</script>") == 1
    body = html.partition('"application/json">')[2].partition("</script>")[0]
    assert json.loads(body) == plot
    assert FigureRenderer.handle_mime(None, Data("text/html", ""), False) is None
    assert FigureRenderer.handle_mime(None, Data(MIME, plot), True) is None


def test_a_rerun_may_differ_by_less_than_a_pixel_and_by_no_word():
    committed = figure().plot
    moved = json.loads(json.dumps(committed))
    moved["data"][2]["y"][1] *= 1.0004
    assert plot_differences([moved], [committed]) == []
    moved["data"][2]["y"][1] += 0.02
    assert "data[2].y[1]" in plot_differences([moved], [committed])[0]
    renamed = json.loads(json.dumps(committed))
    renamed["data"][0]["name"] = "theory"
    assert plot_differences([renamed], [committed]) == [
        "the plot differs at data[0].name: 'limit' in the notebook, now 'theory'"
    ]
    assert plot_differences([], [committed]) == ["1 plots in the notebook, 0 when run again"]


def changing(panel, power):
    panel.theory(X, X, label=f"power {power}")


def nothing(panel, power):
    pass


def crooked(panel, power):
    panel.theory(X, X[:-1])


def infinite(panel, power):
    panel.line(X, X / 0.0 if power == 100 else np.full(5, np.inf), label="a")


def formula(panel, power):
    panel.theory(X, X, label="$x$")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"draw": changing}, ShapeError, "draw: at 2 it drew"),
        ({"draw": nothing}, InvalidValueError, "drew nothing at 1"),
        ({"draw": crooked}, ShapeError, r"y: got shape \(4,\)"),
        ({"draw": infinite}, InvalidValueError, "not finite"),
        ({"draw": formula}, InvalidValueError, r"label: got '\$x\$'"),
        ({"parameter": "width $n$"}, InvalidValueError, "parameter: got"),
        ({"start": 4}, InvalidValueError, "start: got 4, expected 0 to 3"),
        ({"shown": [0, 1, 2, 3]}, InvalidValueError, "shown: got"),
        ({"ylim": (1, 0)}, InvalidValueError, "ylim: got 1 and 0"),
    ],
)
def test_bad_input_names_the_argument(changes, error, message):
    with pytest.raises(error, match=message):
        figure(**changes)


def test_a_slider_needs_two_values_and_bars_two_seeds():
    with pytest.raises(InvalidValueError, match="values: got 1"):
        figures.interactive(draw, [1], parameter="p", xlabel="x", ylabel="y")
    with pytest.raises(ShapeError, match="1 seed"):
        figures.Panel().experiment([1.0], [[1.0]])
