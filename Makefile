SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test soak lint fmt messages bench lock setup setup-run

BIN := .venv/bin
# Tests wait for browsers and sockets, so one worker more than cores pays. Some races take twenty connections at once, and
# PostgreSQL allows a hundred unless told otherwise: eight workers that met in them were refused, four never were.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); n=$$((n + 1)); echo $$((n > 4 ? 4 : n)))
# Workers and the services that tests start load the same modules: compiled once, unless somebody forbade it.
unexport PYTHONDONTWRITEBYTECODE
# For example PYTEST='-x -k join'.
PYTEST ?=

help: ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

run: setup-run ## the demo on http://127.0.0.1:8000, all addresses and log-ins printed
	@exec $(BIN)/leima run --demo

test: setup ## everything that must hold, with small counts
	@chromium="$$(.ci/chromium)"; \
	$(MAKE) --no-print-directory lint; \
	LEIMA_TEST_CHROMIUM="$$chromium" exec $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST) </dev/null

soak: export LEIMA_TEST_FULL := 1
soak: test ## the same with the full counts of the gates

lint: setup ## ruff, mypy and the import contracts
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet --output-format concise . || { echo 'some files are not formatted: make fmt' >&2; exit 1; }
	@$(BIN)/lint-imports --no-logo & imports=$$!; $(BIN)/mypy; wait "$$imports"

fmt: setup ## format the code and mend what a machine can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

messages: setup ## bring the catalogues of fi, sv and en up to date, and name what is not translated
	@$(BIN)/python .ci/messages.py

bench: setup ## figures in seconds and ratios, to build/bench.json
	@$(BIN)/python tests/bench/run.py $(BENCH)

# The lock must be the same wherever it is made, so no index, link or path of this machine goes into it.
lock: setup ## pin every dependency anew, with hashes
	@CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --all-extras --allow-unsafe --upgrade \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
		--output-file requirements.lock pyproject.toml

setup:
	@.ci/setup test

setup-run:
	@.ci/setup run
