"""Training of finite networks, against closed forms and against steps taken by hand."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ntk

pytestmark = pytest.mark.usefixtures("quick")

RNG = np.random.default_rng(0)
X, X_TEST = RNG.standard_normal((6, 4)), RNG.standard_normal((3, 4))
Y, W0 = RNG.standard_normal((6, 2)), RNG.standard_normal((4, 2))
UNEVEN = [0, 1, 5, 12]


def linear(w, x):
    return jnp.asarray(x) @ w


def small_net(seed=0, width=8):
    net = ntk.mlp(1, width, "erf", sigma_w=1.4, sigma_b=0.3, outputs=2)
    return net, net.init(jax.random.key(seed), (4,))


@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_descent_of_a_linear_model_is_a_power(x64, loss_scale):
    scale = 1 / Y.size if loss_scale == "mean" else 1.0
    eta = 0.05 / scale
    result = ntk.train(
        linear,
        W0,
        X,
        Y,
        learning_rate=eta,
        steps=15,
        loss_scale=loss_scale,
        at=UNEVEN,
        x_test=X_TEST,
    )
    shrink = np.eye(4) - eta * scale * X.T @ X
    best = np.linalg.lstsq(X, Y)[0]
    weights = [best + np.linalg.matrix_power(shrink, s) @ (W0 - best) for s in [*UNEVEN, 15]]
    np.testing.assert_allclose(result.params, weights.pop(), rtol=1e-10)
    np.testing.assert_allclose(result.outputs, X @ np.stack(weights), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(result.outputs_test, X_TEST @ np.stack(weights), rtol=1e-10)
    losses = [scale * 0.5 * ((X @ w - Y) ** 2).sum() for w in weights]
    np.testing.assert_allclose(result.loss, losses, rtol=1e-10)
    np.testing.assert_allclose(result.highest_loss, losses[0], rtol=1e-10)
    np.testing.assert_allclose(result.times, eta * np.asarray(UNEVEN), rtol=1e-12)
    assert int(result.diverged_at) == -1


def test_the_record_lies_on_the_flow_as_steps_become_small(x64):
    net, params = small_net(width=32)
    f_lin = ntk.linearize(net.apply, params)
    K = ntk.empirical_ntk(f_lin, params, X, output=0)
    flow = ntk.GradientFlow(K, Y[:, :1], loss_scale="mean")
    first = lambda p, x: f_lin(p, x)[:, :1]  # noqa: E731
    gaps = []
    for eta in (0.02, 0.01):
        result = ntk.train(
            first,
            params,
            X,
            Y[:, :1],
            learning_rate=eta,
            steps=round(1.0 / eta),
            loss_scale="mean",
            at=[0.0, 0.5, 1.0],
        )
        np.testing.assert_allclose(result.times, [0.0, 0.5, 1.0], rtol=1e-12)
        gaps.append(np.abs(result.outputs - flow.train(result.times, result.outputs[0])).max())
    assert gaps[0] > 1e-5
    assert 1.9 < gaps[0] / gaps[1] < 2.1


@pytest.mark.parametrize("at", [UNEVEN, [3, 6, 9, 12]])
def test_momentum_is_the_recursion_of_the_heavy_ball(x64, at):
    result = ntk.train(
        linear,
        W0,
        X,
        Y,
        learning_rate=0.02,
        steps=12,
        at=at,
        optimizer=partial(optax.sgd, momentum=0.7),
    )
    w, m, path = W0, 0.0, [W0]
    for _ in range(12):
        m = 0.7 * m + X.T @ (X @ w - Y)
        w = w - 0.02 * m
        path.append(w)
    np.testing.assert_allclose(result.outputs, [X @ path[s] for s in at], rtol=1e-10)


def test_an_optimiser_with_its_own_rate_leaves_the_learning_rate_to_measure_time(x64):
    kwargs = {"steps": 5, "optimizer": optax.adam(0.01)}
    one = ntk.train(linear, W0, X, Y, learning_rate=1.0, **kwargs)
    two = ntk.train(linear, W0, X, Y, learning_rate=2.0, **kwargs)
    same = ntk.train(linear, W0, X, Y, learning_rate=0.01, steps=5, optimizer=optax.adam)
    np.testing.assert_array_equal(one.params, two.params)
    np.testing.assert_allclose(one.params, same.params, rtol=1e-12)
    assert float(two.times[-1]) == 2 * float(one.times[-1]) == 10.0


def test_an_optimiser_that_searches_along_a_line_gets_the_objective(x64):
    result = ntk.train(linear, W0, X, Y, learning_rate=1.0, steps=30, optimizer=optax.lbfgs())
    np.testing.assert_allclose(result.params, np.linalg.lstsq(X, Y)[0], rtol=1e-5)


def softmax_loss(outputs, y):
    return -jnp.sum(y * (outputs - jax.scipy.special.logsumexp(outputs, 1, keepdims=True)))


LABELS = np.eye(2)[[0, 1, 1, 0, 1, 0]]
LOSSES = {
    "cross_entropy": ("cross_entropy", softmax_loss, LABELS),
    "huber": ("huber", lambda f, y: optax.losses.huber_loss(f, y).sum(), Y),
    "a function": (softmax_loss, softmax_loss, LABELS),
}


@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
@pytest.mark.parametrize("name", LOSSES)
def test_any_loss_is_descended(x64, name, loss_scale):
    loss, written, y = LOSSES[name]
    scale = 1 / y.size if loss_scale == "mean" else 1.0
    net, params = small_net()
    result = ntk.train(
        net.apply, params, X, y, learning_rate=0.1, steps=2, loss=loss, loss_scale=loss_scale
    )
    total = jax.jit(jax.value_and_grad(lambda p: scale * written(net.apply(p, X), y)))
    expected = params
    for _ in range(2):
        slope = total(expected)[1]
        expected = jax.tree.map(lambda p, g: p - 0.1 * g, expected, slope)
    for got, want in zip(jax.tree.leaves(result.params), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10)
    np.testing.assert_allclose(result.loss, [total(params)[0], total(expected)[0]], rtol=1e-10)


def test_batches_go_through_all_examples_once_an_epoch(x64):
    # The gradient of example i is the i-th unit vector: parameters count visits.
    def train(steps, seed):
        return ntk.train(
            lambda w, x: x @ w,
            np.zeros((6, 1)),
            np.eye(6),
            np.zeros((6, 1)),
            learning_rate=1.0,
            steps=steps,
            loss=lambda outputs, _: -outputs.sum(),
            batch_size=2,
            key=jax.random.key(seed),
            at=range(steps + 1),
            measure=lambda w: w[:, 0] / 3,  # a batch stands for 6 / 2 as many examples
        ).measured

    visits = np.diff(train(6, 0), axis=0)
    np.testing.assert_allclose(visits.sum(1), 2.0)
    assert set(visits.ravel().tolist()) == {0.0, 1.0}
    np.testing.assert_allclose(visits[:3].sum(0), 1.0)
    np.testing.assert_allclose(visits[3:].sum(0), 1.0)
    assert (visits[:3] != visits[3:]).any()  # another order
    assert (visits != np.diff(train(6, 1), axis=0)).any()  # and another key


@pytest.mark.parametrize("loss_scale", ["sum", "mean"])
def test_a_batch_of_all_examples_is_full_batch(x64, loss_scale):
    kwargs = {"learning_rate": 0.05, "steps": 4, "loss_scale": loss_scale}
    full = ntk.train(linear, W0, X, Y, **kwargs)
    batched = ntk.train(linear, W0, X, Y, batch_size=6, key=jax.random.key(0), **kwargs)
    np.testing.assert_allclose(batched.params, full.params, rtol=1e-10)


def test_kernel_weights_and_features_are_compared_with_the_start(x64):
    net, params = small_net()
    result = ntk.train(
        net.apply,
        params,
        X,
        Y,
        learning_rate=0.05,
        steps=6,
        record=("kernel", "weights", "features"),
        measure=lambda p: ntk.empirical_ntk(net.apply, p, X),
    )
    before, after = (ntk.empirical_ntk(net.apply, p, X) for p in (params, result.params))
    drift = np.linalg.norm(after - before) / np.linalg.norm(before)
    np.testing.assert_allclose(result.kernel_drift, [0.0, drift], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(result.measured, [before, after], rtol=1e-10)
    changes = jax.tree.map(lambda a, b: np.linalg.norm(a - b), result.params, params)
    sizes = jax.tree.map(np.linalg.norm, params)
    for got, want in [
        (result.weight_movement.distance, changes),
        (result.weight_movement.relative, jax.tree.map(np.divide, changes, sizes)),
    ]:
        last = jax.tree.map(lambda leaf: leaf[-1], got)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-9), last, want)
    body = ntk.Serial(*net.layers[:-1])
    hidden = [np.asarray(body.apply(p[:-1], X)) for p in (params, result.params)]
    moved = np.linalg.norm(hidden[1] - hidden[0])
    np.testing.assert_allclose(result.feature_movement.distance, [0.0, moved], rtol=1e-9)
    relative = moved / np.linalg.norm(hidden[0])
    np.testing.assert_allclose(result.feature_movement.relative, [0.0, relative], rtol=1e-9)
    assert result.loss is None
    assert result.outputs is None


def test_what_starts_at_zero_has_moved_infinitely_far_or_not_at_all(x64):
    params = {"used": np.zeros(2), "unused": np.zeros(3), "w": np.ones((4, 2))}
    result = ntk.train(
        lambda p, x: x @ p["w"] + p["used"],
        params,
        X,
        Y,
        learning_rate=0.01,
        steps=1,
        record="weights",
        features=lambda p, x: x @ p["w"],
    )
    relative = result.weight_movement.relative
    assert relative["used"].tolist() == [0.0, np.inf]
    assert relative["unused"].tolist() == [0.0, 0.0]
    assert 0 < result.feature_movement.relative[1] < 1


def test_the_linearised_network_keeps_its_kernel(x64):
    net, params = small_net()
    f_lin = ntk.linearize(net.apply, params)
    result = ntk.train(f_lin, params, X, Y, learning_rate=0.05, steps=6, record=("kernel", "loss"))
    assert float(result.kernel_drift[1]) < 1e-12
    assert float(result.loss[1]) < float(result.loss[0])


def test_seeds_are_a_vmap(x64):
    net, _ = small_net()

    def one(key, rate):
        for_params, for_batches = jax.random.split(key)
        return ntk.train(
            net.apply,
            net.init(for_params, (4,)),
            X,
            Y,
            learning_rate=rate,
            steps=6,
            at=UNEVEN[:3],
            batch_size=3,
            key=for_batches,
            record=("outputs", "loss", "kernel", "weights"),
        )

    keys, rates = jax.random.split(jax.random.key(0), 3), jnp.asarray([0.01, 0.02, 0.05])
    together = jax.vmap(one)(keys, rates)
    assert together.outputs.shape == (3, 3, 6, 2)
    np.testing.assert_allclose(together.times[2], 0.05 * np.asarray(UNEVEN[:3]))
    for i in (0, 2):
        alone = one(keys[i], float(rates[i]))
        mine = jax.tree.map(lambda leaf, i=i: leaf[i], together)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-8, atol=1e-13), mine, alone)


def test_the_program_does_not_grow_with_steps_and_records_and_is_kept():
    arrays = [a.astype("f") for a in (W0, X, Y)]
    traces = []

    def model():
        def f(w, x):
            traces.append(x.shape)
            return x @ w

        return f

    def count(f, **kwargs):
        before = len(traces)
        ntk.train(f, *arrays, learning_rate=0.01, **kwargs)
        return len(traces) - before

    many_records = model()
    few = count(model(), steps=10, at=[0, 1, 4, 10])
    assert few == count(many_records, steps=50, at=[*range(20), 35, 50])
    assert count(many_records, steps=60, at=[*range(20), 37, 60]) < few  # nothing is compiled


def test_precision_is_that_of_the_parameters(x64):
    single = ntk.train(
        linear, W0.astype("f"), X.astype("f"), Y, learning_rate=np.float64(0.01), steps=3
    )
    assert single.params.dtype == single.outputs.dtype == single.loss.dtype == jnp.float32
    double = ntk.train(linear, W0, X, Y, learning_rate=0.01, steps=3)
    assert double.params.dtype == double.outputs.dtype == double.loss.dtype == jnp.float64


def test_the_end_can_be_differentiated_in_rate_start_and_data(x64):
    def last_loss(eta, w, y):
        return ntk.train(linear, w, X, y, learning_rate=eta, steps=4, at=[0, 2, 4]).loss[-1]

    def written(eta, w, y):
        for _ in range(4):
            w = w - eta * X.T @ (X @ w - y)
        return 0.5 * jnp.sum((X @ w - y) ** 2)

    point = (0.03, jnp.asarray(W0), jnp.asarray(Y))
    got = jax.jit(jax.grad(last_loss, argnums=(0, 1, 2)))(*point)
    expected = jax.jit(jax.grad(written, argnums=(0, 1, 2)))(*point)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-9), got, expected)


def test_models_of_other_libraries():
    import equinox as eqx
    from flax import linen

    x, y = X.astype("f"), Y.astype("f")
    model = linen.Dense(2)
    for_flax = model.init(jax.random.key(0), x)
    layer = eqx.nn.Linear(4, 2, key=jax.random.key(0))
    arrays, static = eqx.partition(layer, eqx.is_array)

    def equinox(p, x):
        return jax.vmap(eqx.combine(p, static))(x)

    for f, params in [(model.apply, for_flax), (equinox, arrays)]:
        result = ntk.train(
            f, params, x, y, learning_rate=0.05, steps=200, record=("loss", "kernel", "weights")
        )
        assert jax.tree.structure(result.params) == jax.tree.structure(params)
        assert jax.tree.structure(result.weight_movement.relative) == jax.tree.structure(params)
        rest = y - np.c_[x, np.ones(6)] @ np.linalg.lstsq(np.c_[x, np.ones(6)], y)[0]
        np.testing.assert_allclose(result.loss[-1], 0.5 * (rest**2).sum(), rtol=1e-3)
        assert float(result.kernel_drift[-1]) < 1e-5


def test_inputs_may_be_a_pytree_and_outputs_a_field():
    x = {"a": X.astype("f"), "tokens": np.asarray([0, 1, 2, 0, 1, 2])}
    params = {"w": np.ones((4, 2), "f"), "table": np.zeros((3, 2), "f")}

    def f(p, x):
        return jnp.stack([x["a"] @ p["w"], p["table"][x["tokens"]]], axis=2)

    result = ntk.train(
        f,
        params,
        x,
        np.ones((6, 2, 2)).astype("f"),
        learning_rate=0.05,
        steps=20,
        batch_size=3,
        key=jax.random.key(0),
        record=("outputs", "loss", "kernel"),
    )
    assert result.outputs.shape == (2, 6, 2, 2)
    assert float(result.loss[1]) < float(result.loss[0])
