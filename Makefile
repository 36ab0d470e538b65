# Two commands to begin with: `make demo` and `make test`. Needed: make and Python 3.11 or later.

PYTHON ?= $(firstword $(shell command -v python3.11) $(shell command -v python3))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# the processes of the tests, each with servers of its own where none are given
PROCESSES ?= 3
# where MySQL is unpacked
MYSQL := $(VENV)/mysql
SERVERS_GIVEN = $(MIGRATOR_TEST_MYSQL_URL)$(MIGRATOR_TEST_MARIADB_URL)

.DEFAULT_GOAL := help
.PHONY: help demo test lint unit docs ledgers soak bench memory mysql mariadb fdw peers compiled clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(VENV)/demo.stamp ## move a sample schema: SQLite > PostgreSQL > dump set > SQLite, and SQLFILEs for four databases
	@$(BIN)/python -m migrator.demo

test: lint mariadb fdw compiled ## run the linters and every test on real servers
	@$(BIN)/python -m pytest -q -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

lint: $(VENV)/test.stamp ## ruff, mypy and the rules of imports
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > $(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }

unit: $(VENV)/test.stamp ## run the tests that need no server
	@$(BIN)/python -m pytest -q -m "not postgresql and not mysql"

soak: $(VENV)/test.stamp mariadb compiled ## kill jobs, workers and servers KILLS times each (200), and see that no row is missing or doubled
	@MIGRATOR_TEST_KILLS=$(or $(KILLS),200) $(BIN)/python -m pytest -q tests/e2e/test_restart.py tests/e2e/test_server_dies.py tests/e2e/test_workers.py

mysql: $(VENV)/test.stamp mariadb compiled ## run the tests of MariaDB on MySQL, which is unpacked into .venv (from Debian unstable)
	@.ci/get-mysql $(MYSQL)
	@MIGRATOR_TEST_MYSQL_ROOT=$(MYSQL) $(BIN)/python -m pytest -q -m mysql -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

docs: $(VENV)/test.stamp ## write the generated pages of docs/ anew
	@$(BIN)/migrator help --markdown parameters > docs/parameters.md
	@$(BIN)/migrator help --markdown access-methods > docs/access-methods.md
	@$(BIN)/migrator help --markdown jobs > docs/jobs.md
	@$(BIN)/migrator help --markdown names > docs/names.md
	@$(BIN)/migrator help --markdown verify > docs/verify.md
	@$(BIN)/migrator help --markdown types > docs/types.md
	@$(BIN)/migrator help --markdown policies > docs/policies.md
	@$(BIN)/migrator help --markdown profile > docs/profile.md

ledgers: $(VENV)/test.stamp mariadb compiled ## write the golden loss ledgers anew: look at what git diff shows then
	@MIGRATOR_TEST_WRITE_LEDGERS=1 $(BIN)/python -m pytest -q tests/golden/test_ledgers.py

bench: $(VENV)/bench.stamp mariadb peers compiled ## measure against the databases' own bulk tools (ROWS=n, PAGE=file.md)
	@$(BIN)/python -m benchmarks.run --rows $(or $(ROWS),300000) $(PAGE:%=--markdown %)
	@$(BIN)/python -m benchmarks.dumps --rows $(or $(ROWS),300000) $(PAGE:%=--markdown %)
	@$(BIN)/python -m benchmarks.schemas $(PAGE:%=--markdown %)

memory: $(VENV)/test.stamp mariadb compiled ## show that memory does not grow with the table (ROWS=n, PAGE=file.md)
	@$(BIN)/python -m benchmarks.memory --rows $(or $(ROWS),3000000) $(PAGE:%=--markdown %)

mariadb: # the server the tests start, unless the environment names one
	@test -n "$(SERVERS_GIVEN)" || PATH="$$PATH:/usr/sbin" command -v mariadbd > /dev/null || .ci/apt-install mariadb-server

fdw: # the PostgreSQL that reads others: the wheel's, which most tests start, has no postgres_fdw
	@ls /usr/lib/postgresql/*/lib/postgres_fdw.so > /dev/null 2>&1 || .ci/apt-install postgresql

peers: # what the benchmarks measure against, besides the servers' own clients and the packages of the extra bench
	@for tool in mydumper pgloader sqlite3; do command -v $$tool > /dev/null || .ci/apt-install $$tool || exit; done

compiled: $(VENV)/test.stamp # jobs are many processes: where the environment lets Python write no byte code, each would compile anew
	@$(BIN)/python -m compileall -q migrator dialects tests benchmarks

clean: ## remove what the other targets made
	@rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find migrator dialects tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null || .ci/apt-install `$(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'`
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/%.stamp: pyproject.toml | $(VENV)/bin/python
	@echo "installing .[$*] into $(VENV)"
	@$(PIP) install --editable '.[$*]'
	@touch $@
