# Needs Python >= 3.11, < 3.15 and make. Another interpreter: make PYTHON=python3.12 ...
PYTHON ?= python3
PRESET ?= quick

VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip -qq --disable-pip-version-check install --constraint constraints.txt
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help reproduce docs test test-browser test-slow test-torch conformance lint types bench venv clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

reproduce: $(VENV)/.core ## run every experiment, claim and figure; the last line is the report's path
	@$(BIN)/theorytk reproduce --preset $(PRESET)

docs: $(VENV)/.docs ## the documentation site from what `make reproduce` stored; the last line is its path
	@rm -rf build/docs build/doctrees
	@$(BIN)/sphinx-build --quiet --jobs 2 --nitpicky --fail-on-warning --keep-going -d build/doctrees docs build/docs
	@echo build/docs/index.html

test: $(VENV)/.dev ## the fast part of the test suite
	$(BIN)/pytest -m "not slow and not torch and not browser" --ignore=tests/conformance

test-slow: $(VENV)/.dev $(VENV)/.docs ## fault drills, the built wheel, and the site that `make docs` built
	THEORYTK_DOCS=build/docs $(BIN)/pytest -m slow

test-torch: $(VENV)/.torch ## what runs on tensors, on the CPU
	$(BIN)/pytest -m torch

test-browser: $(VENV)/.dev ## the report and the site in Chromium; reads what `make reproduce docs` wrote
	THEORYTK_RESULTS=results THEORYTK_DOCS=build/docs $(BIN)/pytest -m browser tests/browser

conformance: $(VENV)/.dev ## checks over everything registered; reads what `make reproduce` stored
	THEORYTK_RESULTS=results $(BIN)/pytest -m "not slow" tests/conformance

lint: $(VENV)/.dev ## style, and what may import what
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev ## static types
	$(BIN)/mypy

bench: export OMP_NUM_THREADS = 1
bench: export OPENBLAS_NUM_THREADS = 1
bench: $(VENV)/.dev ## speed against the best public calls, on one thread
	$(BIN)/pytest benchmarks -s

venv: $(VENV)/.dev ## install everything into .venv

clean: ## remove .venv and caches; results/ stays
	rm -rf $(VENV) build dist docs/generated .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps .core and .dev say what is installed; they age when its declaration changes.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 15) \
	    else "theorytk needs Python >= 3.11, < 3.15; this is %d.%d. Try: make PYTHON=python3.12" % v)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing theorytk into $(VENV)"
	@$(INSTALL) --editable ".[sklearn]"
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "Installing the developers' tools into $(VENV)"
	@$(INSTALL) --editable ".[dev]"
	@touch $@

$(VENV)/.docs: $(VENV)/.core
	@echo "Installing what builds the documentation into $(VENV)"
	@$(INSTALL) --editable ".[docs]"
	@touch $@

# Apart from the pins: PyTorch for the CPU, and diffusers, whose schedulers the samplers are checked against.
$(VENV)/.torch: $(VENV)/.dev
	@echo "Installing PyTorch into $(VENV)"
	@$(BIN)/python -m pip -qq --disable-pip-version-check install torch==2.13.0
	@$(INSTALL) diffusers==0.42.1
	@touch $@
