"""Kernels in a folder: the same numbers, and an interrupted computation goes on."""

import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntk
from ntk.empirical import stream, stream_empirical_ntk
from tests.empirical.zoo import ZOO


def two(*_):
    """Tiles of two examples."""
    return 2, "structured"


@pytest.mark.parametrize("output", ["full", "mean", "diagonal", 1])
@pytest.mark.parametrize("square", [True, False])
def test_the_folder_holds_the_kernel(x64, quick, tmp_path, monkeypatch, output, square):
    f, params, x = ZOO["mlp"]()
    monkeypatch.setattr(stream, "_tile", two)
    x2 = None if square else x[:3] ** 2
    stored = stream_empirical_ntk(tmp_path, f, params, x, x2, output=output)
    expected = ntk.empirical_ntk(f, params, x, x2, output=output, method="jacobian")
    np.testing.assert_allclose(np.asarray(stored), expected, rtol=1e-10, atol=1e-12)
    assert len(list(tmp_path.glob("*.npy"))) == 6


def test_it_computes_only_what_is_missing(quick, tmp_path, monkeypatch):
    f, params, x = ZOO["gated"]()
    monkeypatch.setattr(stream, "_tile", two)
    stream_empirical_ntk(tmp_path, f, params, x)
    (tmp_path / "tile-000000-000001.npy").unlink()
    old = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.npy")}
    stored = stream_empirical_ntk(tmp_path, f, params, x)
    assert old.items() < {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.npy")}.items()
    np.testing.assert_allclose(stored, ntk.empirical_ntk(f, params, x), rtol=1e-4)


@pytest.mark.parametrize("what", ["params", "x", "output", "model", "constant"])
def test_a_folder_of_something_else_is_refused(quick, tmp_path, what):
    w, x, c = jnp.ones((3, 2)), jnp.eye(3), jnp.ones(2)

    def scaled(c):
        return lambda w, x: jnp.tanh(x @ w) * c

    stream_empirical_ntk(tmp_path, scaled(c), w, x)
    stream_empirical_ntk(tmp_path, scaled(c), w, x)  # the same, written anew
    f = {"model": lambda w, x: jnp.sin(x @ w) * c, "constant": scaled(2 * c)}.get(what, scaled(c))
    with pytest.raises(ntk.errors.InvalidValueError, match="tiles of another array: fingerprint"):
        stream_empirical_ntk(
            tmp_path,
            f,
            2 * w if what == "params" else w,
            2 * x if what == "x" else x,
            output="pseudo" if what == "output" else "mean",
        )


def test_the_budget_decides_the_tile(quick, tmp_path):
    net = ntk.mlp(1, 64, outputs=4)
    params = net.init(jax.random.key(0), (8,))
    x = jax.random.normal(jax.random.key(1), (64, 8))
    sizes = [
        stream_empirical_ntk(
            tmp_path / memory, net.apply, params, x, output="full", memory=memory
        ).tile
        for memory in ("1GiB", "300kB")
    ]
    assert sizes[0] == 64
    assert 1 <= sizes[1] < 64
    with pytest.raises(ntk.errors.InvalidValueError, match=r"too small.*would do"):
        stream_empirical_ntk(tmp_path / "c", net.apply, params, x, memory=10)


def test_it_says_that_files_and_tracing_do_not_go_together(tmp_path):
    with pytest.raises(ntk.errors.InvalidTypeError, match="under jit"):
        jax.jit(lambda w: stream_empirical_ntk(tmp_path, lambda w, x: x * w, w, jnp.ones((2, 1))))(
            1.0
        )


KILLED = """
import sys, time
import jax, ntk
from ntk.empirical import stream
from ntk.store import TileStore
net = ntk.mlp(1, 16)
params = net.init(jax.random.key(0), (3,))
x = jax.random.normal(jax.random.key(1), (12, 3))
stream._tile = lambda *a: (3, "structured")
write = TileStore.write
def slowly(self, i, j, block):
    write(self, i, j, block)
    print(i, j, flush=True)
    time.sleep(float(sys.argv[2]))
TileStore.write = slowly
stream.stream_empirical_ntk(sys.argv[1], net.apply, params, x)
"""


def test_a_killed_computation_goes_on(tmp_path):
    folder = str(tmp_path / "kernel")
    first = subprocess.Popen(
        [sys.executable, "-c", KILLED, folder, "60"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout.readline() == "0 0\n"
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
    started = time.monotonic()
    again = subprocess.run(
        [sys.executable, "-c", KILLED, folder, "0"], capture_output=True, text=True, check=True
    )
    assert again.stdout.splitlines()[0] == "0 1"
    assert len(again.stdout.splitlines()) == 9
    assert time.monotonic() - started < 300
