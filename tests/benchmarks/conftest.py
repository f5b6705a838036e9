"""A run that measures nothing by itself."""

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.runner import Run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run of this checkout without the peer, with its journals in a folder of its own."""
    console = Console(file=io.StringIO(), width=200)
    return Run(ROOT, tmp_path, "quick", {"project": Path(sys.executable)}, console)
