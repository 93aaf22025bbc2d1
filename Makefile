# Every task of the project; `make help` lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(VENV)/.packages-$(shell cat constraints.txt pyproject.toml infra/stack/pyproject.toml | sha256sum | cut -c1-16)
PYTEST := $(BIN)/pytest
JUNIT := build/junit
WORKERS ?= 2
E2E_WORKERS ?= 8
PROVIDER ?= nginx
MODE ?= dev_full
SEEDS ?= 100
FAULTS_JOBS ?= 4
OBJECTS ?= 5000
FIRST ?= 0

include infra/devcluster/cluster.mk

.PHONY: help venv generate crd lint test-fast test-stack test-integration fuzz test-e2e test \
	model mutants demo faults chaos soak image wheel wheel-test clean

help: ## tell what can be done
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sed 's/\$$\$$/$$/' | \
		awk -F '\t' '{ printf "  %-18s %s\n", $$1, $$2 }'

venv: $(PACKAGES) ## make .venv with the pinned packages; does nothing when it is there

$(PACKAGES): constraints.txt pyproject.toml infra/stack/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.12 venv" >&2; exit 1; }
	@echo "installing the pinned packages into $(VENV)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet -c constraints.txt hatchling editables
	@$(BIN)/python -m pip install --quiet --no-build-isolation -c constraints.txt \
		-e '.[dev]' -e 'infra/stack[dev]'
	@rm -f $(VENV)/.packages-*
	@touch $@

generate: venv ## write the generated files anew: CRD, reference pages, diagram
	$(BIN)/python scripts/generate.py

crd: venv ## print the CustomResourceDefinition
	@$(BIN)/gatewaycanary crd

lint: venv ## check style, types, layers, and that generated files are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy operator infra tests scripts
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate.py --check

test-fast: venv ## unit, conformance, docs and bounded model tests, without a cluster
	$(PYTEST) -n $(WORKERS) --junitxml=$(JUNIT)/fast.xml tests/unit tests/conformance tests/docs \
		tests/model tests/cluster --ignore=tests/cluster/test_lifecycle.py

test-stack: venv ## the stack's services as processes, over a PostgreSQL and a Redis of their own
	$(PYTEST) --junitxml=$(JUNIT)/stack.xml tests/stack

test-integration: venv ## tests against a real API server without nodes
	$(PYTEST) --junitxml=$(JUNIT)/integration.xml tests/integration

fuzz: venv ## 5,000 drawn GatewayCanaries against a real API server; OBJECTS, SEED, FIRST choose
	OBJECTS="$(OBJECTS)" SEED="$(or $(SEED),$(shell echo $$RANDOM))" FIRST="$(FIRST)" \
		$(PYTEST) -s tests/integration/engine/fuzz

test-e2e: venv ## whole rollouts on the cluster, side by side in namespaces of their own
	$(PYTEST) -n $(E2E_WORKERS) --dist worksteal --junitxml=$(JUNIT)/e2e.xml tests/e2e

test: venv ## everything that CI must hold, within the time budget of tests/budget.toml
	@$(BIN)/python scripts/suites.py

model: venv ## explore every state that two faults can lead to, and walk on at random (SEED=1)
	@PYTHONPATH=operator:tests $(BIN)/python -m model.exhaustive $(if $(SEED),--seed $(SEED))

mutants: venv ## sow bugs into core and engine, and let the model find each of them
	@PYTHONPATH=operator:tests $(BIN)/python -m model.exhaustive.mutating

demo: venv ## watch a good image being promoted and a bad one reverted, on a real cluster
	@PYTHONPATH=infra:operator $(BIN)/python -m demo --provider "$(PROVIDER)"

faults: venv ## roll out through an API that errs: SEEDS=100 on each of nginx and Istio, or one SEED=17
	@PYTHONPATH=infra:operator $(BIN)/python -m faults --seeds $(SEEDS) --jobs $(FAULTS_JOBS) \
		$(if $(SEED),--seed $(SEED)) $(if $(filter-out file,$(origin PROVIDER)),--provider $(PROVIDER))

stack: ## deploy soma-stack in a MODE (dev_full, dev_prod, prod, prod_ha) on the cluster, and test it
	@PYTHONPATH=infra:operator $(PYTHON) -m demo.deployment "$(MODE)"

demo-stack: venv ## the demo with soma-stack's gateway, whose bad version answers messages wrongly
	@PYTHONPATH=infra:operator $(BIN)/python -m demo --of platform --provider "$(PROVIDER)"

image: ## build the operator's image, without an engine, into the build cache
	@PYTHONPATH=infra $(PYTHON) -m imagery operator

chaos: venv ## rollouts on a cluster of their own while everything around them dies: RUNS, SEED, RUN
	@$(DEVCLUSTER) build --addons istio
	@PYTHONPATH=infra:operator CLUSTER=source ADDONS= \
		unshare --net --mount --pid --fork --kill-child --mount-proc sh tests/cluster/isolated.sh \
		$(BIN)/python -m chaos --runs "$(or $(RUNS),10)" --seed "$(SEED)" --run "$(RUN)"

soak: venv ## ROLLOUTS=2000 through one operator on fake nodes: memory, tasks, objects and series stay
	@PYTHONPATH=infra:operator $(BIN)/python -m soak --rollouts "$(or $(ROLLOUTS),2000)" \
		--lanes "$(or $(LANES),30)" --minutes "$(or $(MINUTES),30)"

wheel: venv ## build the wheel and the source archive into dist/
	@rm -rf dist
	$(BIN)/python -m build --no-isolation

wheel-test: wheel ## install the built wheel somewhere else and use it there
	@rm -rf build/wheel-test
	$(PYTHON) -m venv build/wheel-test
	build/wheel-test/bin/pip install --quiet -c constraints.txt dist/*.whl
	cd build/wheel-test && bin/gatewaycanary crd | cmp - $(CURDIR)/crds/gatewaycanaries.canary.soma.dev.yaml

clean: ## remove what was built here; the cluster and its build cache stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find operator infra tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
