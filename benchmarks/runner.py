"""The run: sides alternate call by call, each in a process of its own, and nothing is lost."""

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks import cases, machine
from benchmarks.case import Case, Side
from benchmarks.errors import ChangedError, DifferentResultsError
from benchmarks.journal import Journal
from benchmarks.process import Worker
from benchmarks.reference import ntk_of_pair
from benchmarks.worker import versions

# Enough for the peer's single precision, 1e-3 on a diagonal; another network is farther away.
AGREEMENT = 5e-3


@dataclass
class Run:
    """What all measurements of a run have in common.

    Parameters
    ----------
    root
        The checkout.
    work
        Where journals lie until they have become records.
    scale
        ``"full"`` or ``"quick"``.
    pythons
        The interpreter of each environment; one that is missing leaves its sides out.
    console
        Where progress is told.
    """

    root: Path
    work: Path
    scale: str
    pythons: Mapping[str, Path]
    console: Console

    def journal(self, group: str, part: str = "") -> Journal:
        """Open the journal of a group, with what an interrupted run has left in it."""
        path = self.work / self.scale / f"{group}{part}.jsonl"
        journal = Journal(path, {"key": self.key(), "started": machine.now()})
        if journal.resumed:
            self.console.print(f"    going on with {len(journal.events)} measurements made before")
        if journal.set_aside:
            self.console.print(
                f"    the code has changed since the interrupted run: starting afresh, "
                f"its measurements are in {journal.set_aside}"
            )
        return journal

    def key(self) -> str:
        """Return the fingerprint of what the measurements depend on."""
        digest = hashlib.sha256(repr((sorted(versions().items()), machine.machine())).encode())
        digest.update(repr(sorted(self.pythons)).encode())
        sources = [*(self.root / "ntk").rglob("*.py"), *(self.root / "benchmarks").rglob("*.py")]
        for path in sorted(sources):
            name = path.relative_to(self.root).as_posix()
            if not name.startswith(("ntk/companion/", "benchmarks/page/")):
                digest.update(name.encode() + path.read_bytes())
        return digest.hexdigest()

    def measure(self, group: str, chosen: Iterable[Case], journal: Journal) -> None:
        """Measure cases of a group, as far as the journal does not hold them."""
        kind = cases.GROUPS[group].KIND
        for case in (case.at_scale(self.scale) for case in chosen):
            if kind == "time":
                self._time(group, case, journal)
            elif not journal.of(case=case.id, kind="accuracy"):
                self._compare(group, case, journal)

    def _start(
        self, stack: ExitStack, group: str, case: Case, side: Side, journal: Journal
    ) -> Worker:
        if self.key() != journal.header["key"]:
            raise ChangedError(
                "ntk or benchmarks: got other code than at the beginning of the run, expected the "
                "same; a record must be of one state. Run it again while nobody edits."
            )
        python = self.pythons[side.environment]
        worker = Worker(python, self.root, group, case.id, side, self.scale)
        stack.enter_context(worker)
        worker.ready()
        return worker

    def _time(self, group: str, case: Case, journal: Journal) -> None:
        for number in range(case.rounds):
            gone = {event["side"] for event in journal.of(case=case.id, kind="unavailable")}
            sides = [s for s in case.sides if s.environment in self.pythons and s.name not in gone]

            def made(side: Side, number: int = number) -> int:
                return len(journal.of(case=case.id, side=side.name, round=number, kind="time"))

            if "ours" in gone or all(made(side) == case.repetitions for side in sides):
                continue
            where = {"case": case.id, "round": number}
            with ExitStack() as stack:
                workers = {}
                for side in sides:
                    worker = self._start(stack, group, case, side, journal)
                    if "unavailable" in worker.hello:
                        reason = worker.hello["unavailable"]
                        journal.add(kind="unavailable", case=case.id, side=side.name, reason=reason)
                        self.console.print(f"    {case.id}: {side.label}: not available, {reason}")
                        if side.name == "ours":
                            return
                        continue
                    workers[side.name] = worker
                same_result(case, {name: w.hello for name, w in workers.items()})
                for name, worker in workers.items():
                    hello = worker.hello
                    journal.add(kind="worker", side=name, load=machine.load(), **where, **hello)
                for repetition in range(case.repetitions):
                    # Each call has another first one, so that none profits from its place.
                    turn = (number + repetition) % len(sides)
                    for side in (*sides[turn:], *sides[:turn]):
                        if side.name in workers and made(side) <= repetition:
                            answer = workers[side.name].ask("time")
                            at = {"side": side.name, "repetition": repetition}
                            journal.add(kind="time", **where, **at, **answer)
                for name, worker in workers.items():
                    journal.add(kind="memory", side=name, **where, **worker.ask("memory"))
                    worker.ask("finish")
            self._tell(case, number, journal)

    def _tell(self, case: Case, number: int, journal: Journal) -> None:
        parts = []
        for side in case.sides:
            events = journal.of(case=case.id, side=side.name, round=number, kind="time")
            if events:
                parts.append(f"{side.name} {np.median([e['seconds'] for e in events]):.3g} s")
        self.console.print(f"    {case.id}, round {number + 1}/{case.rounds}: {', '.join(parts)}")

    def _compare(self, group: str, case: Case, journal: Journal) -> None:
        """Compare single with double precision on every kind of pair."""
        module, p = cases.GROUPS[group], case.at(self.scale)
        matrices: dict[str, np.ndarray] = {}
        hellos: dict[str, dict[str, Any]] = {}
        with tempfile.TemporaryDirectory() as folder:
            for side in case.sides:
                if side.environment not in self.pythons:
                    continue
                with ExitStack() as stack:
                    worker = self._start(stack, group, case, side, journal)
                    if "unavailable" in worker.hello:
                        reason = worker.hello["unavailable"]
                        journal.add(kind="unavailable", case=case.id, side=side.name, reason=reason)
                        self.console.print(f"    {case.id}: {side.label}: not available, {reason}")
                        return
                    path = Path(folder) / f"{side.name}.npy"
                    worker.ask("save", path=str(path))
                    worker.ask("finish")
                    hellos[side.name] = worker.hello
                    matrices[side.name] = np.load(path)
        same_result(case, hellos)
        reference = matrices.pop("reference")
        errors = {
            name: {pair: summary(matrix, reference, at) for pair, at in module.classes(p).items()}
            for name, matrix in matrices.items()
        }
        journal.add(
            kind="accuracy",
            case=case.id,
            errors=errors,
            reference=_cross_check(p, module.points(p), reference, module.classes(p)),
            workers=hellos,
        )
        worst = {name: max(e["largest"] for e in each.values()) for name, each in errors.items()}
        told = ", ".join(f"{name} {value:.1e}" for name, value in worst.items())
        self.console.print(f"    {case.id}: largest error {told}")


def same_result(case: Case, hellos: Mapping[str, Mapping[str, Any]]) -> None:
    """Make sure that sides had the same inputs and computed the same thing.

    Raises
    ------
    DifferentResultsError
        They did not, so that their times must not be compared.
    """
    if len({hello["inputs"] for hello in hellos.values()}) > 1:
        told = ", ".join(f"{name} {hello['inputs'][:12]}" for name, hello in hellos.items())
        raise DifferentResultsError(
            f"{case.id}: got other inputs on other sides ({told}), expected the same bits; "
            "NumPy's generator may have changed between the versions of the two environments."
        )
    if len({hello["threads"] for hello in hellos.values()}) > 1:
        raise DifferentResultsError(f"{case.id}: the sides may not use equally many processors.")
    given = {name: np.array(h["entries"]) for name, h in hellos.items() if h["entries"] is not None}
    for name, values in given.items():
        ours = given["ours"]
        apart = np.max(np.abs(values - ours)) if values.shape == ours.shape else np.inf
        if not apart <= AGREEMENT * np.max(np.abs(ours)):
            raise DifferentResultsError(
                f"{case.id}: got {values.tolist()} from {name}, expected {ours.tolist()} as ours "
                f"within {AGREEMENT:g}; both sides must describe the same network."
            )


def summary(
    matrix: np.ndarray, reference: np.ndarray, at: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    """Return the errors of some pairs.

    ``median`` and ``largest`` are relative to the geometric mean of the two points' own entries,
    ``relative`` is the largest one relative to the pair's entry. On the diagonal and for close
    points that is the same; an entry near zero, which is a difference of greater terms, has few
    right digits in any single precision.
    """
    rows, columns = at
    off = np.abs(matrix[at].astype(np.float64) - reference[at])
    own = np.diag(reference)
    errors = off / np.sqrt(own[rows] * own[columns])
    return {
        "pairs": int(errors.size),
        "median": float(np.median(errors)),
        "largest": float(np.max(errors)),
        "relative": float(np.max(off / np.abs(reference[at]))),
    }


def _cross_check(
    p: Mapping[str, Any], x: np.ndarray, reference: np.ndarray, classes: Mapping[str, Any]
) -> dict[str, Any]:
    """Compare the double-precision kernel with other means, on a pair or two of each kind."""
    pairs = [(int(i[k]), int(j[k])) for i, j in classes.values() for k in (0, len(i) // 2)]
    apart = [abs(reference[i, j] / ntk_of_pair(p, x[i], x[j]) - 1.0) for i, j in pairs]
    return {"pairs": len(pairs), "largest": float(max(apart))}
