"""Under nbval a drift in the last digits passes, and a number changed by hand does not."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import v4

from ntk.companion import claims
from ntk.companion.claims.nbval_hook import differences
from ntk.companion.claims.record import Record
from ntk.companion.claims.render import bundle

ROOT = Path(__file__).resolve().parents[3]
CONFTEST = "from ntk.companion.claims.nbval_hook import install\ninstall()\ninstall()\n"
CELLS = [
    """
import os
import numpy as np
from ntk.companion import claims
drift = float(os.environ.get("DRIFT", "1"))
draws = np.random.default_rng(0).normal(1.0, size=(50, 2))
x = np.array([8, 16, 32, 64])
noise = np.random.default_rng(1).lognormal(sigma=0.1, size=(4, 20))
print("four is", 4)
""",
    """
claims.check("mean", claims.MonteCarlo(), draws * drift, [1.0, 1.0], statement="$m$", source="p",
    control=claims.Control("shifted", draws + 2))
claims.check("rate", claims.Slope.around(-1.0), claims.Scaling(x, x[:, None] ** -drift * noise),
    -1.0, statement="$s$", source="p", control=claims.Control("flat", claims.Scaling(x, noise)))
""",
    """
claims.check("exact", claims.Identity(1e-6), 2.0 * drift, 2.0, statement="$i$", source="p",
    control=claims.Control("wrong", 3.0))
""",
    """
from IPython.display import display
plot = {"data": [{"y": [1.0 * drift, 2.0], "name": "a curve"}]}
display({"application/vnd.plotly.v1+json": plot, "text/plain": "a plot"}, raw=True)
""",
]


@pytest.fixture(scope="module")
def executed():
    """Return an executed notebook."""
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source.strip()) for source in CELLS])
    NotebookClient(notebook, record_timing=False, resources={"metadata": {"path": ROOT}}).execute()
    return notebook


def claim(notebook, name):
    """Return the MIME bundle of a claim, to be tampered with."""
    bundles = (o["data"] for c in notebook.cells for o in c.outputs if "data" in o)
    return next(b for b in bundles if b.get(claims.MIME, {}).get("id") == name)


def nbval(folder, notebook, hook=True, drift="1"):
    """Run nbval on a notebook, return its exit code and what it printed."""
    nbformat.write(notebook, folder / "02_x.ipynb")
    (folder / "conftest.py").write_text(CONFTEST if hook else "", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    options = ["--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider", "--color=no"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "02_x.ipynb"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "DRIFT": drift},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def test_the_same_numbers_pass(executed, tmp_path):
    code, printed = nbval(tmp_path, executed)
    assert code == 0, printed


def test_a_drift_in_the_last_digits_passes_thanks_to_the_hook(executed, tmp_path):
    code, printed = nbval(tmp_path, executed, drift="1.000000001")
    assert code == 0, printed
    code, _ = nbval(tmp_path, executed, drift="1.000000001", hook=False)
    assert code == 1


def test_a_larger_drift_fails(executed, tmp_path):
    """Even where the verdict stays "pass", as for a slope that moved within its band."""
    code, printed = nbval(tmp_path, executed, drift="1.05")
    assert code == 1
    assert "claim 'rate': measured is" in printed
    assert "the plot differs at data[0].y[0]: 1.0 in the notebook, now 1.05" in printed


def test_tampering_fails_under_nbval(executed, tmp_path):
    """One of each kind at once, each in a cell of its own; the kinds by themselves are below."""
    notebook = copy.deepcopy(executed)
    notebook.cells[0].outputs[0]["text"] = "four is 5\n"
    rate = claim(notebook, "rate")
    rate["text/html"] = rate["text/html"].replace("-1", "-2", 1)
    claim(notebook, "exact")[claims.MIME]["verdict"] = "fail"
    code, printed = nbval(tmp_path, notebook)
    assert code == 1
    assert "3 failed" in printed
    assert "four is 5" in printed
    assert "claim 'rate': the notebook's text/html is not what its record renders to" in printed
    assert "claim 'exact': verdict 'fail', but the numbers meet the rule" in printed


def tampered(executed, name, consistent=True, **changes):
    """Return a bundle with a record changed by hand, its table and text changed to match."""
    data = copy.deepcopy(dict(claim(executed, name)))
    data[claims.MIME] = json.loads(json.dumps(data[claims.MIME])) | changes
    return bundle(Record.from_json(data[claims.MIME])) if consistent else data


def recorded(executed, name, field):
    """Return a field of a record, as plain values."""
    return json.loads(json.dumps(claim(executed, name)[claims.MIME][field]))


def found(executed, name, bundle_):
    """Return what the comparison says about a tampered bundle."""
    return " ".join(differences([dict(claim(executed, name))], [bundle_]))


@pytest.mark.parametrize("name", ["mean", "rate", "exact"])
def test_an_untouched_record_has_no_differences(executed, name):
    assert found(executed, name, tampered(executed, name)) == ""


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        (
            "mean",
            lambda r: {"measured": [r("measured")[0] + 1.1 * r("within")[0], r("measured")[1]]},
            "measured is",
        ),
        (
            "mean",
            lambda r: {
                "measured": r("measured")[:1],
                "predicted": [1.0],
                "within": r("within")[:1],
            },
            "measured is",
        ),
        ("mean", lambda _: {"predicted": [1.0, 1.0001]}, "predicted is"),
        ("mean", lambda _: {"within": [9.0, 9.0], "measured": [5.0, 5.0]}, "within is"),
        ("mean", lambda r: {"sample": r("sample") | {"replicates": 500}}, "sample is"),
        ("mean", lambda _: {"statement": "$m'$"}, "statement is"),
        ("rate", lambda r: {"measured": r("measured") + 1.5 * r("within")}, "measured is"),
        ("rate", lambda _: {"interval": [-1.09, -0.91]}, "interval is"),
        ("rate", lambda _: {"interval": None}, "interval is"),
        ("rate", lambda _: {"predicted": -0.999}, "predicted is"),
        ("rate", lambda _: {"control": None}, "the control is"),
        ("rate", lambda r: {"control": r("control") | {"measured": -1.0}}, "control.measured is"),
        ("rate", lambda r: {"control": r("control") | {"what": "x"}}, "control.what is"),
        ("exact", lambda r: {"control": r("control") | {"rejected": False}}, "control.rejected is"),
        ("exact", lambda r: {"control": r("control") | {"predicted": 4.0}}, "control.predicted is"),
        ("exact", lambda _: {"measured": 2.1}, "do not meet the rule"),
        ("exact", lambda _: {"verdict": "fail"}, "verdict is 'fail' in the notebook"),
        ("exact", lambda _: {"id": "other"}, "id is 'other'"),
    ],
)
def test_each_kind_of_tampering_is_found(executed, name, change, expected):
    changes = change(lambda field: recorded(executed, name, field))
    assert expected in found(executed, name, tampered(executed, name, **changes))


def test_a_digit_planted_in_one_of_the_three_is_found(executed):
    for mime in ("text/html", "text/plain"):
        data = tampered(executed, "rate")
        data[mime] = data[mime].replace("0.9", "0.8", 1) + ("" if "0.9" in data[mime] else " ")
        assert f"{mime} is not what its record renders to" in found(executed, "rate", data)
    # Within the tolerance, but table and text still say something else.
    measured = recorded(executed, "rate", "measured") * (1 + 1e-4)
    data = tampered(executed, "rate", consistent=False, measured=measured)
    assert "renders to" in found(executed, "rate", data)
    data = tampered(executed, "rate")
    del data["text/plain"]
    assert "text/plain is not what" in found(executed, "rate", data)


def test_a_rule_that_was_loosened_is_found(executed):
    loose = claims.Identity(1e-3)
    changes = {"rule": loose.describe(), "parameters": loose.parameters()}
    message = found(executed, "exact", tampered(executed, "exact", **changes))
    assert "rule is" in message
    assert "parameters is" in message
    assert "malformed" in found(
        executed, "exact", tampered(executed, "exact", consistent=False, rule=loose.describe())
    )


def test_a_claim_more_or_less_is_found(executed):
    data = dict(claim(executed, "exact"))
    assert differences([], [data]) == ["1 claims in the notebook, 0 when run again"]
    assert differences([data, data], [data]) != []
