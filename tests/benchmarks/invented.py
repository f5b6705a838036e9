"""Records of invented measurements, to see what becomes of them."""

from typing import Any

from benchmarks import cases, record
from benchmarks.journal import Journal
from benchmarks.runner import Run

HELLO = {
    "first_call": 0.5,
    "imported": 2**28,
    "inputs": "a" * 64,
    "entries": [1.0, 2.0],
    "threads": 2,
    "versions": {"python": "3.11.7", "jax": "0.4.23"},
}
VERSIONS = {
    "project": {"ntk-companion": "0.1.0", "jax": "0.10.2"},
    "peer": {"neural-tangents": "0.6.5", "jax": "0.4.23"},
}


def journal(run: Run, group: str) -> Journal:
    """Return a journal in which the peer takes three to four times our time, and once forty."""
    found = run.journal(group)

    def add(**event: Any) -> None:
        found.events.append(event)  # not to the disk, which takes its time

    for case in cases.GROUPS[group].CASES:
        if cases.GROUPS[group].KIND == "accuracy":
            pairs = cases.GROUPS[group].classes(case.at("quick"))
            error = {"pairs": 8, "median": 1e-7, "largest": 2e-7, "relative": 3e-7}
            hellos = {
                side.name: HELLO | {"versions": VERSIONS[side.environment]} for side in case.sides
            }
            add(
                kind="accuracy",
                case=case.id,
                errors={side: dict.fromkeys(pairs, error) for side in ("ours", "peer")},
                reference={"pairs": 12, "largest": 1e-14},
                workers=hellos,
            )
            continue
        for side in case.sides:
            for number in range(case.rounds):
                at: dict[str, Any] = {"case": case.id, "side": side.name, "round": number}
                hello = HELLO | {"versions": VERSIONS[side.environment]}
                add(kind="worker", load=1.5, **at, **hello)
                for repetition in range(case.repetitions):
                    took = 0.1 if side.name == "ours" else 0.4 - 0.05 * number
                    if side.name != "ours" and number == repetition == 0:
                        took = 4.0  # something else ran meanwhile
                    add(kind="time", repetition=repetition, seconds=took, cpu_seconds=took, **at)
                add(kind="memory", peak=2**29, call=2**27, planned=2**26, **at)
    return found


def records(run: Run) -> dict[str, dict[str, Any]]:
    """Return a record of each group."""
    found = {}
    for group, module in cases.GROUPS.items():
        made = journal(run, group)
        found[group] = record.build(group, module.CASES, made, run.root, "full")
        made.forget()
    return found
