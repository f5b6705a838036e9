"""Bad input gets an error that names the argument and the fix, never a number."""

import jax
import jaxtyping
import numpy as np
import pytest

import ntk
from ntk import spectra
from ntk.errors import InvalidTypeError, InvalidValueError, NTKError, ShapeError

EYE, Y, K = np.eye(3, dtype=np.float32), np.ones((3, 1), np.float32), np.arange(1.0, 9.0)


@pytest.fixture(autouse=True)
def as_a_user_would():
    """Switch off the shape checks of the test suite, which would speak before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


class Rectangle:
    shape, dtype = (3, 2), np.dtype("float32")

    def matvec(self, _):
        raise AssertionError("not looked at")


def operator(x2):
    x = np.ones((2, 3), np.float32)
    return ntk.NTKOperator(lambda w, x: x @ w, np.ones((3, 1), np.float32), x, x2)


CASES = {
    "not square": (lambda: spectra.eigenvalues(EYE[:2]), ShapeError, "K must be square"),
    "a vector": (lambda: spectra.eigenvalues(EYE[0]), ShapeError, "K must"),
    "asymmetric": (
        lambda: spectra.eigenvalues(np.triu(np.ones((3, 3), np.float32))),
        InvalidValueError,
        r"K is not symmetric.*\(K \+ K.T\) / 2",
    ),
    "NaN": (lambda: spectra.condition_number(EYE * np.nan), InvalidValueError, "K has 9"),
    "too many": (lambda: spectra.eigenvalues(EYE, 4), InvalidValueError, "count=4.*size is 3"),
    "no count": (lambda: spectra.eigenvalues(EYE, 0), InvalidValueError, "count must be at least"),
    "an oblong operator": (lambda: spectra.eigenvalues(Rectangle(), 1), ShapeError, "square"),
    "two sets of examples": (
        lambda: spectra.eigenvalues(operator(np.zeros((2, 3), np.float32)), 1),
        InvalidValueError,
        "K is not symmetric",
    ),
    "no ridge": (lambda: spectra.effective_dimension(EYE, 0.0), InvalidValueError, "the rank"),
    "negative ridge": (lambda: spectra.effective_dimension(EYE, -1), InvalidValueError, "ridge"),
    "targets": (lambda: spectra.decompose(EYE, Y[:2]), ShapeError, "y must have shape"),
    "indefinite": (lambda: spectra.decompose(-EYE, Y), InvalidValueError, "semi-definite"),
    "flat targets": (lambda: spectra.target_alignment(EYE, Y[:, 0]), ShapeError, r"y\[:, None\]"),
    "no targets": (lambda: spectra.target_alignment(EYE, 0 * Y), InvalidValueError, "y is zero"),
    "constant targets": (
        lambda: spectra.target_alignment(EYE, Y, centre=True),
        InvalidValueError,
        "y is zero, or constant",
    ),
    "other points": (lambda: spectra.cka(EYE, EYE[:2, :2]), ShapeError, "same points"),
    "constant kernel": (
        lambda: spectra.cka(np.ones((3, 3), np.float32), EYE),
        InvalidValueError,
        "K1 is zero, or constant",
    ),
    "the line": (
        lambda: spectra.zonal_spectrum(np.exp, 1),
        InvalidValueError,
        "dimension .*at least 2, got 1; the circle has 2",
    ),
    "half a dimension": (
        lambda: spectra.zonal_spectrum(np.exp, 2.5),
        InvalidTypeError,
        "dimension must be a whole number",
    ),
    "negative degree": (lambda: spectra.multiplicity(3, -1), InvalidValueError, "degree"),
    "no kernel": (lambda: spectra.zonal_spectrum("relu", 3), InvalidTypeError, r"ntk\.mlp\(2\)"),
    "which kernel": (
        lambda: spectra.zonal_spectrum(ntk.mlp(1), 3, get="nkt"),
        InvalidValueError,
        "did you mean 'ntk'",
    ),
    "radius": (
        lambda: spectra.zonal_spectrum(ntk.mlp(1), 3, radius=-1),
        InvalidValueError,
        "radius",
    ),
    "a number for a kernel": (
        lambda: spectra.zonal_spectrum(np.sum, 3),
        InvalidValueError,
        "kernel must be elementwise",
    ),
    "a pole": (
        lambda: spectra.zonal_spectrum(lambda t: np.where(t > 0, np.inf, 0), 3),
        InvalidValueError,
        r"kernel\(cosine\) has .* infinite",
    ),
    "few values": (
        lambda: spectra.power_law(K[:4]),
        InvalidValueError,
        "an exponent needs 5 values or more.*there are 4",
    ),
    "narrow range": (
        lambda: spectra.power_law(np.arange(1.0, 99.0), start=80, stop=90),
        InvalidValueError,
        "over a factor of 2",
    ),
    "nothing in the range": (
        lambda: spectra.power_law(K, start=90),
        InvalidValueError,
        "there are 0",
    ),
    "values that vanish": (
        lambda: spectra.power_law(np.append(K, 0.0)),
        InvalidValueError,
        "rank 9 is not; end the range",
    ),
    "three seeds": (
        lambda: spectra.power_law(np.ones((3, 9))),
        InvalidValueError,
        "interval over seeds needs 5",
    ),
    "a table of ranks": (lambda: spectra.power_law(K, ranks=EYE), ShapeError, "ranks must have"),
    "confidence": (lambda: spectra.power_law(K, confidence=99), InvalidValueError, "confidence"),
    "traced values": (
        lambda: jax.jit(lambda v: spectra.power_law(v).exponent)(K),
        InvalidTypeError,
        "values must be an array of concrete",
    ),
    "text": (lambda: spectra.power_law("abc"), InvalidTypeError, "values must hold real"),
    "not geometric": (lambda: spectra.local_exponents(K, K), InvalidValueError, "geometric"),
    "one value": (lambda: spectra.local_exponents(K[:2], K[:2]), ShapeError, "3 values or more"),
    "lengths": (lambda: spectra.local_exponents(K, K[:3]), ShapeError, "k and values"),
    "negative eigenvalue": (
        lambda: spectra.learning_curve(-K, K, 3),
        InvalidValueError,
        "eigenvalues must not be negative",
    ),
    "no eigenvalue": (
        lambda: spectra.learning_curve(0 * K, K, 3),
        InvalidValueError,
        "nothing to learn with",
    ),
    "power": (lambda: spectra.learning_curve(K, K[:2], 3), ShapeError, r"power .*\(8,\).*\(2,\)"),
    "a matrix": (lambda: spectra.learning_curve(EYE, K, 3), ShapeError, r"eigenvalues .*modes"),
    "no samples": (lambda: spectra.learning_curve(K, K, 0), InvalidValueError, "n counts samples"),
    "ridge below zero": (
        lambda: spectra.learning_curve(K, K, 3, ridge=-1e-3),
        InvalidValueError,
        "ridge must be at least 0, got -0.001",
    ),
    "noise": (lambda: spectra.learning_curve(K, K, 3, noise=-1), InvalidValueError, "noise"),
}


@pytest.mark.parametrize("name", CASES)
def test_error_names_the_argument_and_the_fix(name):
    call, kind, message = CASES[name]
    with pytest.raises(kind, match=message) as caught:
        call()
    assert isinstance(caught.value, NTKError)
    assert isinstance(caught.value, ValueError | TypeError)
