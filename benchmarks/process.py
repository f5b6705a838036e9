"""A worker seen from outside: started, asked, ended."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks import environment
from benchmarks.case import Side
from benchmarks.errors import WorkerFailedError


class Worker:
    """A process that computes one side of one case.

    Parameters
    ----------
    python
        Its interpreter.
    root
        The checkout.
    group, case, side, scale
        What it computes.
    """

    def __init__(
        self, python: Path, root: Path, group: str, case: str, side: Side, scale: str
    ) -> None:
        self.what = f"{group}/{case}, {side.label}"
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(python), "-m", "benchmarks.worker", group, case, side.name, scale],
            cwd=root,
            env=environment.clean(JAX_ENABLE_X64="1" if side.x64 else "0"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the one who asks; it then ends the workers
        )
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process, whatever it is doing."""
        if self._process.poll() is None and kind is not None:
            self._process.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()

    def ready(self) -> dict[str, Any]:
        """Wait until it is warm and return what it says of itself."""
        self.hello = self._answer()
        return self.hello

    def ask(self, do: str, **values: str) -> dict[str, Any]:
        """Have it do something and return its answer.

        Raises
        ------
        WorkerFailedError
            It ended instead.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **values}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, which the missing answer tells
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        status = self._process.wait()
        self._errors.seek(0, os.SEEK_SET)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-12:]
        killed = " (killed, most often for want of memory)" if status == -9 else ""
        raise WorkerFailedError(
            f"{self.what}: the worker ended with status {status}{killed}; its last words:\n"
            + "\n".join(last)
        )
