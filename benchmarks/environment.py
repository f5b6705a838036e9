"""The peer's own environment: an old JAX, which the project's cannot share."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from benchmarks.errors import PeerMissingError

PINS = Path(__file__).resolve().parent / "peer" / "requirements.txt"
# Every wheel among the pins exists for these; the oldest JAX that the project runs on has none.
SUPPORTED = ((3, 11), (3, 12))
NAMES = ("python3.11", "python3.12", "python3", "python")
STAMP = ".complete"
# The peer is asked for a kernel before it is believed to work.
TRIAL = """
import numpy as np
from neural_tangents import stax
kernel = stax.serial(stax.Dense(1), stax.Relu(), stax.Dense(1))[2]
assert kernel(np.ones((2, 3)), None, "ntk").shape == (2, 2)
"""


def folder(root: Path) -> Path:
    """Return where the environment of a checkout lies."""
    return root / "_build" / "peer"


def find(root: Path) -> Path | None:
    """Return the peer's Python, or None if its environment is not there, outdated or half-made."""
    place = folder(root)
    python = place / "bin" / "python"
    try:
        complete = (place / STAMP).read_text(encoding="utf-8") == _stamp(place)
    except FileNotFoundError:
        return None
    return python if complete and _version(str(python)) is not None else None


def ensure(root: Path, console: Console, name: str | None = None) -> Path:
    """Return the peer's Python; make its environment first if need be.

    Parameters
    ----------
    root
        The checkout.
    console
        Where progress is told.
    name
        The interpreter to make it with; the first of the usual names that fits if not given.

    Raises
    ------
    PeerMissingError
        No interpreter fits, or the installation failed.
    """
    if found := find(root):
        return found
    interpreter = choose([name] if name else NAMES)
    place = folder(root)
    console.print(
        f"==> Setting up the peer in {place.relative_to(root)} with {interpreter}: ", end=""
    )
    console.print("neural-tangents and what it needs, 2.5 GB, a few minutes")
    shutil.rmtree(place, ignore_errors=True)
    pip = ("-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--require-hashes")
    python = str(place / "bin" / "python")
    _run(interpreter, "-m", "venv", str(place))
    _run(python, *pip, "--only-binary", ":all:", "-r", str(PINS))
    _run(python, "-c", TRIAL)
    # Last, so that whatever was interrupted before is made again.
    half = place / f"{STAMP}.half"
    half.write_text(_stamp(place), encoding="utf-8")
    half.replace(place / STAMP)
    return Path(python)


def choose(names: Iterable[str]) -> str:
    """Return the first interpreter that the peer's wheels exist for.

    Raises
    ------
    PeerMissingError
        There is none; the message says what became of each name.
    """
    tried = []
    for name in names:
        version = _version(name)
        if version is None:
            tried.append(f"{name}: not found")
        elif version not in SUPPORTED:
            word = "new" if version > SUPPORTED[-1] else "old"
            tried.append(f"{name}: Python {version[0]}.{version[1]}, too {word}")
        elif _fails(name, "-c", "import ensurepip, venv"):
            tried.append(f"{name}: no module venv (Debian: apt-get install {name}-venv)")
        else:
            return name
    wanted = " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
    raise PeerMissingError(
        f"peer: got no Python {wanted}, expected one, since jaxlib 0.4.23, the newest that "
        "neural-tangents runs right on, has wheels for no later one. "
        f"Looked at {'; '.join(tried)}. "
        "Install one of them, or name it: make bench PEER_PYTHON=/path/to/python3.11; "
        "without the peer: make bench PEER=no."
    )


def clean(**more: str) -> dict[str, str]:
    """Return the surroundings of a worker, the same on both sides whatever this shell has set."""
    meddling = ("JAX", "XLA", "TF_", "OMP_", "MKL_", "OPENBLAS_", "PYTHON", "NTK_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(meddling)}
    return (
        kept
        | {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        | more
    )


def _stamp(place: Path) -> str:
    return f"{hashlib.sha256(PINS.read_bytes()).hexdigest()} {place}\n"


def _version(name: str) -> tuple[int, int] | None:
    try:
        answer = subprocess.run(
            [name, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(answer[0]), int(answer[1])


def _fails(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean())
    except OSError as error:
        raise _failed(command, str(error)) from error
    if done.returncode:
        raise _failed(command, done.stdout + done.stderr)


def _failed(command: tuple[str, ...], output: str) -> PeerMissingError:
    step = " ".join([Path(command[0]).name, *command[1:3]]).split("\n")[0]
    last = "\n".join(output.strip().splitlines()[-12:])
    return PeerMissingError(
        f"peer: setting up its environment failed at `{step}`; its last words:\n{last}\n"
        "Run the command again once the cause is gone; without the peer: make bench PEER=no."
    )
