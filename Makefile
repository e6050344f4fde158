# Frontdesk: `make run` starts everything, `make test` checks everything; each sets up what it needs first.

PY := .venv/bin/python
SETUP := .venv/setup-done
export RASA_TELEMETRY_ENABLED := false
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test quick lint train chaos bench clean

help:  ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: $(SETUP)  ## make .venv and install everything into it (only what changed)
	@:

$(SETUP): requirements.lock pyproject.toml scripts/setup.sh
	@bash scripts/setup.sh

run: $(SETUP)  ## start Frontdesk; Ctrl-C stops it
	@.venv/bin/frontdesk up

test: $(SETUP) lint  ## check everything: style, types, import rules, tests, browser
	@bash scripts/chromium.sh
	@$(PY) -m pytest

quick: $(SETUP)  ## run the unit and contract tests only
	@$(PY) -m pytest -q -m "not slow and not browser" tests/unit tests/contract

lint: $(SETUP)  ## check style, types and who may import whom
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

train: $(SETUP)  ## train the Rasa model if its inputs changed
	@.venv/bin/frontdesk train

chaos: $(SETUP)  ## kill processes at work, 20 times, and count what was lost (ARGS="--kills 5 --seed 2")
	@$(PY) -m tests.chaos $(ARGS)

bench: $(SETUP)  ## measure us beside the bot of `rasa init`; figures in var/bench.json (ARGS="--quick")
	@$(PY) -m bench $(ARGS)

clean:  ## remove caches and .venv; conversations and models in var/ stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .rasa *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
