# Python, git and make are all that must be there; on Python 3.11 also a C compiler and the Python headers.

# Idle OpenMP threads sleep instead of spinning: several workers share the cores.
export OMP_WAIT_POLICY := passive

VENV := .venv/bin
BENCHMARKS = $(filter-out _%,$(notdir $(basename $(wildcard tests/benchmarks/*.py))))

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow lint bench constraints

help: ## Say what can be made
	@echo "PYTHON=path chooses the Python, ARGS='...' is passed on."
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

install: ## Make .venv with the command .venv/bin/regulars
	@.ci/install.sh default

demo: ## Import real data, train, report, serve, and print requests to try (ARGS=--once makes them and ends)
	@.ci/install.sh demo
	@$(VENV)/regulars demo $(ARGS)

test: ## Run every test that is not slow
	@.ci/install.sh test
	@OMP_NUM_THREADS=1 $(VENV)/python -m pytest $(ARGS)

test-slow: ## Run the slow tests: public data, the notebook, large tables
	@.ci/install.sh test
	@OMP_NUM_THREADS=1 $(VENV)/python -m pytest -m slow --timeout 3600 $(ARGS)

lint: ## Check style, format, types and directions of imports
	@.ci/install.sh dev
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

bench: ## Run one benchmark: make bench BENCH=name ARGS='...'
	$(if $(filter $(BENCH),$(BENCHMARKS)),,$(error there is no benchmark "$(BENCH)"; set BENCH to one of: $(BENCHMARKS)))
	@.ci/install.sh test
	@$(VENV)/python -m tests.benchmarks.$(BENCH) $(ARGS)

constraints: ## Renew constraints.txt after a change of setup.cfg (ARGS=--upgrade renews every version)
	@.ci/install.sh default
	@$(VENV)/python -m pip install --quiet uv
	$(VENV)/uv pip compile setup.cfg --all-extras --universal --python-version 3.11 \
		--no-header --no-annotate --quiet --output-file constraints.txt $(ARGS)
