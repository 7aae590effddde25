# Everything a person types in this project. `make help` lists it.
# One line per target: what each does stands in scripts/, in Python, where it can be read and tested.

PORT ?= 8000
HOST ?= 127.0.0.1
DATA_DIR ?= var
ARGS ?=
export PORT HOST DATA_DIR PYTHON

SETUP = python=$$(sh scripts/find_python.sh) && "$$python" scripts/setup.py
PY = .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help run test check format messages pins bench soak screenshots clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

run: ## set up what is missing and serve the demo: make run [PORT=8000] [HOST=127.0.0.1] [DATA_DIR=var]
	@$(SETUP) run
	@exec $(PY) scripts/run.py

test: ## the whole test suite, on SQLite and, where it is found, PostgreSQL: make test [ARGS="tests/booking -k move"]
	@$(SETUP) dev
	@$(PY) scripts/test.py $(ARGS)

check: ## format, types, layers, migrations, translations, pins: make check [ARGS="ruff mypy"]
	@$(SETUP) dev
	@$(PY) scripts/check.py $(ARGS)

format: ## put Python and templates into the house format
	@$(SETUP) dev
	@.venv/bin/ruff check --fix-only --quiet . && .venv/bin/ruff format --quiet .
	@find templates -name '*.html' -exec .venv/bin/djade --target-version 5.2 {} +

messages: ## collect the texts of the site into locale/en/LC_MESSAGES/django.po
	@$(SETUP) dev
	@$(PY) scripts/messages.py update

pins: ## compile requirements*.in and package.json into the pinned files
	@$(SETUP) dev
	@$(PY) scripts/pins.py update $(ARGS)

bench: ## bookings and availability reads per second over HTTP, on both databases
	@$(SETUP) dev
	@$(PY) scripts/pg_cluster.py --optional $(PY) -m tests.load.bench $(ARGS)

soak: ## the long proofs, about an hour and a half on two free cores (10,000 runs, races of 100 rounds)
	@$(SETUP) dev
	@HIDAMARI_SOAK=1 $(PY) scripts/test.py $(or $(ARGS),-m "soak or race")

screenshots: ## the pictures of the README and the docs, from the demo
	@$(SETUP) dev
	@$(PY) scripts/screenshots.py $(ARGS)

clean: ## remove what set-up made; your data under DATA_DIR stays
	rm -rf .venv node_modules static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete
