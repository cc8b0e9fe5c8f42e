# `make help` lists the targets. Each one sets up what it needs.
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(or $(wildcard $(VENV)/bin/uv),uv)
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format docs lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv from requirements.lock (skipped when it is up to date)
	@cmp -s requirements.lock $(VENV)/installed.lock || sh scripts/setup_env.sh $(VENV)

demo: setup ## Run the whole pipeline on embedded synthetic data
	@$(PYTHON) -m pipeline run --config configs/synthetic.yaml

test: setup ## Run the tests
	@sh scripts/install_browser.sh
	@$(PYTHON) -m pytest

lint: setup ## Check style, formatting and types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

format: setup ## Rewrite the code in the project's style
	@$(PYTHON) -m ruff check --fix-only .
	@$(PYTHON) -m ruff format .

docs: setup ## Write docs/configuration.md
	@$(PYTHON) -m scripts.write_configuration

lock: ## Resolve pyproject.toml into requirements.lock
	$(UV) pip compile pyproject.toml --extra dev --extra benchmarks --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock
	printf 'pip\nuv\n' | $(UV) pip compile - --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-annotate --no-header --quiet --output-file scripts/bootstrap.lock

clean: ## Remove the runs and what tools left behind (.venv stays)
	rm -rf runs .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
