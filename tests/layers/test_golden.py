"""Layers against the stored kernels of the library of record."""

from pathlib import Path

import numpy as np
import pytest

import ntk

GOLDEN = np.load(Path(__file__).parents[1] / "data" / "golden_neural_tangents.npz")
ROOT2 = 2**0.5


def dense(width=8):
    return ntk.Dense(width, sigma_w=1.4, sigma_b=0.1)


def conv(**kwargs):
    return ntk.Conv(8, (3, 3), sigma_w=1.4, sigma_b=0.1, **kwargs)


def cnn(bias, *top):
    convs = [ntk.Conv(8, (3, 3), sigma_w=ROOT2, sigma_b=bias), ntk.Relu()] * 2
    return ntk.Serial(*convs, *top, ntk.Dense(1, sigma_b=bias))


READOUT = ntk.Dense(1, sigma_b=0.1)
BLOCK = ntk.Residual(ntk.Serial(ntk.Relu(), dense(), ntk.Relu(), dense()))
NETS = {
    "attention/Flatten": ntk.Serial(
        conv(),
        ntk.Relu(),
        ntk.SelfAttention(
            heads=2,
            key_dim=4,
            sigma_query=1.3,
            sigma_key=1.2,
            sigma_value=1.1,
            sigma_out=1.05,
            sigma_b=0.1,
        ),
        ntk.Flatten(),
        READOUT,
    ),
    "cnn/Relu/L2/Flatten/b0.1": cnn(0.1, ntk.Flatten()),
    "cnn/Relu/L2/GlobalAvgPool/b0.0": cnn(None, ntk.GlobalAvgPool()),
    "cnnx/SAMEstride2/L2/Flatten": ntk.Serial(
        *[conv(strides=(2, 2)), ntk.Relu()] * 2, ntk.Flatten(), READOUT
    ),
    "pool/avg2x2": ntk.Serial(
        conv(), ntk.Relu(), ntk.AvgPool((2, 2)), conv(), ntk.Relu(), ntk.Flatten(), READOUT
    ),
    "layernorm/fc": ntk.Serial(*[dense(), ntk.LayerNorm(), ntk.Relu()] * 2, dense(1)),
    "resnet/fc": ntk.Serial(dense(), BLOCK, BLOCK, ntk.Relu(), dense(1)),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("block", ["11", "12"])
def test_agrees_with_the_library_of_record(x64, name, block):
    points = f"{name}/nngp_11" in GOLDEN and GOLDEN[f"{name}/nngp_11"].shape[0] == 18
    x1, x2 = (GOLDEN[f"inputs/{'fc' if points else 'img'}_x{i}"] for i in (1, 2))
    K = ntk.kernel(NETS[name], x1, None if block == "11" else x2)
    other = x1 if block == "11" else x2
    norms = np.linalg.norm(x1.reshape(len(x1), -1), axis=1)
    norms = norms[:, None] * np.linalg.norm(other.reshape(len(other), -1), axis=1)[None]
    product = np.abs(x1.reshape(len(x1), -1) @ other.reshape(len(other), -1).T)
    # The stored values themselves lose eight digits where two inputs are (nearly) collinear.
    ordinary = product < (1 - 1e-9) * norms
    for part in ("nngp", "ntk"):
        got, expected = np.asarray(getattr(K, part)), GOLDEN[f"{name}/{part}_{block}"]
        np.testing.assert_allclose(got[ordinary], expected[ordinary], rtol=1e-12)
        np.testing.assert_allclose(got, expected, rtol=2e-8)
