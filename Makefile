# What is needed: Python 3.11 or newer with venv, and make. Everything else is installed into this folder:
# uv into .uv/, the locked packages into .venv/, downloads into .cache/. The second time there is nothing to do.
# Words for the command behind a target: make demo ARGS="--pace 60 --no-browser"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo up test check faults mutants tampers fuzz attack bench clean

# The first of these that is new enough; PYTHON=... chooses another one.
PYTHON ?= $(shell for each in python3 python3.11 python3.12 python3.13 python3.14; do \
	command -v $$each >/dev/null 2>&1 && $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v $$each; break; }; done)
UV_VERSION := 0.13.8
UV := .uv/bin/uv
# Locked, from here, with the Python that is there: nothing is downloaded that the lock file does not name. Compiled
# here once, because not everybody who starts a service may write into this folder.
export UV_PYTHON_DOWNLOADS := never
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export VERBUND_CACHE ?= $(CURDIR)/.cache
export UV_PROJECT_ENVIRONMENT := .venv
# An environment that happens to be active is none of this project's.
unexport VIRTUAL_ENV
ARGS ?=
# Tests of one file stay together: they share what it starts. A PostgreSQL, a Kafka and the rest per worker.
WORKERS ?= 2

help:
	@echo "make demo    the whole city, simulated, on this machine: prints a link (ARGS=... are given on)"
	@echo "make up      the same without a simulated city"
	@echo "make test    every test (two files at a time; WORKERS=... for another number)"
	@echo "make check   formatting, lint, types, who may import whom"
	@echo "make faults  the whole search for what a kill could lose (200 kills; VERBUND_SEED=... repeats one)"
	@echo "make mutants all planted bugs, each of which a test has to catch (15 of them in make test)"
	@echo "make tampers 1,000 forgeries of a ledger, each of which has to be found"
	@echo "make fuzz    many more good and bad requests to every door than in make test"
	@echo "make attack  attackers of the disclosure control in 200 random cities (VERBUND_SEED=... repeats them)"
	@echo "make bench   the measurements in bench/"
	@echo "make setup   only install what the others need"
	@echo "make clean   remove what setup installed (never the data in VERBUND_HOME)"

setup: .venv/.complete

.uv/.$(UV_VERSION):
	@test -n "$(PYTHON)" || { echo "Verbund needs Python 3.11 or newer, and found none. Install it, or say where" \
		"it is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Verbund needs Python 3.11 or" \
		"newer; $(PYTHON) is older. Choose another one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' || { echo "$(PYTHON) has no venv. On Debian: apt-get install" \
		"python3-venv" >&2; exit 1; }
	rm -rf .uv
	"$(PYTHON)" -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.complete: .uv/.$(UV_VERSION) uv.lock pyproject.toml $(wildcard shared/pyproject.toml services/*/pyproject.toml)
	$(UV) sync --frozen --quiet --compile-bytecode --python "$(if $(PYTHON),$(PYTHON),.uv/bin/python)"
	@touch $@

demo: setup
	@.venv/bin/verbund demo $(ARGS)

up: setup
	@.venv/bin/verbund up $(ARGS)

test: setup
	@.venv/bin/pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(ARGS)

check: setup
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

# What make test runs as a small selection, whole. Each prints its seed.
faults: setup
	@VERBUND_KILLS="$${VERBUND_KILLS:-200}" VERBUND_TRAY_KILLS="$${VERBUND_TRAY_KILLS:-200}" VERBUND_ALERT_KILLS="$${VERBUND_ALERT_KILLS:-20}" \
	VERBUND_EDITION_KILLS="$${VERBUND_EDITION_KILLS:-40}" \
	VERBUND_RELAY_KILLS="$${VERBUND_RELAY_KILLS:-50}" VERBUND_AWAY_SECONDS="$${VERBUND_AWAY_SECONDS:-300}" \
	VERBUND_JOINS="$${VERBUND_JOINS:-20}" .venv/bin/pytest -s tests/faults tests/verbund/test_relay_faults.py $(ARGS)

mutants: setup
	@VERBUND_MUTANTS="$${VERBUND_MUTANTS:-1000000}" .venv/bin/pytest -s tests/mutants $(ARGS)

tampers: setup
	@VERBUND_TAMPERS="$${VERBUND_TAMPERS:-1000}" .venv/bin/pytest -s tests/verbund/test_tampers.py $(ARGS)

fuzz: setup
	@VERBUND_FUZZ="$${VERBUND_FUZZ:-200}" .venv/bin/pytest -s tests/contracts/test_openapi.py $(ARGS)

attack: setup
	@VERBUND_CITIES="$${VERBUND_CITIES:-200}" .venv/bin/pytest -s tests/attacks $(ARGS)

bench: setup
	@for each in desk projection figures road verify rebuild relay projection_kafka road_kafka machine; do echo "== $$each"; .venv/bin/python "bench/$$each.py" $(ARGS) || exit; done

clean:
	rm -rf .venv .uv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
