"""What a public forge runs: workflow files that are valid, safe, and name the right versions."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def load(name: str) -> dict:
    # YAML 1.1 reads the key `on` as a truth value, unless told that everything is text.
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_they_follow_the_schema():
    schema = ["--builtin-schema", "vendor.github-workflows"]
    told = run(sys.executable, "-m", "check_jsonschema", *schema, *map(str, WORKFLOWS))
    assert told.returncode == 0, told.stdout + told.stderr


def test_they_are_safe():
    zizmor = shutil.which("zizmor", path=sysconfig.get_path("scripts"))
    if zizmor is None:
        pytest.fail("zizmor is missing: run `make setup`")
    told = run(zizmor, "--offline", "--no-progress", "--format", "json", *map(str, WORKFLOWS))
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout) == []


def test_the_tests_run_on_the_oldest_and_the_newest_python():
    supported = [
        line.rpartition(" ")[2]
        for line in PROJECT["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)
    ]
    assert load("test")["jobs"]["pinned"]["strategy"]["matrix"]["python"] == [
        supported[0],
        supported[-1],
    ]


def test_the_tests_run_on_pushes_requests_and_weekly():
    triggers = load("test")["on"]
    assert {"push", "pull_request", "schedule"} <= set(triggers)
    ((minute, hour, day, month, weekday),) = (t["cron"].split() for t in triggers["schedule"])
    assert minute.isdigit()
    assert hour.isdigit()
    assert (day, month) == ("*", "*")
    assert weekday.isdigit()


def test_nothing_may_write_but_the_publication():
    for path in WORKFLOWS:
        workflow = load(path.stem)
        assert workflow["permissions"] == {}
        for name, job in workflow["jobs"].items():
            wanted = {"pages": "write", "id-token": "write"}
            assert job["permissions"] == (wanted if name == "publish" else {"contents": "read"})


def test_each_command_of_the_project_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for path in WORKFLOWS:
        for job in load(path.stem)["jobs"].values():
            for step in job["steps"]:
                command = step.get("run", "")
                if command.startswith("make "):
                    target = command.split()[1]
                    assert re.search(rf"^{target}:", makefile, re.MULTILINE), command
                elif command.startswith(("./", ".ci/")):
                    assert (ROOT / command.split()[0]).is_file(), command
