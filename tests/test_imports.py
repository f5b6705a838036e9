"""What an import brings along: the core stays light, and what is missing is named."""

import subprocess
import sys

import pytest

# The core's dependencies and theirs; scipy is one of JAX's.
CORE = {"jax", "jaxlib", "jaxtyping", "ml_dtypes", "ntk", "numpy", "opt_einsum", "scipy"}


def python(code: str) -> str:
    """Run code in a new interpreter and return what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


LOADED = """
import sys
before = set(sys.modules)
import {module}
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(new - set(sys.stdlib_module_names)))
"""


def loaded(module: str) -> set[str]:
    """Return the packages beside the standard library that an import loads."""
    return set(python(LOADED.format(module=module)).split())


def test_the_core_loads_only_its_few_dependencies():
    packages = loaded("ntk")
    assert {"jax", "numpy", "ntk"} <= packages
    # JAX itself uses some packages, such as pygments, where they happen to be installed.
    more = packages - CORE - loaded("jax, jax.numpy, jaxtyping")
    assert more == set()


def test_the_core_does_not_load_the_companion():
    code = "import sys, ntk; print([name for name in sys.modules if 'companion' in name])"
    assert python(code).strip() == "[]"


def test_importing_leaves_the_configuration_of_jax_alone():
    code = """
import jax
before = dict(jax.config.values)
import ntk, ntk.companion.claims, ntk.companion.datasets
assert dict(jax.config.values) == before
"""
    python(code)


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from ntk.errors import MissingExtraError
try:
    {code}
except MissingExtraError as error:
    print(error)
else:
    print("nothing was missing")
"""


FLOW = "import numpy as np, ntk; one = np.ones((1, 1), 'f4'); ntk.FunctionFlow(one, one, 'squared')"


@pytest.mark.parametrize(
    ("missing", "code", "extra"),
    [
        ("matplotlib", "import ntk.companion.figures", "book"),
        ("typer", "from ntk.companion import cli; cli.application()", "book"),
        ("jupytext", "from ntk.companion import cli; cli.application()", "book"),
        ("nbclient", "from ntk.companion import cli; cli.application()", "book"),
        ("diffrax", FLOW, "training"),
        ("optax", FLOW, "training"),
    ],
)
def test_a_part_without_its_extra_says_how_to_get_it(missing, code, extra):
    message = python(WITHOUT.format(missing=missing, code=code))
    assert missing in message
    assert f"pip install 'ntk-companion[{extra}]'" in message


def test_the_core_works_without_the_extra():
    python(WITHOUT.format(missing="matplotlib", code="import ntk; ntk.mlp(1)"))
