"""The command line: ``python -m benchmarks.migration`` renews what the page shows."""

from rich.console import Console

from benchmarks import environment
from benchmarks.migration.agreement import FRAGMENT, ROOT, renew

if __name__ == "__main__":
    console = Console()
    renew(environment.ensure(ROOT, console))
    console.print(FRAGMENT.read_text(encoding="utf-8"))
