"""The peer's environment: which Python makes it, and when it counts as made."""

import re
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import environment
from benchmarks.errors import PeerMissingError


def interpreter(folder: Path, name: str, version: str, venv: bool = True) -> str:
    """Return a program that answers the two questions asked of a Python."""
    path = folder / name
    path.write_text(
        '#!/bin/sh\ncase "$2" in *version_info*) echo '
        f'"{version.replace(".", " ")}";; *ensurepip*) exit {0 if venv else 1};; esac\n'
    )
    path.chmod(0o755)
    return str(path)


def test_the_first_interpreter_that_fits_is_taken(tmp_path):
    new = interpreter(tmp_path, "new", "3.13")
    right = interpreter(tmp_path, "right", "3.11")
    assert environment.choose([new, str(tmp_path / "none"), right]) == right


@pytest.mark.parametrize(("version", "word"), [("3.13", "too new"), ("3.10", "too old")])
def test_an_interpreter_of_another_version_is_refused_with_the_fix(tmp_path, version, word):
    name = interpreter(tmp_path, "python", version)
    with pytest.raises(PeerMissingError, match=word) as caught:
        environment.choose([name, str(tmp_path / "none")])
    message = str(caught.value)
    assert "3.11 or 3.12" in message
    assert "none: not found" in message
    assert "PEER_PYTHON=" in message
    assert "PEER=no" in message


def test_an_interpreter_without_venv_is_refused(tmp_path):
    name = interpreter(tmp_path, "python", "3.11", venv=False)
    with pytest.raises(PeerMissingError, match="no module venv"):
        environment.choose([name])


def test_an_environment_counts_only_with_the_stamp_of_the_present_pins(tmp_path, monkeypatch):
    place = environment.folder(tmp_path)
    (place / "bin").mkdir(parents=True)
    interpreter(place / "bin", "python", "3.11")
    assert environment.find(tmp_path) is None
    (place / environment.STAMP).write_text(environment._stamp(place))
    assert environment.find(tmp_path) == place / "bin" / "python"
    pins = tmp_path / "pins"
    pins.write_text("other==1\n")
    monkeypatch.setattr(environment, "PINS", pins)
    assert environment.find(tmp_path) is None


def test_a_failed_set_up_leaves_no_stamp_and_says_what_failed(tmp_path):
    python = interpreter(tmp_path, "python", "3.11")
    with pytest.raises(PeerMissingError, match="setting up its environment failed"):
        environment.ensure(tmp_path, Console(quiet=True), python)
    assert environment.find(tmp_path) is None
    assert not (environment.folder(tmp_path) / environment.STAMP).exists()


def test_a_set_up_is_stamped_when_all_steps_are_done(tmp_path, monkeypatch):
    python = interpreter(tmp_path, "python", "3.11")
    steps = []

    def run(*command: str) -> None:
        steps.append(command)
        bin_ = environment.folder(tmp_path) / "bin"
        bin_.mkdir(parents=True, exist_ok=True)
        interpreter(bin_, "python", "3.11")
        assert not (environment.folder(tmp_path) / environment.STAMP).exists()

    monkeypatch.setattr(environment, "_run", run)
    found = environment.ensure(tmp_path, Console(quiet=True), python)
    assert found == environment.find(tmp_path)
    assert [step[1] for step in steps] == ["-m", "-m", "-c"]  # venv, pip, the trial
    environment.ensure(tmp_path, Console(quiet=True), python)
    assert len(steps) == 3


def test_every_pin_has_hashes_and_the_wanted_versions_are_among_them():
    text = environment.PINS.read_text(encoding="utf-8")
    blocks = [b for b in re.split(r"\n(?=[A-Za-z0-9])", text) if not b.startswith("#")]
    assert all("==" in block and "--hash=sha256:" in block for block in blocks)
    wanted = ["neural-tangents==0.6.5", "jax==0.4.23", "jaxlib==0.4.23", "numpy==1.", "scipy==1.12"]
    assert [pin for pin in wanted if not any(block.startswith(pin) for block in blocks)] == []


def test_a_worker_is_not_tuned_by_variables_of_the_shell(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    found = environment.clean(JAX_ENABLE_X64="0")
    assert "XLA_FLAGS" not in found
    assert "OMP_NUM_THREADS" not in found
    assert found["JAX_ENABLE_X64"] == "0"
    assert found["JAX_PLATFORMS"] == "cpu"
