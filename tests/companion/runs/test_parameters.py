"""Names and types of parameters, as they are written in notebooks, profiles and commands."""

import nbformat
import pytest

from ntk.companion.runs.parameters import check, read_parameters
from ntk.companion.runs.profiles import profile_parameters, resolve
from ntk.companion.runs.single import make_plan, read_notebook
from ntk.companion.runs.written import grid_values, parse, split
from ntk.errors import InvalidTypeError, InvalidValueError, UnknownNameError

DEFAULTS = {
    "width": 64,
    "rate": 0.5,
    "biased": True,
    "name": "erf",
    "widths": [64, 128],
    "sizes": [0.1, 0.2],
    "grid": [[1, 2], [3, 4]],
    "names": ["erf"],
}


def notebook(code):
    cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["parameters"]})
    return nbformat.v4.new_notebook(cells=[cell])


def test_parameters_are_read_with_types_and_order():
    read = read_parameters(notebook("b = -1\na: float = 1e-3\nc = ['x']\n# a comment\n"))
    assert read == {"b": -1, "a": 1e-3, "c": ["x"]}
    assert list(read) == ["b", "a", "c"]


def test_a_notebook_without_the_cell_has_no_parameters():
    assert read_parameters(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("a=1")])) == {}


@pytest.mark.parametrize(
    "code", ["a = 2**0.5", "a = f(1)", "a, b = 1, 2", "a = {1: 2}", "print(1)"]
)
def test_a_parameters_cell_holds_plain_values_only(code):
    with pytest.raises(InvalidValueError, match="plain values"):
        read_parameters(notebook(code))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("width", "32", 32),
        ("width", "1_000", 1000),
        ("rate", "0.1", 0.1),
        ("rate", "2", 2.0),
        ("rate", "1e-3", 0.001),
        ("biased", "false", False),
        ("biased", "True", True),
        ("name", "relu", "relu"),
        ("name", "'relu'", "relu"),
        ("name", "3", "3"),
        ("widths", "[1, 2, 3]", [1, 2, 3]),
        ("widths", "1,2", [1, 2]),
        ("sizes", "[1, 0.5]", [1.0, 0.5]),
        ("grid", "[[1], [2, 3]]", [[1], [2, 3]]),
        ("names", '["a", "b"]', ["a", "b"]),
    ],
)
def test_values_are_read_in_the_type_of_the_default(name, text, value):
    taken = parse(name, text, DEFAULTS)
    assert taken == value
    assert type(taken) is type(DEFAULTS[name])
    if isinstance(value, list):
        assert [type(entry) for entry in taken] == [type(entry) for entry in value]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("width", "3.5", "int"),
        ("width", "True", "int"),
        ("width", "'3'", "int"),
        ("width", "[3]", "int"),
        ("rate", "True", "float"),
        ("rate", "1e999", "float"),
        ("biased", "1", "bool"),
        ("widths", "3", "list of int"),
        ("widths", "[0.5]", "list of int"),
        ("widths", "[1, None]", "list of int"),
        ("sizes", "['a']", "list of float"),
        ("grid", "[1, 2]", "list of list of int"),
    ],
)
def test_a_wrong_type_is_refused_with_the_right_one(name, text, expected):
    with pytest.raises(InvalidTypeError) as refused:
        parse(name, text, DEFAULTS)
    assert name in str(refused.value)
    assert f"expected {expected} like the default" in str(refused.value)


@pytest.mark.parametrize("text", ["many", "1 +", "[1, 2", "import os", "2**4"])
def test_what_is_no_value_is_refused_with_an_example(text):
    with pytest.raises(
        InvalidValueError, match="cannot be read as int; write for example -p width="
    ):
        parse("width", text, DEFAULTS)


def test_an_unknown_name_is_told_with_close_ones_and_the_list():
    with pytest.raises(UnknownNameError, match="did you mean width") as refused:
        parse("widht", "3", DEFAULTS)
    assert "biased" in str(refused.value)


@pytest.mark.parametrize("pair", ["width", "=3", "width:3"])
def test_what_is_not_name_equals_value_is_refused(pair):
    with pytest.raises(InvalidValueError, match="NAME=VALUE"):
        split([pair])


def test_a_name_is_given_once():
    assert split(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    with pytest.raises(InvalidValueError, match="twice"):
        split(["a=1", "a=2"])


def test_a_sweep_takes_lists_of_values_each_once():
    assert grid_values("width", "[1, 2, 1]", DEFAULTS) == [1, 2]
    assert grid_values("widths", "[[1, 2], [3]]", DEFAULTS) == [[1, 2], [3]]
    assert grid_values("biased", "[true, false]", DEFAULTS) == [True, False]
    assert grid_values("rate", "[1, 1.0]", DEFAULTS) == [1.0]


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("width", "3", InvalidTypeError, r"a list of values, each int.*-p width='\[3\]'"),
        ("width", "[]", InvalidTypeError, "a list of values"),
        ("widths", "[1, 2]", InvalidTypeError, "a list of lists"),
        ("width", "[1, 'a']", InvalidTypeError, "expected int"),
        ("name", "[relu, erf]", InvalidValueError, "cannot be read"),
        ("widht", "[1]", UnknownNameError, "did you mean width"),
    ],
)
def test_a_sweep_refuses_what_is_no_list_of_values(name, text, error, message):
    with pytest.raises(error, match=message):
        grid_values(name, text, DEFAULTS)


# --- profiles -------------------------------------------------------------------------------------


def test_own_values_go_before_the_profile_before_the_defaults(project, plain):
    plan = make_plan(project, plain, "full", {"width": "3"})
    assert plan.parameters["width"] == 3
    assert plan.parameters["widths"] == [8, 16]
    assert plan.parameters["rate"] == 0.5
    assert resolve({"a": 1}, {}, {}) == {"a": 1}


def test_fast_is_what_the_notebook_says(project, plain):
    defaults = read_parameters(read_notebook(plain))
    assert profile_parameters(project, plain, "fast", defaults) == {}


def test_an_unknown_profile_is_told_with_the_known_ones(project, plain):
    with pytest.raises(UnknownNameError, match=r"did you mean full\? There are: fast, full"):
        make_plan(project, plain, "fulll")


def test_a_profile_without_the_notebook_says_where_to_add_it(project, claiming):
    with pytest.raises(UnknownNameError, match=r"notebooks/profiles/full\.yaml"):
        make_plan(project, claiming, "full")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("01_plain: {widht: 3}", UnknownNameError),
        ("01_plain: {width: wide}", InvalidTypeError),
        ("01_plain: [3]", InvalidTypeError),
        ("01_plain: {", InvalidValueError),
    ],
)
def test_a_profile_is_checked_like_what_a_user_writes(project, plain, text, error):
    (project.notebooks / "profiles" / "full.yaml").write_text(text)
    with pytest.raises(error) as refused:
        make_plan(project, plain, "full")
    assert "full.yaml" in " ".join([str(refused.value), *getattr(refused.value, "__notes__", [])])


def test_check_takes_values_too():
    assert check("rate", 1, DEFAULTS) == 1.0
    with pytest.raises(UnknownNameError):
        check("rat", 1, DEFAULTS)
