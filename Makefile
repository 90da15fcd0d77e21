# What people type; `make` alone lists it. Everything but this file's set-up of .venv is Python.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKS := deploy/requirements/uv.txt deploy/requirements/dev.txt
READY := $(VENV)/.ready
LOCAL := $(BIN)/python -m deploy.local
COMPILE := $(abspath $(BIN))/uv pip compile --quiet --generate-hashes --universal --no-emit-index-url --python-version 3.11 \
	--custom-compile-command "make lock"

.PHONY: help
help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' \
		$(firstword $(MAKEFILE_LIST))

##@ Run it
.PHONY: up down reset status logs demo demo-large
up: tools ## Start broker, database, mail catcher and the four services, load the demo firm, say where everything is
	@$(LOCAL) up
down: $(READY) ## Stop everything, keep the data
	@$(LOCAL) down
reset: $(READY) ## Stop everything and forget the data
	@$(LOCAL) reset
status: $(READY) ## Say what runs and what is ready
	@$(LOCAL) status
logs: $(READY) ## Follow what the parts say (PART=clients for one of them)
	@$(LOCAL) logs $(PART)
demo: $(READY) ## Load the demo firm into the running system
	@set -a; . "$${PORTAL_HOME:-.local}/portal.env"; $(BIN)/python -m deploy.demo
demo-large: $(READY) ## Load a firm of 100,000 clients and a million facts, and say how fast (ARGS="--clients N --facts N --accept N")
	@set -a; . "$${PORTAL_HOME:-.local}/portal.env"; $(BIN)/python -m deploy.demo_large $(ARGS)

##@ Change it
.PHONY: test screenshots check format contracts lock
test: tools browser ## Set up what is missing and run all tests, on ports and data of their own
	@$(BIN)/python -m pytest $(ARGS)
screenshots: tools browser ## Take pictures of the page and of two mails, into .local/screenshots/pictures
	@$(BIN)/python -m tests.browser.screenshots
check: $(READY) ## Format, lint, strict types, walls, unit tests: in under a minute
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/unit
format: $(READY) ## Put the code into its form
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix
contracts: $(READY) ## Generate the OpenAPI and AsyncAPI descriptions from the code, and the page's types from them
	@$(BIN)/python -m deploy.contracts
	@$(PYTHON) -m deploy.local.install page
	@PATH="$(abspath $(BIN)):$$PATH" npm run --silent types --prefix services/gateway/portal
lock: $(READY) ## Pin every dependency anew, with hashes (UPGRADE=1 for newer versions)
	@cd deploy/requirements; for name in uv run dev; do $(COMPILE) $(if $(UPGRADE),--upgrade) $$name.in -o $$name.txt; done
	@$(PYTHON) -m deploy.local.install jar-list
	@cd deploy/local/mail && PATH="$(abspath $(BIN)):$$PATH" npm install --package-lock-only --ignore-scripts --no-audit --no-fund \
		--omit-lockfile-registry-resolved --loglevel=error
	@cd services/gateway/portal && PATH="$(abspath $(BIN)):$$PATH" npm install --package-lock-only --loglevel=error

##@ Prove it
.PHONY: bench
bench: tools ## Measure the figures of the README, into .local/bench.json (ARGS=--short for a quick look)
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-page
bench-page: tools browser ## Measure how soon the page shows rows, with 60 and with 100,000 clients (ARGS="--clients N")
	@$(BIN)/python -m tests.bench.page $(ARGS)

.PHONY: chaos
chaos: tools ## Kill parts under load for five minutes (CHAOS_SECONDS=300), then count everything
	@PORTAL_CHAOS_SECONDS=$(or $(CHAOS_SECONDS),300) $(BIN)/python -m pytest tests/chaos -s

# Python packages, broker and mail catcher, side by side: what is there already costs nothing.
.PHONY: tools
tools: .python
	@$(PYTHON) -m deploy.local.install

.PHONY: browser
browser: tools
	@$(PYTHON) -m deploy.local.install browser

$(READY): $(LOCKS)
	@$(MAKE) .python
	@$(PYTHON) -m deploy.local.install venv
	@touch $@

.PHONY: .python
.python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: install Python 3.11 or newer, or set PYTHON." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11: install a newer one, or set PYTHON to it." >&2; exit 1; }
