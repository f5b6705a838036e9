"""The check: verdict and control, the record's round trip, what is shown."""

import inspect
import json

import jax.numpy as jnp
import numpy as np
import pytest

from ntk.companion import claims
from ntk.companion.claims.record import Record
from ntk.companion.claims.render import as_html, as_text, bundle
from ntk.errors import InvalidTypeError, InvalidValueError, NTKError

WRONG = claims.Control("a wrong constant", 2.5)


def one(measured=2.0, predicted=2.0, rule=None, control=WRONG, **options):
    """Check something simple."""
    options = {"statement": "$1 + 1 < 3$", "source": "Peano"} | options
    return claims.check(
        "one-plus-one", rule or claims.Identity(), measured, predicted, control=control, **options
    )


def test_a_claim_that_stands_returns_its_record():
    record = one(source=claims.Source("jacot2018", "Proposition 1", ("S3",)))
    assert (record.verdict, record.measured, record.predicted) == ("pass", 2.0, 2.0)
    assert record.source == "Jacot 2018, Proposition 1; seed S3"
    data = record.to_json()
    assert data["control"] == {
        "what": "a wrong constant",
        "measured": 2.5,
        "predicted": 2.0,
        "rejected": True,
    }
    assert data["sources"][0]["cite"] == "jacot2018"
    assert data["rule"] == "identity, relative 1e-12"


def test_a_claim_that_fails_says_by_how_much():
    with pytest.raises(claims.ClaimFailedError) as caught:
        one(measured=2.1)
    message = str(caught.value)
    for part in ("one-plus-one", "identity, relative 1e-12", "measured 2.1", "predicted 2"):
        assert part in message
    assert "off by 0.1" in message


def test_a_control_that_is_not_rejected_fails_the_claim():
    with pytest.raises(claims.ClaimFailedError, match="control passed too"):
        one(control=claims.Control("the same again", 2.0))


def test_a_claim_that_can_fail_needs_a_control():
    with pytest.raises(claims.ClaimFailedError, match="no negative control"):
        one(control=None)


def test_a_control_may_have_its_own_prediction():
    record = one(control=claims.Control("misprint", 2.0, predicted=3.0))
    assert record.control.rejected
    assert "measured" not in record.control.what
    assert "2 against 3, rejected" in str(record)


def test_the_control_is_named_when_it_cannot_be_judged():
    with pytest.raises(InvalidValueError) as caught:
        one(control=claims.Control("diverges", float("nan")))
    assert "diverges" in caught.value.__notes__[0]


def test_an_open_claim_needs_neither_prediction_nor_control():
    record = one(measured=3.5, predicted=None, rule=claims.Open(), control=None, unit="s")
    assert (record.verdict, record.predicted, record.control) == ("open", None, None)
    assert "3.5 s" in str(record)
    with pytest.raises(InvalidValueError, match="rejects nothing"):
        one(rule=claims.Open())
    with pytest.raises(InvalidTypeError, match="predicted is missing"):
        one(predicted=None)


def test_arguments_of_the_wrong_kind():
    check = inspect.unwrap(claims.check)  # without the tests' own type checks
    words = {"statement": "x", "source": "y"}
    with pytest.raises(InvalidTypeError, match="rule must be a rule"):
        check("a", claims.Identity, 1.0, 1.0, control=WRONG, **words)
    with pytest.raises(InvalidTypeError, match="control must be"):
        check("a", claims.Identity(), 1.0, 1.0, control=2.5, **words)
    for bad in ("Two Words", "a_b", "-a", ""):
        with pytest.raises(InvalidValueError, match="id must be"):
            check(bad, claims.Identity(), 1.0, 1.0, control=WRONG, **words)
    with pytest.raises(InvalidValueError, match="statement"):
        one(statement=" ")
    with pytest.raises(InvalidValueError, match="source"):
        one(source="")


def test_sources():
    several = one(source=[claims.Source("lee2019", seeds=("S0", "S1")), "a lecture"])
    assert several.source == "Lee 2019; seeds S0, S1; a lecture"
    with pytest.raises(InvalidValueError, match="bibliography key"):
        claims.Source("Jacot et al.")
    with pytest.raises(InvalidValueError, match="got nothing"):
        claims.Source()


RECORDS = {
    "identity": lambda: one(np.ones(3), np.ones(3), control=claims.Control("2", 2 * np.ones(3))),
    "jax": lambda: one(
        jnp.ones(3), jnp.ones(3), claims.Identity(1e-6), claims.Control("2", [2.0] * 3)
    ),
    "monte-carlo": lambda: one(
        np.random.default_rng(0).normal(size=(40, 2)),
        [0.0, 0.0],
        claims.MonteCarlo(),
        claims.Control("shifted", np.random.default_rng(0).normal(3, size=(40, 2))),
    ),
    "slope": lambda: one(
        scaling(-0.5), -0.5, claims.Slope(-np.inf, -0.4), claims.Control("flat", scaling(0.0))
    ),
    "limit": lambda: one([3.0, 2.5, 2.05], 2.0, claims.Limit(0.1), claims.Control("c", [3, 3, 3])),
    "inequality": lambda: one(
        np.random.default_rng(0).normal(size=30),
        1,
        claims.Inequality("<", replicates=True),
        claims.Control("shifted", np.random.default_rng(0).normal(3, size=30)),
    ),
    "open": lambda: one([1, 2], None, claims.Open(), None),
}


def scaling(power):
    """Return values along a width."""
    widths = np.array([8, 16, 32, 64])
    noise = np.random.default_rng(1).lognormal(sigma=0.1, size=(4, 20))
    return claims.Scaling(widths, widths[:, None] ** float(power) * noise, paired=True)


@pytest.mark.parametrize("name", RECORDS)
def test_json_round_trip(name):
    """Also with sorted keys, as a notebook is saved."""
    record = RECORDS[name]()
    text = json.dumps(record.to_json(), allow_nan=False, sort_keys=True)
    restored = Record.from_json(json.loads(text))
    assert restored.to_json() == record.to_json()
    assert bundle(restored) == bundle(record)
    assert restored.contradiction() is None
    assert restored.shortcomings() == []


def plain(value):
    """Whether a value is made of plain Python types only."""
    if isinstance(value, dict):
        return all(type(k) is str and plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return value is None or type(value) in {str, bool, int, float}


@pytest.mark.parametrize("name", RECORDS)
def test_records_hold_plain_types(name):
    assert plain(RECORDS[name]().to_json())


def edit(**changes):
    """Return a record with fields changed by hand."""
    return one().to_json() | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verdict": "maybe"}, "verdict must be"),
        ({"measured": "2.0"}, "measured must be numbers"),
        ({"measured": None}, "got null"),
        ({"measured": float("nan")}, "finite"),
        ({"measured": True}, "measured must be numbers"),
        ({"id": 5}, "id must be a string"),
        ({"rule": "identity, relative 1e-3"}, "its parts say"),
        ({"source": "elsewhere"}, "its parts say"),
        ({"kind": "guess"}, "the rules are"),
        ({"parameters": {"tolerence": 1.0}}, "cannot be read"),
        ({"interval": [1.0]}, "interval must be two numbers"),
        ({"sample": {"people": 3}}, "sample may hold"),
        ({"control": {"what": "x"}}, "cannot be read"),
        ({"extra": 1}, "unknown"),
    ],
)
def test_malformed_records_are_refused(changes, message):
    with pytest.raises(NTKError, match=message):
        Record.from_json(edit(**changes))


def test_a_record_must_be_an_object_with_all_fields():
    with pytest.raises(NTKError, match="JSON object"):
        Record.from_json([1])
    with pytest.raises(NTKError, match=r"lacks the fields.*within"):
        Record.from_json({k: v for k, v in edit().items() if k != "within"})


def contradiction(name="identity", **changes):
    """Return what a record edited by hand gives away."""
    return Record.from_json(RECORDS[name]().to_json() | changes).contradiction()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("identity", {"measured": 1e-3}),
        ("identity", {"verdict": "fail"}),
        ("identity", {"verdict": "open"}),
        ("open", {"verdict": "pass"}),
        ("monte-carlo", {"measured": [5.0, 0.0]}),
        ("monte-carlo", {"predicted": [0.0, 5.0]}),
        ("slope", {"interval": [-0.6, -0.3]}),
        ("slope", {"measured": -0.9}),
        ("limit", {"measured": 2.2}),
        ("inequality", {"interval": [-1.0, 1.5]}),
        ("inequality", {"verdict": "fail"}),
    ],
)
def test_a_verdict_that_contradicts_the_numbers_is_noticed(name, changes):
    assert contradiction(name, **changes) is not None


def test_a_control_that_would_pass_is_noticed():
    control = one().to_json()["control"]
    assert "meet the rule" in contradiction(control=control | {"measured": 0.0, "predicted": 0.0})
    assert "not rejected" in contradiction(control=control | {"rejected": False})


def test_html_escapes_and_keeps_the_mathematics():
    html = as_html(one())
    assert "$1 + 1 &lt; 3$" in html
    assert html.count('class="ntk-measured"') == 1
    assert "<code>one-plus-one</code>: <strong>pass</strong>" in html


def test_text_is_what_a_plain_session_prints():
    record = one()
    assert str(record) == as_text(record)
    assert as_text(record).startswith("claim one-plus-one: pass\n  Statement: $1 + 1 < 3$")


CELL = """
from ntk.companion import claims
result = None
def one(measured):
    return claims.check("one", claims.Identity(), measured, 2.0, statement="s", source="p",
        control=claims.Control("c", 3.0))
"""


@pytest.fixture(scope="module")
def shell():
    """Return an IPython shell that collects what is displayed."""
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance(display_pub_class=CapturingDisplayPublisher)
    shell.run_cell(CELL).raise_error()
    yield shell
    InteractiveShell.clear_instance()


def test_a_cell_shows_the_record_once(shell):
    shell.display_pub.outputs.clear()
    shell.run_cell("one(2.0)").raise_error()
    (output,) = shell.display_pub.outputs
    assert set(output["data"]) == {claims.MIME, "text/html", "text/plain"}
    assert shell.display_formatter.format(shell.user_ns["_"]) == ({}, {})


def test_a_claim_that_fails_is_shown_before_it_raises(shell):
    shell.display_pub.outputs.clear()
    result = shell.run_cell("one(2.1)", silent=True)
    (output,) = shell.display_pub.outputs
    assert output["data"][claims.MIME]["verdict"] == "fail"
    assert isinstance(result.error_in_exec, claims.ClaimFailedError)
