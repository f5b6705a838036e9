"""What cannot be used is refused with the name of the argument, what came and the fix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.empirical import NTKOperator, empirical_nngp, empirical_ntk_parts, explain_empirical

W, X = jnp.ones((3, 2)), jnp.eye(4, 3)


def linear(w, x):
    return x @ w


def mixes(w, x):
    y = x @ w
    return y - y.mean(0)


CASES = {
    "no function": ((3, W, X), {}, "f must be a function"),
    "integer parameters": ((linear, {"w": W.astype(int)}, X), {}, r"params\['w'\] has dtype int32"),
    "complex parameters": ((linear, W + 0j, X), {}, "dtype complex64.*close over the others"),
    "no parameters": ((linear, {}, X), {}, "nothing to differentiate"),
    "NaN in parameters": ((linear, {"w": W * jnp.nan}, X), {}, r"params\['w'\] has 6 value"),
    "NaN in inputs": ((linear, W, X.at[1, 2].set(jnp.nan)), {}, r"x1 has 1 value.*\(1, 2\)"),
    "NaN in results": ((lambda w, x: x @ w / 0, W, X), {}, r"f\(params, x1\) has"),
    "vector result": ((lambda w, x: (x @ w)[:, 0], W, X), {}, r"return y\[:, None\]"),
    "scalar result": ((lambda w, x: (x @ w).sum(), W, X), {}, r"shape \(n, k\) with n = 4"),
    "two results": ((lambda w, x: (x @ w, x), W, X), {}, "must return one array"),
    "integer result": ((lambda w, x: jnp.argmax(x @ w, 1)[:, None], W, X), {}, "real and floating"),
    "mixing": ((mixes, W, X), {}, r"mixes the examples.*coupled=True"),
    "mixing seen in x2": ((mixes, W, X[:1], X), {}, r"mixes the examples.*f\(params, x2\)"),
    "mixing with those before": (
        (lambda w, x: jnp.cumsum(x @ w, 0), W, X),
        {},
        r"params, x1\[-1:\]",
    ),
    "mixing behind zeros": (
        (lambda p, x: mixes(p["w"], x) @ p["out"], {"w": W, "out": jnp.zeros((2, 2))}, X),
        {},
        "mixes the examples",
    ),
    "a batch of one length": (
        (lambda w, x: jnp.ones((4, 4)) @ x @ w, W, X),
        {},
        r"batch of 4 but f\(params, x1\[:1\]\) fails: f must take any number.*It says:",
    ),
    "a result of one length": (
        (lambda w, x: jnp.ones((4, 1)) * (x @ w).sum(), W, X),
        {},
        r"f\(params, x1\[:1\]\) has shape \(4, 1\), not one row",
    ),
    "other features": ((linear, W, X, X[:, :2]), {}, "must have the same features"),
    "other structure": ((linear, W, X, {"x": X}), {}, "x1 and x2 must be alike"),
    "empty": ((linear, W, X[:0]), {}, "x1 is empty"),
    "unknown output": ((linear, W, X), {"output": "trace"}, "output must be one of"),
    "output out of range": ((linear, W, X), {"output": 2}, "output=2 is not among the 2 outputs"),
    "output of another type": ((linear, W, X), {"output": 1.5}, "output must be one of"),
    "true as output": ((linear, W, X), {"output": True}, "output must be one of"),
    "unknown method": ((linear, W, X), {"method": "structure"}, "did you mean 'structured'"),
    "unreadable budget": ((linear, W, X), {"memory": "much"}, "such as '2GiB'"),
    "too small a budget": ((linear, W, X), {"memory": 8}, "at least memory="),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused(quick, case):
    arguments, options, match = CASES[case]
    call = ntk.empirical_ntk
    # Beartype would object to what the annotations already exclude.
    call = getattr(call, "__wrapped__", call)
    with pytest.raises(ntk.errors.NTKError, match=match):
        call(*arguments, **options)


@pytest.mark.parametrize(
    "function", [NTKOperator, empirical_nngp, empirical_ntk_parts, explain_empirical]
)
@pytest.mark.parametrize("case", ["vector result", "NaN in inputs", "other features"])
def test_the_others_refuse_it_too(quick, function, case):
    arguments, options, match = CASES[case]
    with pytest.raises(ntk.errors.NTKError, match=match):
        function(*arguments, **options)


def test_a_model_that_mixes_is_taken_as_it_is_when_coupled(x64, quick):
    jacobian = jax.jacrev(mixes)(jnp.asarray(W, float), X.astype(float)).reshape(4, 2, -1)
    full = ntk.empirical_ntk(
        mixes, jnp.asarray(W, float), X.astype(float), output="full", coupled=True
    )
    np.testing.assert_allclose(full, np.einsum("iap,jbp->ijab", jacobian, jacobian), atol=1e-12)


def test_a_readout_of_zeros_is_no_reason_to_refuse(x64, quick):
    params = {"w": jnp.ones((3, 2)), "out": jnp.zeros((2, 1)), "length": jnp.zeros(())}
    K = ntk.empirical_ntk(lambda p, x: jnp.tanh(x @ p["w"]) @ p["out"] + p["length"], params, X)
    h = np.tanh(np.asarray(X) @ np.ones((3, 2)))
    np.testing.assert_allclose(K, h @ h.T + 1, rtol=1e-6)
