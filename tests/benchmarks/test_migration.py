"""The migration page: our blocks run and agree with what neural-tangents returned."""

import json
import os
import sys

import numpy as np
import pytest

from benchmarks.migration import agreement
from benchmarks.migration.blocks import PAGE, blocks, fingerprint

TEXT = PAGE.read_text(encoding="utf-8")
RECORD = json.loads(agreement.RECORD.read_text(encoding="utf-8"))
# Double precision on both sides; a convention that is another one is off by far more.
TOLERANCE = 1e-9
# As the tests themselves are compiled; a worker is started without.
SOON = {name: os.environ[name] for name in ("JAX_DISABLE_MOST_OPTIMIZATIONS", "XLA_FLAGS")}


@pytest.fixture(scope="module")
def ours():
    """What our blocks compute, from an empty process as a reader would."""
    return agreement.run(sys.executable, "ntk", **SOON)


@pytest.fixture(scope="module")
def theirs():
    with np.load(agreement.GOLDEN) as stored:
        return {name: stored[name] for name in stored.files}


def test_our_blocks_agree_with_what_the_library_of_record_returned(ours, theirs):
    pairs = agreement.compare(theirs, ours)
    assert len(pairs) >= 15
    assert {name: pair for name, pair in pairs.items() if not pair["apart"] < TOLERANCE} == {}
    assert list(pairs) == list(RECORD["pairs"])
    assert all(RECORD["pairs"][name]["shape"] == pair["shape"] for name, pair in pairs.items())


# What a newcomer could forget, each in one section that no other one builds on.
FORGOTTEN = {
    "images": ("padding=\"SAME\", sigma_w=1.4, sigma_b=0.1), ntk.Relu(),\n    ntk.Global",
               "padding=\"SAME\", sigma_w=1.4), ntk.Relu(),\n    ntk.Global"),
    "standard": (', parametrization="standard")', ")"),
    "empirical": ("params, x_test, x)\n", 'params, x_test, x, output="pseudo")\n'),
    "flow": ('flow = ntk.GradientFlow(K.ntk, y, learning_rate=0.5, loss_scale="mean")',
             "flow = ntk.GradientFlow(K.ntk, y, learning_rate=0.5)"),
    "ridge": ("0.1 * jnp.mean(jnp.diag(K.ntk))", "0.1"),
    "rate": ("2 * y.size /", "2 * len(y) /"),
}  # fmt: skip


def test_a_convention_that_is_forgotten_is_told_apart(theirs, tmp_path):
    text = TEXT
    for section, (old, new) in FORGOTTEN.items():
        at = text.index(f"(migrate-{section})=")
        assert old in text[at:]
        text = text[:at] + text[at:].replace(old, new, 1)
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    pairs = agreement.compare(theirs, agreement.run(sys.executable, "ntk", page, **SOON))
    for name, pair in pairs.items():
        assert (pair["apart"] > 1e-3) == (name in FORGOTTEN), name


def test_the_stored_results_are_those_of_the_page():
    words = "run `python -m benchmarks.migration`"
    assert fingerprint(TEXT) == RECORD["peer_code"], words
    shown = agreement.FRAGMENT.read_text(encoding="utf-8")
    assert shown == agreement.fragment(RECORD, TEXT), words
    assert all(pair["apart"] < TOLERANCE for pair in RECORD["pairs"].values())


def test_every_section_with_a_pair_has_both_sides():
    sections = {}
    for block in blocks(TEXT):
        sections.setdefault(block.section, set()).add(block.caption)
    assert sections.pop("") == {"neural-tangents", "ntk", "both"}
    assert all(found >= {"neural-tangents", "ntk"} for found in sections.values())
