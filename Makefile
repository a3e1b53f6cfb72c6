# One command for each human question. Needs Python 3.11 or newer and make; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FRONTEND := $(BIN)/python dashboards/frontend/build.py

.PHONY: help run test test-all check bench frontend clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run frontend ## Set everything up and run the platform until Ctrl-C
	@exec $(BIN)/python manage.py up

test: $(VENV)/.dev frontend ## Run the tests (at most ten minutes)
	$(FRONTEND) test
	$(BIN)/python -m pytest -n logical --dist loadgroup -m "not slow"

test-all: $(VENV)/.dev frontend ## Run every test, those with official clients, browser and faults too
	$(BIN)/python -m pytest -n logical --dist loadgroup

check: $(VENV)/.dev ## Lint, types, floors, migrations
	$(FRONTEND) check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

bench: $(VENV)/.dev ## Run the benchmarks
	$(BIN)/python -m benchmarks

frontend: $(VENV)/.run ## Build the pages' scripts and styles, unless nothing has changed
	@$(FRONTEND)

clean: ## Remove the virtual environment and the caches; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dashboards/static dashboards/frontend/node_modules

# What was installed last; anew whenever the requirements change.
$(VENV)/.run: requirements.txt | $(VENV)/.python
	@echo "Installing the platform's packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(VENV)/.python
	@echo "Installing the platform's and the developers' packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run

# Made last, so that a virtual environment that was cut short is begun anew.
$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "make: there is no '$(PYTHON)'. Install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $$($(PYTHON) --version 2>&1) is too old, 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "make: Python's venv module is incomplete here. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@
