"""The blocks of code of the migration page, by side and section."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Side = Literal["neural-tangents", "ntk"]
PAGE = Path(__file__).resolve().parents[2] / "book" / "migration.md"
# A section's label, the beginning of a block with its caption, if it has one.
LABEL = re.compile(r"^\(migrate-([a-z]+)\)=$")
OPENING = re.compile(r"^```(?:\{code-block\} )?python$")
CAPTION = re.compile(r"^:caption: (.+)$")


@dataclass(frozen=True)
class Block:
    """A piece of the page's code.

    Attributes
    ----------
    section : str
        The label of the section that it stands in, empty before the first one.
    caption : str
        ``"neural-tangents"``, ``"both"``, or ``"ntk"`` for a block without one.
    code : str
        Its lines.
    """

    section: str
    caption: str
    code: str


def blocks(text: str) -> list[Block]:
    r"""Return the blocks of a page in order.

    Examples
    --------
    >>> fence = "`" * 3
    >>> blocks(f"(migrate-sum)=\\n{fence}python\\n1 + 1\\n{fence}\\n")
    [Block(section='sum', caption='ntk', code='1 + 1\\n')]
    """
    found = []
    section, lines = "", iter(text.splitlines())
    for line in lines:
        if label := LABEL.match(line):
            section = label[1]
        if not OPENING.match(line):
            continue
        inside = []
        for inner in lines:
            if inner == "```":
                break
            inside.append(inner)
        caption = CAPTION.match(inside[0]) if inside else None
        code = "\n".join(inside[1:] if caption else inside) + "\n"
        found.append(Block(section, caption[1] if caption else "ntk", code))
    return found


def of_side(text: str, side: Side) -> list[Block]:
    """Return the blocks that a side executes."""
    return [block for block in blocks(text) if block.caption in {side, "both"}]


def fingerprint(text: str) -> str:
    """Return a digest of what the peer executes, by which a test knows old results."""
    code = "\n".join(block.code for block in of_side(text, "neural-tangents"))
    return hashlib.sha256(code.encode()).hexdigest()
