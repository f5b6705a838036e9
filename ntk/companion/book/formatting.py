"""The code cells of a notebook's written side, formatted as the package is.

ruff formats `.ipynb` files, but those are made from the `.md`; and a round trip of the `.md`
through a notebook would rewrite prose and captions. So the code cells alone are replaced.
"""

import re
import subprocess
import sys

from ntk.companion.book.front_matter import read_front_matter
from ntk.companion.book.project import Pair
from ntk.errors import InvalidValueError

__all__ = ["format_cells", "formatted"]

CELL = re.compile(
    r"(?P<head>^```\{code-cell\}[^\n]*\n(?:---\n.*?^---\n|(?::[^\n]*\n)*)\n*)(?P<code>.*?)(?P<tail>^```$)",
    re.DOTALL | re.MULTILINE,
)


def format_cells(pair: Pair) -> bool:
    """Format the code cells of a notebook's source, and say whether anything changed.

    Parameters
    ----------
    pair
        The notebook.

    Raises
    ------
    InvalidValueError
        Its front matter cannot be read, or a cell is not Python; the message names the line.
    """
    read_front_matter(pair.md)
    text = pair.md.read_text(encoding="utf-8")
    # The name decides which configuration ruff takes: the notebooks may have their own.
    name = str(pair.md.with_suffix(".py"))

    def replaced(cell: re.Match[str]) -> str:
        try:
            return cell["head"] + formatted(cell["code"], name) + cell["tail"]
        except InvalidValueError as error:
            line = text.count("\n", 0, cell.start("code")) + 1
            raise InvalidValueError(f"notebooks/{pair.md.name}, line {line}: {error}") from error

    new = CELL.sub(replaced, text)
    if new != text:
        pair.md.write_text(new, encoding="utf-8")
    return new != text


def formatted(code: str, name: str = "cell.py") -> str:
    r"""Return the code of a cell as ruff formats it.

    A semicolon at the end, which keeps a notebook from showing the last value, stays; so does a
    cell with a magic command, which is not Python.

    Parameters
    ----------
    code
        Lines of Python.
    name
        A path of a file whose configuration holds.

    Raises
    ------
    InvalidValueError
        The code is not Python.

    Examples
    --------
    >>> formatted("f( x );\n")
    'f(x);\n'
    """
    if re.search(r"^\s*[%!]", code, re.MULTILINE) or not code.strip():
        return code
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--quiet",
        "--stdin-filename",
        name,
        "-",
    ]
    run = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
    if run.returncode:
        raise InvalidValueError(f"code: ruff cannot format this cell.\n{code}\n{run.stderr}")
    silent = ";" if code.rstrip().endswith(";") else ""
    return f"{run.stdout.rstrip()}{silent}\n"
