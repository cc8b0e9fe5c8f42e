# `make help` lists the targets. Each one sets up what it needs.
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(or $(wildcard $(VENV)/bin/uv),uv)
# Two workers, each with one file of tests after the other: what a file's tests share is made once.
BESIDE := -n 2 --dist loadfile --no-loadscope-reorder
KILLS ?= 10000
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-faults test-flink fuzz test-image test-containers lint format wheel image sbom \
    configuration docs lock clean clean-runs

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv from requirements.lock (skipped when it is up to date)
	@cmp -s requirements.lock $(VENV)/installed.lock || sh scripts/setup_env.sh $(VENV)

demo: setup ## Run the whole pipeline on embedded synthetic data
	@$(PYTHON) -m pipeline run --config configs/synthetic.yaml

test: setup ## Run the tests
	@sh scripts/install_browser.sh
	@$(PYTHON) -m pytest $(BESIDE)

test-faults: setup ## Kill, spoil and damage whatever can be, for an hour and a half (KILLS, RUN_KILLS, WRITES, SEED)
	@$(PYTHON) -m tests.faults.kill_pushes $(KILLS) 1
	@$(PYTHON) -m pytest tests/faults tests/e2e -m faults

test-flink: setup ## Run steps on a Flink cluster started here, and kill a machine of it (SIZE=100k|1m|20m)
	@sh scripts/install_flink.sh $(PYTHON)
	@SIZE=$(SIZE) $(PYTHON) -m pytest tests/flink -m flink

fuzz: setup ## Draw 20,000 inputs for each reader, the configuration and the artifacts
	@$(PYTHON) -m pytest tests/fuzz --hypothesis-profile=long --timeout=3600

lint: setup ## Check style, formatting and types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

format: setup ## Rewrite the code in the project's style
	@$(PYTHON) -m ruff check --fix-only .
	@$(PYTHON) -m ruff format .

wheel: setup ## Build the wheel into dist/
	@rm -rf build dist
	@$(PYTHON) -m pip wheel -q --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build && ls dist/*.whl

image: ## Build the image of all steps with docker or podman (IMAGE=, ACCELERATOR=cpu|gpu, BASE_IMAGE=)
	@sh scripts/build_image.sh

test-image: ## Build the image that test-containers runs
	@sh scripts/install_podman.sh
	@ENGINE=podman IMAGE=localhost/neumf-pipeline:latest sh scripts/build_image.sh

test-containers: setup test-image ## Build the image and run kfp_pipeline.yaml in containers
	@$(PYTHON) -m pytest $(BESIDE) tests/containers -m containers

configuration: setup ## Write docs/configuration.md
	@$(PYTHON) -m scripts.write_configuration

docs: configuration ## Build the documentation as a site, into site/
	@sh scripts/site/build.sh $(VENV)

sbom: ## Write dist/sbom.cdx.json, the image's packages as CycloneDX (docker/*.lock)
	@mkdir -p dist && cat docker/requirements.lock docker/tensorflow-cpu.lock | \
	$(UV) tool run --from 'cyclonedx-bom>=7,<8' cyclonedx-py requirements --pyproject pyproject.toml --short-PURLs \
	--output-reproducible --no-validate --output-file dist/sbom.cdx.json - && echo dist/sbom.cdx.json

lock: ## Resolve pyproject.toml into requirements.lock and docker/*.lock
	@sh scripts/lock.sh $(UV)

clean: ## Remove what tools left behind (.venv, compiled loops, runs and pushed models stay)
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name '*.pyc' -not -path './$(VENV)/*' -delete

clean-runs: ## Delete runs/ with all pushed models in it (asks first)
	@printf 'delete runs/ with all models that were pushed there? (yes/no) '; \
	read -r answer && [ "$$answer" = yes ] && rm -rf runs || { echo 'nothing deleted'; false; }
