# Two commands do it all: `make dataset` and `make test`. Both make the environment if there is none.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready

.PHONY: dataset test lint docs dev site site-engine wheel clean

dataset: $(READY)
	@$(VENV)/bin/ote build

test: $(READY) lint
	@$(VENV)/bin/python -m pytest

lint: $(READY)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/sqlfluff lint --disable-progress-bar --processes 0 sql

# The pages of the last release, in warehouse/site; `ote site` serves them.
site: $(READY)
	@$(VENV)/bin/ote site --no-serve

# DuckDB for the pages Query and Your run, in warehouse/engine; npm gets it, and `make site` copies it.
site-engine: $(READY)
	@$(VENV)/bin/python -m ote.site.engine

# The package with the database of this build, in dist/; it needs nothing of the checkout.
wheel: dataset
	@rm -rf build dist
	@$(VENV)/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build
	@ls dist/*.whl

# The figures of the README, and the pages of words and commands; after a build.
docs: $(READY)
	@$(VENV)/bin/python -m ote.documentation

dev: $(READY)
	@DAGSTER_HOME="$${DAGSTER_HOME:-$(CURDIR)}" exec $(VENV)/bin/dagster dev

# Exact versions with hashes; apart what tests need and must not be beside the rest: an old DuckDB, the schema of CITATION.cff, a slow grammar.
$(READY): requirements.txt tests/apart/requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=...")'
	@echo "Making the environment in $(VENV) (several minutes, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade \
		--target $(VENV)/apart -r tests/apart/requirements.txt
	@touch $(READY)

clean:
	rm -rf $(VENV) warehouse/dagster warehouse/build.* warehouse/report.html warehouse/site warehouse/engine build dist
