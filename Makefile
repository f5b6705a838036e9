# `make book` builds the site, `make test` runs every check. Both set up `.venv` by themselves, from
# requirements.lock, and are quick when nothing has changed.

# The Python that makes `.venv`; empty: the first of the usual names that is 3.11 or later.
PYTHON ?=
PY := .venv/bin/python

# Committed outputs are made and compared on the CPU, whatever else the machine has.
export JAX_PLATFORMS := cpu
# A search path from outside would put other packages before those of the lock.
unexport PYTHONPATH PYTHONHOME

.PHONY: help setup book test bench notebooks format lint lock clean
.NOTPARALLEL:

help:
	@echo "make book       set up, verify the notebooks and their claims, build the site into _build/html"
	@echo "make test       set up, then every check: style, types, notebooks, site, tests"
	@echo "make bench      speed, memory and accuracy beside neural-tangents, and the page about them; an hour"
	@echo "make notebooks  execute the notebooks whose sources have changed and store their outputs"
	@echo "make format     format the code, that of the notebooks' sources too"
	@echo "make lint       style and types only"
	@echo "make lock       renew requirements.lock and constraints.txt after a change of pyproject.toml"
	@echo "make clean      remove everything that was made, .venv too"
	@echo "PYTHON=path     the Python to set up with (3.11 or later)"

book: setup
	@$(PY) -m ntk.companion book build

test: setup lint
	@echo "==> Notebooks: pairs, stored errors, verdicts"
	@$(PY) -m ntk.companion book verify
	@echo "==> Notebooks: executed again and compared"
	@$(PY) -m ntk.companion book test
	@echo "==> Site"
	@$(PY) -m ntk.companion book build
	@echo "==> Tests and doctests"
	@$(PY) -m ntk.companion book pytest

# ONLY=dense or ONLY="erf-depth-3 accuracy": groups or cases; PEER=no: without neural-tangents;
# PEER_PYTHON=path: the Python 3.11 or 3.12 of its environment; QUICK=yes: tiny sizes.
ONLY ?=
PEER ?= yes
PEER_PYTHON ?=
QUICK ?= no
bench: setup
	@$(PY) -m benchmarks run $(foreach name,$(ONLY),--only $(name)) $(if $(filter no,$(PEER)),--no-peer) \
	  $(if $(PEER_PYTHON),--peer-python $(PEER_PYTHON)) $(if $(filter yes,$(QUICK)),--quick)

notebooks: setup
	@$(PY) -m ntk.companion book execute

format: setup
	@$(PY) -m ruff format --exclude notebooks .
	@$(PY) -m ntk.companion book format

lint: setup
	@echo "==> Style and types"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

# .venv/.locked and .venv/.complete are written only after success and hold what they were made
# from, so a half-made or outdated environment is never taken for a finished one. The folder is part
# of it, since a moved environment still points to its old place. A changed lock starts afresh.
setup:
	@lock="$$(cksum < requirements.lock) $$(pwd)"; \
	all="$$lock $$({ cat pyproject.toml; grep '^__version__' ntk/__init__.py; } | cksum)"; \
	works=no; if $(PY) -c 'import pip' 2> /dev/null; then works=yes; fi; \
	if [ $$works = yes ] && [ "$$(cat .venv/.complete 2> /dev/null)" = "$$all" ]; then exit 0; fi; \
	set -e; \
	if [ $$works = no ] || [ "$$(cat .venv/.locked 2> /dev/null)" != "$$lock" ]; then \
	  python=; names="python3.13 python3.12 python3.11 python3.14 python3"; \
	  if [ -n "$(PYTHON)" ]; then set -- "$(PYTHON)"; else set -- $$names; fi; \
	  for name in "$$@"; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then python="$$(command -v "$$name")"; break; fi; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo "Python 3.11 or later is needed, and none was found; looked for: $$*" >&2; \
	    echo "Install one, on Debian or Ubuntu: apt-get install python3 python3-venv; or name it: make PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	  fi; \
	  version="$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"; \
	  if ! "$$python" -c 'import ensurepip, venv' 2> /dev/null; then \
	    echo "$$python (Python $$version) cannot make a virtual environment: its module venv or ensurepip is missing." >&2; \
	    echo "On Debian or Ubuntu: apt-get install python$$version-venv" >&2; \
	    exit 1; \
	  fi; \
	  echo "==> Setting up .venv with $$python (Python $$version): about 120 packages, a few minutes"; \
	  "$$python" -m venv --clear .venv; \
	  $(PY) -m pip install --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock; \
	  printf '%s\n' "$$lock" > .venv/.locked; \
	fi; \
	rm -f .venv/.complete; \
	echo "==> Installing the project itself"; \
	$(PY) -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .; \
	$(PY) -m pip check; \
	printf '%s\n' "$$all" > .venv/.complete

# Keeps every pin that still fits; `make lock UPGRADE=--upgrade` takes the newest of everything.
UPGRADE ?=
COMPILE = _build/uv/bin/uv pip compile pyproject.toml --all-extras --group build --universal --python-version 3.11 \
  --fork-strategy fewest --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet
lock: setup
	@[ -x _build/uv/bin/uv ] || { $(PY) -m venv _build/uv && _build/uv/bin/python -m pip install --quiet uv; }
	$(COMPILE) --generate-hashes $(UPGRADE) --output-file requirements.lock
	$(COMPILE) --constraints requirements.lock --output-file constraints.txt

clean:
	rm -rf .venv _build .pytest_cache .mypy_cache .ruff_cache
