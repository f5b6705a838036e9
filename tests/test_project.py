"""The files that describe the project agree with each other, and with what is installed."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import ntk

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)(?: ; (.+?))?(?: \\)?$")


def requirements(*extras: str) -> list[Requirement]:
    """Return the core's dependencies and those of extras, of the extras in these too."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    found = []
    for requirement in map(Requirement, lines):
        own = requirement.name == PROJECT["name"]
        found += requirements(*requirement.extras) if own else [requirement]
    return found


def pins(name: str) -> list[tuple[str, str, str | None]]:
    """Return the names, versions and markers of a file of pins."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [PIN.match(line) for line in lines if line and not line.startswith((" ", "#"))]
    assert all(found), name
    return [match.groups() for match in found if match]


def versions(name: str) -> dict[str, str]:
    """Return the pins of a file that apply to the running Python."""
    return {
        canonicalize_name(package): version
        for package, version, marker in pins(name)
        if marker is None or Marker(marker).evaluate()
    }


def tracked() -> list[Path]:
    """Return the project's files; an archive without git has nothing but them."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git checkout: there is no list of the project's files")
    paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def texts() -> list[tuple[str, str]]:
    """Return the project's text files, by name."""
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found.append((path.relative_to(ROOT).as_posix(), text))
    return found


def imported(text: str) -> set[str]:
    """Return the top-level names that a piece of Python imports."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names)


# --- requirements ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "extras"),
    [
        ("ntk/*.py", []),
        ("ntk/layers/*.py", []),
        ("ntk/dynamics/*.py", ["training"]),
        ("ntk/empirical/*.py", []),
        ("ntk/estimators/*.py", ["estimators"]),
        ("ntk/function_space/*.py", ["training"]),
        ("ntk/training/*.py", ["training"]),
        ("ntk/companion/**/*.py", ["book"]),
        ("book/_ext/*.py", ["book"]),
        ("notebooks/*.ipynb", ["book"]),
        ("tests/**/*.py", ["book", "test"]),
        ("benchmarks/**/*.py", ["book", "test"]),
    ],
)
def test_everything_imported_is_required(where, extras):
    own = {"ntk", "tests", "benchmarks"} | {
        path.stem for path in (ROOT / "book" / "_ext").glob("*.py")
    }
    required = {canonicalize_name(requirement.name) for requirement in requirements(*extras)}
    # jupyter-book and matplotlib bring these along and cannot do without them.
    required |= (
        {"cycler", "docutils", "sphinx", "ipython", "matplotlib-inline"} if extras else set()
    )
    provides = metadata.packages_distributions()
    missing = []
    for path in sorted(ROOT.glob(where)):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
            text = "\n".join("".join(cell["source"]) for cell in cells)
        missing += [
            f"{path.relative_to(ROOT).as_posix()}: {name}"
            for name in imported(text) - own
            if not {canonicalize_name(by) for by in provides.get(name, [name])} & required
        ]
    # Imported in the peer's own environment, which has its own pins.
    peers = [name for name in missing if re.match(r"benchmarks/.*: neural_tangents$", name)]
    assert [name for name in missing if name not in peers] == []


# --- the lock -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["requirements.lock", "constraints.txt"])
def test_every_requirement_is_pinned_at_a_version_that_fits(name):
    pinned = versions(name)
    build = [Requirement(line) for line in PYPROJECT["build-system"]["requires"]]
    for requirement in [*requirements("book", "test"), *build]:
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {name}: run `make lock`"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} {version}"


def test_the_two_files_of_pins_are_the_same():
    assert pins("requirements.lock") == pins("constraints.txt")


def test_every_pin_has_hashes():
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text())
    assert all("--hash=sha256:" in block for block in blocks if not block.startswith("#"))


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_lock_serves_every_supported_python_and_platform(python, platform):
    environment = default_environment() | {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": platform,
    }
    names = [
        canonicalize_name(package)
        for package, _, marker in pins("requirements.lock")
        if marker is None or Marker(marker).evaluate(environment)
    ]
    assert len(set(names)) == len(names)
    assert {canonicalize_name(r.name) for r in requirements("book", "test")} <= set(names)


def test_what_is_installed_is_what_the_lock_says():
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("another environment than the one of `make`: it may have other versions")
    pinned = versions("requirements.lock")
    other = {
        name: (metadata.version(name), version)
        for name, version in pinned.items()
        if Version(metadata.version(name)).public != Version(version).public
    }
    assert not other, "run `make setup`"


def test_the_build_backend_is_locked_as_it_is_required():
    assert PYPROJECT["dependency-groups"]["build"] == PYPROJECT["build-system"]["requires"]


# --- conda ----------------------------------------------------------------------------------------

ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def test_the_conda_environment_has_a_python_that_the_project_supports():
    (python,) = (line for line in ENVIRONMENT["dependencies"] if str(line).startswith("python"))
    wanted = Requirement(python).specifier
    supported = Requirement(f"python{PROJECT['requires-python']}").specifier
    classified = [
        line.rpartition(" ")[2]
        for line in PROJECT["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)
    ]
    for minor in range(8, 30):
        version = f"3.{minor}"
        assert wanted.contains(version) == (version in classified)
        assert supported.contains(version) or version not in classified


def test_the_conda_environment_installs_the_project_with_the_pins():
    assert "pip" in ENVIRONMENT["dependencies"]
    (pip,) = (line["pip"] for line in ENVIRONMENT["dependencies"] if isinstance(line, dict))
    assert pip == ["-c constraints.txt", "-e .[book,estimators,operators,test,training]"]
    # pip refuses an editable install beside hashes, so the file that it is given has none.
    assert "--hash" not in (ROOT / "constraints.txt").read_text()
    assert Requirement(f"ntk-companion{pip[1].removeprefix('-e .')}").extras == set(EXTRAS)


# --- versions -------------------------------------------------------------------------------------


def test_the_version_is_the_same_everywhere():
    assert metadata.version(PROJECT["name"]) == ntk.__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == ntk.__version__
    assert ntk.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_citation_has_what_the_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["authors"] == PROJECT["authors"]
    assert " AND ".join(citation["license"]) == PROJECT["license"]


def test_the_licences_are_whole():
    assert "Permission is hereby granted" in (ROOT / "LICENSE").read_text()
    book = (ROOT / "LICENSE-book").read_text()
    assert "Creative Commons Attribution 4.0 International Public License" in book
    assert [f"Section {number} --" in book for number in range(1, 9)] == [True] * 8


# --- what the files may not contain ---------------------------------------------------------------


def test_no_file_names_a_package_index():
    # Where packages come from is each machine's own setting.
    index = re.compile(
        r"--(extra-)?index-url|--find-links|pypi\.org/simple|pythonhosted|trusted-host"
    )
    me = Path(__file__).relative_to(ROOT).as_posix()
    assert [name for name, text in texts() if index.search(text) and name != me] == []


def test_no_file_names_a_path_of_a_machine():
    inside = {"home": r"\w+/", "Users": r"\w+/", "root": "", "tmp": r"\w"}
    folders = [f"/{folder}/{rest}" for folder, rest in inside.items()]
    here = re.compile("|".join([rf"{re.escape(str(ROOT))}\b", *folders]))
    found = {name: match.group() for name, text in texts() if (match := here.search(text))}
    assert found == {}


def test_no_module_is_too_long():
    long = {
        name: text.count("\n")
        for name, text in texts()
        if name.startswith("ntk/") and name.endswith(".py") and text.count("\n") > 400
    }
    assert long == {}


def lines_of_code(text):
    """Count the lines with code: what explains it is welcome at any length."""
    tree = ast.parse(text)
    prose = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose |= set(range(node.lineno, node.end_lineno + 1))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in prose
        for number, line in enumerate(text.splitlines(), 1)
    )


def test_the_core_stays_in_small_pieces():
    core = {
        name: text
        for name, text in texts()
        if name.startswith("ntk/") and name.endswith(".py") and "companion" not in name
    }
    # One idea a file; a module of 400 lines wants a split.
    assert {name for name, text in core.items() if text.count("\n") >= 400} == set()
    rooms: dict[str, int] = {}
    for name, text in core.items():
        room = name.rpartition("/")[0]
        rooms[room] = rooms.get(room, 0) + lines_of_code(text)
    assert len(rooms) >= 3
    assert {room for room, lines in rooms.items() if lines >= 3000} == set()


def test_prose_is_spelt_with_ise():
    american = re.compile(
        r"\b\w+iz(?:e[ds]?|ing|ations?)\b|\bcolou?rize\w*|\b(?:behavior|color)s?\b"
    )
    # Not of this kind; and the names of the fixed API, which may stand in prose as plain words.
    names = {"size", "sizes", "sized", "resize", "resized", "prize", "seize"}
    names |= {"linearize", "parametrization"}
    # Code, formulas, and the titles of papers, which are theirs.
    verbatim = re.compile(
        r"^---\n.*?^---$|^(`{3,})[^\n]*\n.*?^\1$|\$\$.*?\$\$|`[^`\n]*`|\$[^$\n]*\$|\*[^*\n]+\*|“[^”]*”",
        re.DOTALL | re.MULTILINE,
    )
    found = [
        f"{name}: {match.group()}"
        for name, text in texts()
        if name.startswith(("book/", "notebooks/")) and name.endswith(".md")
        for match in american.finditer(verbatim.sub("", text))
        if match.group().lower() not in names
    ]
    assert found == []
