# Python 3.11 or 3.12 and make are all a fresh machine needs; `make` alone lists what there is.
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
UV := $(BIN)/uv
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev
LOCKS := requirements/runtime.txt requirements/dev.txt pyproject.toml
SUPERSET_VENV := .venv-dashboards
SUPERSET := $(SUPERSET_VENV)/.installed
CLI := $(BIN)/credit-warehouse
PYTEST := $(BIN)/python -m pytest
IF_INSTALLED := test -x $(CLI) || { echo "nothing is installed yet, so nothing runs"; exit 0; };

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##### the system

.PHONY: install demo up dashboards down nightly psql status docs clean backup restore
install: $(RUNTIME) ## install what running needs into .venv
	@echo "installed in $(VENV)"

demo: $(RUNTIME) ## start everything, run the first night, compare it with the answer key
	@$(CLI) demo

up: $(RUNTIME) ## start everything and print addresses and passwords
	@$(CLI) up

dashboards: $(RUNTIME) $(SUPERSET) ## load the dashboards, serve them, print their address and passwords
	@$(CLI) dashboards

down: ## stop everything; data stays
	@$(IF_INSTALLED) $(CLI) down

nightly: $(RUNTIME) ## one more night: make nightly DATE=2026-03-03
	@test -n "$(DATE)" || { echo "say which night: make nightly DATE=2026-03-03"; exit 2; }
	@$(CLI) nightly "$(DATE)"

psql: ## psql on the warehouse
	@$(IF_INSTALLED) $(CLI) psql

status: ## which parts run
	@$(IF_INSTALLED) $(CLI) status

docs: $(RUNTIME) ## write the data dictionary with lineage, tests and owners; Airflow's menu shows it
	@$(CLI) docs

clean: ## stop everything and remove all data, logs and generated passwords
	@$(IF_INSTALLED) $(CLI) clean

##### the checks

.PHONY: test lint types sql contracts dbt-check test-unit test-dags test-dbt test-integration test-e2e test-long
test: lint types sql contracts dbt-check test-unit test-dags test-dbt test-integration test-e2e ## every check but test-long
	@echo "all checks passed"

# Parsing needs the names of a warehouse, not a warehouse.
DBT_PLACEHOLDERS := DO_NOT_TRACK=1 CREDIT_PG_HOST=none CREDIT_PG_PORT=1 CREDIT_PG_USER=none \
	CREDIT_PG_PASSWORD=none CREDIT_PG_DBNAME=none

lint: $(DEV) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV) ## mypy
	$(BIN)/mypy

sql: $(DEV) ## sqlfluff on the dbt project
	cd dbt_project && ../$(BIN)/sqlfluff lint --processes 2 models

contracts: $(DEV) ## the feeds' contracts against ODCS, and what is generated from them
	$(CLI) contracts check

dbt-check: $(DEV) ## dbt parse, and the project's own conventions
	cd dbt_project && $(DBT_PLACEHOLDERS) ../$(BIN)/dbt parse --quiet && ../$(BIN)/dbt-bouncer

test-unit: $(DEV) ## no Airflow, no database
	$(PYTEST) tests/unit -n 2

test-dags: $(DEV) ## the DAG files
	$(PYTEST) tests/dags

test-dbt: $(DEV) ## the models
	$(PYTEST) tests/dbt -n 2

test-integration: $(DEV) ## Postgres, the simulator's servers, the pipeline's steps; a dozen disturbed nights
	$(PYTEST) tests/integration tests/chaos/test_scenarios.py -n 2 --dist loadfile

test-long: $(DEV) ## what takes too long for `test`: faults with a name, SIGKILL, sixty nights in a row
	$(PYTEST) tests/chaos --ignore tests/chaos/test_scenarios.py
	$(PYTEST) tests/dbt -m long

test-e2e: $(DEV) $(SUPERSET) ## whole nights through the real scheduler
	$(PYTEST) tests/e2e

.PHONY: chaos bench bench-quick
SEEDS := 200
chaos: $(DEV) ## kill anything, any time: SEEDS=200 disturbed nights, each resumed and compared row for row
	$(BIN)/python -m tests.chaos --seeds $(SEEDS)

bench: $(DEV) ## every benchmark at its full size: hours; reports in bench/results
	@set -e; for name in identity intake build night readers history orchestration soak; do \
		echo "== $$name"; $(BIN)/python -m bench.$$name; done

bench-quick: $(DEV) ## the benchmarks of build and night on a small city: minutes
	$(BIN)/python -m bench.build --persons 3000 --rounds 1 --name build_quick
	$(BIN)/python -m bench.night --persons 1000 3000 --nights 1 --name night_quick

.PHONY: fmt lock
fmt: $(DEV) ## format Python and SQL
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd dbt_project && ../$(BIN)/sqlfluff fix --processes 2 models

lock: $(UV) ## resolve requirements/*.in anew
	$(UV) pip compile --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
		--output-file requirements/runtime.txt requirements/runtime.in
	$(UV) pip compile --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
		--output-file requirements/dev.txt requirements/dev.in
	$(UV) pip compile --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
		--output-file requirements/dashboards.txt requirements/dashboards.in

##### the virtual environment

$(UV):
	@echo "making .venv"
	@set -e; \
	for python in python3.11 python3.12 python3; do \
		if command -v $$python > /dev/null 2>&1 && $$python -c \
			'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2> /dev/null; \
		then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "no Python 3.11 or 3.12 on this machine: install one"; exit 1; fi; \
	$$found -m venv $(VENV) || { echo "on Debian: apt install $$found-venv"; exit 1; }; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Compiled once at installation: without bytecode every Airflow process takes twice as long to start.
SYNC = $(UV) pip sync --python $(BIN)/python --compile-bytecode
EDITABLE = $(UV) pip install --python $(BIN)/python --quiet --no-deps --editable .

# Development's packages include those of running, so one never uninstalls the other's.
$(RUNTIME): $(LOCKS) | $(UV)
	@echo "installing the packages (once; some minutes on a slow line)"
	@if [ -e $(DEV) ]; then $(SYNC) requirements/dev.txt; else $(SYNC) requirements/runtime.txt; fi
	@$(EDITABLE)
	@if [ -e $(DEV) ]; then touch $(DEV); fi
	@touch $@

$(DEV): $(LOCKS) | $(UV)
	@echo "installing the packages with those for tests (once; some minutes on a slow line)"
	@$(SYNC) requirements/dev.txt
	@$(EDITABLE)
	@touch $@ $(RUNTIME)

# Superset needs older libraries than the warehouse, so it has an environment of its own.
$(SUPERSET): requirements/dashboards.txt | $(UV)
	@echo "installing Superset into $(SUPERSET_VENV) (once; some minutes on a slow line)"
	@test -x $(SUPERSET_VENV)/bin/python || $(UV) venv --quiet --python $(BIN)/python $(SUPERSET_VENV)
	@$(UV) pip sync --quiet --python $(SUPERSET_VENV)/bin/python --compile-bytecode requirements/dashboards.txt
	@touch $@
