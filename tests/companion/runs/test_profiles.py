"""The profiles of the book: `fast` is what the pages show, both fit the notebooks."""

from pathlib import Path

import pytest
import yaml

from ntk.companion.book.project import Project
from ntk.companion.runs.parameters import read_parameters
from ntk.companion.runs.profiles import profile_parameters
from ntk.companion.runs.single import make_plan, read_notebook

PROJECT = Project.find(Path(__file__).parent)
PAIRS = PROJECT.pairs()


def profile(name):
    return yaml.safe_load((PROJECT.notebooks / "profiles" / f"{name}.yaml").read_text())


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.slug)
def test_fast_is_the_parameters_cell(pair):
    assert profile("fast").get(pair.slug) == read_parameters(read_notebook(pair))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.slug)
def test_full_fits_the_notebook_and_is_no_smaller(pair):
    defaults = read_parameters(read_notebook(pair))
    full = profile_parameters(PROJECT, pair, "full", defaults)
    assert full
    for name, value in full.items():
        if isinstance(value, list):
            assert len(value) >= len(defaults[name]), name
        elif name.endswith("_rate"):  # a smaller step takes more of them
            assert value <= defaults[name], name
        elif not isinstance(value, str):
            assert value >= defaults[name], name
    assert make_plan(PROJECT, pair, "full").parameters == {**defaults, **full}


@pytest.mark.parametrize("name", ["fast", "full"])
def test_profiles_name_existing_notebooks(name):
    assert set(profile(name)) <= {pair.slug for pair in PAIRS}
