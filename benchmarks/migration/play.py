"""One side of the page, executed from its first block to its last, in either environment.

``python -m benchmarks.migration.play SIDE PAGE FILE`` stores for each section the value of the last
expression of the side's own block.
"""

import ast
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.migration.blocks import Side, of_side


def play(text: str, side: Side) -> dict[str, np.ndarray]:
    """Execute a side's blocks in one namespace and return the values of their last expressions."""
    namespace: dict[str, Any] = {}
    found = {}
    for block in of_side(text, side):
        tree = ast.parse(block.code)
        last = tree.body[-1]
        own = block.section and block.caption != "both"
        if not (own and isinstance(last, ast.Expr)):
            exec(compile(tree, block.section, "exec"), namespace)
            continue
        tree.body.pop()
        exec(compile(tree, block.section, "exec"), namespace)
        value = eval(compile(ast.Expression(last.value), block.section, "eval"), namespace)
        found[block.section] = np.asarray(value)
    return found


def main(side: Side, page: Path, path: str) -> None:
    """Store what a side of a page computes."""
    np.savez_compressed(path, **play(page.read_text(encoding="utf-8"), side))


if __name__ == "__main__":
    chosen: Any = sys.argv[1]
    main(chosen, Path(sys.argv[2]), sys.argv[3])
