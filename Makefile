# The commands of the project; `make help` lists them. Nothing but make and Python (3.11 or newer) need be there.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# Node.js comes as a package of Python. It builds the assets and runs nothing: it has a place of its own.
BUILD := $(VENV)/build
NPM := PATH="$(CURDIR)/$(BUILD)/bin:$$PATH" npm
# It tells what it cannot fetch, and nothing else.
NPM_CI := $(NPM) ci --loglevel error --no-progress >/dev/null
# The checks have a data folder, and so keys, of their own.
CHECKED := env DATA_DIR=$(VENV)/checked
DEFAULTS := ENV_FILE=/dev/null DATABASE_URL=
# The settings that a careful operator would choose.
EXAMPLE := ENV_FILE=.env.example

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help run demo setup test test-slow test-pythons screenshots upgrade bench bench-pages lint format check deploy-check messages requirements clean

help:  ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 15

run: setup  ## Serve the portal on PORT (8000), publish events; the first start prints how to sign in
	@$(BIN)/python -m portal.keys
	@$(BIN)/python -m portal.ports
	@$(BIN)/python manage.py migrate --no-input --verbosity 0
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@$(BIN)/python manage.py first_start
	@$(BIN)/python -m portal.run

demo: setup  ## Fill an empty instance with three made-up accounts and a week of events
	@$(BIN)/python -m portal.keys
	@$(BIN)/python manage.py migrate --no-input --verbosity 0
	@$(BIN)/python manage.py demo $(ARGS)

setup: $(VENV)/installed $(VENV)/assets $(VENV)/script $(VENV)/messages  ## Make the virtual environment, install the packages, compile the translations

test: setup $(VENV)/installed-dev $(BUILD)/installed  ## Run the tests on SQLite, and on PostgreSQL where TEST_POSTGRES_URL answers
	@$(BIN)/python scripts/run_tests.py $(ARGS)

test-slow: setup $(VENV)/installed-dev $(BUILD)/installed  ## Run the tests that take long: faults, fuzzing, properties
	@$(BIN)/python scripts/run_tests.py -m slow $(ARGS)

upgrade: setup $(VENV)/installed-dev  ## Make an instance with the code of FROM=COMMIT, upgrade it, print which answers differ
	@$(BIN)/python -m scripts.upgrade $(FROM) $(ARGS)

test-pythons: setup $(VENV)/installed-dev  ## Run the suite's core on the oldest and newest Python that are here
	@$(BIN)/python scripts/test_pythons.py $(ARGS)

screenshots: setup $(VENV)/installed-dev  ## Take the pictures in docs/screenshots/ anew, with Chromium
	@$(BIN)/python scripts/screenshots.py

bench-pages: $(VENV)/installed-dev  ## Measure the server's part of every page, of an account with 500 pixels
	@$(BIN)/python -m bench.pages

bench: $(VENV)/installed-dev $(VENV)/bench/installed $(BUILD)/installed bench/peers/node_modules/installed  ## Measure the portal beside its peers on PostgreSQL, write docs/benchmarks.md; 15 minutes
	@command -v wrk >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -qq -y wrk >/dev/null; } || \
		{ echo "wrk sends the requests of the benchmarks (on Debian: apt install wrk)." >&2; exit 1; }
	@$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/installed-dev  ## Check the code's form
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/installed-dev  ## Put the code in form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check: lint $(VENV)/assets  ## Everything that can be told without running the tests
	@$(NPM) run --silent check
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive . 2>/dev/null  # where it warns of every nosec
	@$(CHECKED) $(DEFAULTS) $(BIN)/python -m portal.keys
	$(CHECKED) $(EXAMPLE) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(CHECKED) $(DEFAULTS) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECKED) $(DEFAULTS) $(BIN)/python manage.py export_schemas --check

deploy-check: $(VENV)/installed-dev $(VENV)/deploy/installed  ## Check deploy/: image, compose, Kubernetes, systemd, Prometheus
	@$(BIN)/python scripts/deploy_check.py

messages: $(VENV)/installed  ## Collect what pages say into locale/, to be translated there
	@$(BIN)/python scripts/messages.py

requirements: $(VENV)/installed-dev  ## Pin the newest packages that requirements*.in allow
	@for part in "" -dev -bench -build -deploy; do \
		$(BIN)/pip-compile --upgrade --quiet --strip-extras --no-header --no-emit-index-url --no-emit-find-links \
			requirements$$part.in || exit 1; done

clean:  ## Remove the virtual environment and caches; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp is newer than the pins that were installed: an unchanged project starts without asking pip.
$(VENV)/installed: requirements.txt
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name yours with make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is needed (on Debian: apt install python3-venv)." >&2; exit 1; }
	@echo "Installing the packages into $(VENV)/. The first time this takes a minute or more."
	@$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	@echo "Installing the tests' packages."
	@$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# What the benchmarks' peers run on: packages that the portal has nothing to do with, in places of their own.
$(VENV)/bench/installed: requirements-bench.txt $(VENV)/installed
	@$(BIN)/python -m venv $(VENV)/bench
	$(VENV)/bench/bin/python -m pip install --quiet -r requirements-bench.txt
	@touch $@

# What reads deploy/, in a place of its own.
$(VENV)/deploy/installed: requirements-deploy.txt $(VENV)/installed
	@$(BIN)/python -m venv $(VENV)/deploy
	@$(VENV)/deploy/bin/python -m pip install --quiet -r requirements-deploy.txt
	@touch $@

bench/peers/node_modules/installed: bench/peers/package-lock.json $(BUILD)/installed
	@cd bench/peers && $(NPM_CI)
	@touch $@

$(BUILD)/installed: requirements-build.txt | $(VENV)/installed
	@echo "Installing Node.js, which puts the pages' styles and scripts together."
	@$(BIN)/python -m venv $(BUILD)
	@$(BUILD)/bin/python -m pip install --quiet -r requirements-build.txt
	@touch $@
# Who has removed it gets it back when there is something to build, not before.
.SECONDARY: $(BUILD)/installed

# The packages of Node.js are named in package-lock.json, with their hashes.
$(VENV)/assets: package-lock.json .npmrc scripts/copy_assets.py $(BUILD)/installed
	@echo "Fetching the pages' styles and scripts."
	@$(NPM_CI)
	@$(BIN)/python scripts/copy_assets.py
	@touch $@

# The script for visitors' browsers.
$(VENV)/script: $(wildcard pixel/src/*.ts) package.json $(VENV)/assets
	@$(NPM) run --silent build
	@touch $@

$(VENV)/messages: $(wildcard locale/*/LC_MESSAGES/django.po locale/packages/*/LC_MESSAGES/django.po) $(VENV)/installed
	@$(BIN)/pybabel --quiet compile --domain django --directory locale
	@$(BIN)/pybabel --quiet compile --domain django --directory locale/packages
	@touch $@
