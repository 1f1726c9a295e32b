# Every target sets up what it needs, once, in .venv. Needed before: make, and Python 3.11 or newer.

.DEFAULT_GOAL := help
.PHONY: run demo test test-live check proofs bench pictures build deploy teams-package format clean help

PYTHON ?= $(firstword $(foreach each,python3 python3.14 python3.13 python3.12 python3.11,\
	$(if $(shell $(each) -c 'import sys, venv, ensurepip; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(each))))
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/.ready
LOCAL := $(VENV)/.local
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

run: $(LOCAL) ## start the local stack and its page, a small workspace; Ctrl-C ends it
	@$(PY) -m infra.local.npm || true
	@$(PY) -m infra.local.run

demo: $(LOCAL) ## the whole journey of a model version, without a browser, every step verified
	@$(PY) -m infra.local.demo

test: $(READY) ## the whole test suite, with coverage
	@$(PY) -m tests.browser.chromium || true
	@$(PY) -m tests.browser.node || true
	@$(PY) -m infra.local.npm || true
	@$(PY) -m pytest -q -n 3 --dist worksteal -rs -m "not live" --cov

test-live: $(READY) ## what we believe of real AWS, Slack, Teams and Entra, where LIVE_… variables lead to them
	@$(PY) -m pytest -q -m live -rs --tb=short tests/live

check: $(READY) ## format, lint, types, import rules, dead code, words
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(PY) -m mypy --no-error-summary
	@report=$$($(BIN)/lint-imports --no-logo) || { echo "$$report"; exit 1; }
	@$(PY) -m vulture
	@$(PY) -m infra.checks.words
	@echo "All checks passed."

proofs: $(READY) ## the long crash, race, burst and schedule tests, with their figures
	@PROOFS=long $(PY) -m pytest -q -n 2 --dist worksteal tests/journeys/test_burst.py tests/journeys/test_crashes.py \
		tests/journeys/test_races.py tests/proofs

bench: $(READY) ## ratios to two baselines, printed and written into docs/performance.md; about ten minutes
	@$(PY) -m tests.bench $(BENCH)

pictures: $(READY) ## the pictures of README.md and docs anew, from what the local stack shows now
	@$(PY) -m tests.browser.chromium
	@$(PY) -m infra.local.npm
	@PICTURES=build/pictures $(PY) -m pytest -q tests/browser/test_pictures.py tests/browser/test_guide.py \
		tests/browser/test_pages.py
	@for each in docs/pictures/*.png; do cp build/pictures/$${each##*/} docs/pictures/ || exit 1; done

build: $(READY) ## what AWS Lambda runs: build/function and build/slack, for ARCHITECTURE=arm64 (or x86_64)
	@$(PY) -m infra.package $(or $(ARCHITECTURE),arm64) --python "$(PYTHON_RUNTIME)"

deploy: build ## deploy infra/template.yaml with the AWS SAM CLI, which asks for what it does not know
	@command -v sam >/dev/null || { echo "The AWS SAM CLI is needed: pipx install aws-sam-cli" >&2; exit 1; }
	@test -s samconfig.toml || printf '%s\n' 'version = 0.1' '[default.deploy.parameters]' \
		'stack_name = "model-approvals"' 'parameter_overrides = "Architecture=\"$(or $(ARCHITECTURE),arm64)\""' > samconfig.toml
	@# Without another file in the packages, SAM publishes no version when only parameters have changed.
	@date -u +%FT%TZ | tee build/function/deployed > build/slack/deployed
	sam deploy --guided --template-file infra/template.yaml --config-file ../samconfig.toml \
		--capabilities CAPABILITY_IAM --resolve-s3

teams-package: $(READY) ## the app to upload in Teams, for APP_ID=… (and SITE=https://…): build/teams-app.zip
	@$(PY) -m infra.teams.package "$(APP_ID)" "$(SITE)"

format: $(READY) ## format the code, and mend what the linter can
	@$(PY) -m ruff format --quiet .
	@$(PY) -m ruff check --fix --quiet .

clean: ## remove everything that the other targets made
	@rm -rf $(VENV) build dist *.egg-info tests/browser/node_modules infra/local/renderer/node_modules .coverage .coverage.* htmlcov
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r target does; do \
		printf '  make %-14s %s\n' "$$target" "$$does"; done

$(PY):
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv and ensurepip was found (on Debian and Ubuntu: \
	apt install python3-venv). Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

PINS := infra/local/requirements.txt infra/runtime.txt infra/constraints.txt pyproject.toml

$(LOCAL): $(PINS) | $(PY)
	@echo "Installing what the local stack needs into $(VENV), once: about 50 MB, half a minute."
	@$(PIP) -r infra/local/requirements.txt -c infra/constraints.txt
	@$(PIP) --no-deps -e .
	@touch $@

$(READY): requirements.txt $(PINS) | $(PY)
	@echo "Installing what development and tests need into $(VENV), once: about 130 MB, a minute."
	@$(PIP) -r requirements.txt -c infra/constraints.txt
	@$(PIP) --no-deps -e .
	@touch $(LOCAL) $@
