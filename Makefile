# Every task of the project; `make help` lists them. Each makes the environment first when it is not there yet.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ENGINES := .venv-engines
RUN    := $(BIN)/python
LOCKED := $(VENV)/.locked
READY  := $(VENV)/.ready
# One more than there are processors: some tests wait.
WORKERS = $$(($$(nproc 2>/dev/null || echo 2) + 1))

HTTP_TESTS = $(addprefix tests/e2e/test_,$(addsuffix .py,attempts closing closing_unconnected connections event_loops \
  faults faults_of_transport forgetting http_libraries monitoring network raw_errors streams surplus uploads))

help: ## list the tasks
	@awk 'BEGIN {FS = ":.*## "} /^# --- / {gsub(/^# -+ | -+$$/, ""); printf "\n%s\n", $$0} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- use -----------------------------------------------------------------------------------------------------------

demo: $(READY) ## read workflow logs from an embedded sandbox, or from your server when DIFY_API_KEY is set
	@$(RUN) scripts/generate.py >/dev/null
	@$(RUN) scripts/demo.py

sandbox: $(READY) ## serve the sandbox until Ctrl-C
	@$(RUN) -m dify_workflow.sandbox

setup: $(READY) ## make the environment in .venv from the lock file

clean: ## remove the environment and everything that was built
	@rm -rf $(VENV) $(ENGINES) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis mutants .nox
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- contribute: code and tests ------------------------------------------------------------------------------------

# Tests start many short programs: without stored bytecode, each of them compiles the package again.
test contract: export PYTHONDONTWRITEBYTECODE :=

test: $(READY) ## run all tests
	@$(RUN) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-httpx2: $(READY) ## run the tests of faults, streams and connections with httpx2 instead of httpx
	@DIFY_HTTP=httpx2 $(RUN) -m pytest -q -n $(WORKERS) --dist worksteal $(HTTP_TESTS) $(ARGS)

contract: $(READY) ## run the tests that hold the SDK to its spec
	@$(RUN) -m pytest tests/contract -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(READY) ## check for mistakes, formatting, and words that the glossary does not have
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(RUN) scripts/glossary.py

format: $(READY) ## format, and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(READY) ## check the types with mypy --strict and pyright, and those of the code in the documentation
	@$(BIN)/mypy --config-file pyproject.toml
	@PYTHONPATH=tests $(RUN) -m support.documented_types
	@$(BIN)/pyright --project pyproject.toml

check: $(READY) ## fail, naming the files, where the spec or what is made from it is not what its sources give
	@status=0; for made in compile_spec generate unasync columns reference public_api budget; do $(RUN) scripts/$$made.py --check || status=1; done; exit $$status

test-ranges: $(READY) ## run the runtime's tests at both ends of the dependency ranges, on each Python at hand
	@$(BIN)/nox $(ARGS)

test-engines: $(READY) ## run the tests of Spark, dlt, the recipes and the notebook, in an environment of their own; needs Java 17
	@$(RUN) scripts/engines.py $(ENGINES)
	@$(ENGINES)/bin/python -m pytest tests/engines -n 2 -o timeout=600 $(ARGS)

mutants: $(READY) ## seed faults with mutmut and report the share that the tests notice; ARGS=contract: twenty by hand
	@$(RUN) scripts/mutants.py $(ARGS)

soak: $(READY) ## walk thousands of random histories of logs and compare with the truth
	@$(RUN) scripts/soak.py $(ARGS)

bench: $(READY) ## measure, beside the clients that people would use instead, and write benchmarks/results.md and .svg
	@$(RUN) scripts/bench.py $(ARGS)

bench-check: $(READY) ## fail when the SDK does more than is stored: calls, memory, and instructions; UPDATE=1 stores
	@$(RUN) benchmarks/check.py $(if $(UPDATE),--update)

lock: $(READY) ## write the hashed files in requirements/; UPGRADE=1 takes the newest versions
	@$(RUN) scripts/lock.py $(if $(UPGRADE),--upgrade)

# --- contribute: from the vendor's document to the client ----------------------------------------------------------

import: $(READY) ## bring in one more vendor document: make import FILE=path; STRUCTURE=1 stores its facts alone
	@$(RUN) scripts/import_document.py $(if $(STRUCTURE),--structure) "$(FILE)"

update: $(READY) ## bring in a newer vendor document with all that follows: make update FILE=path; SELECT='GET /x'; KEEP=1; REPORT_ONLY=1
	@$(RUN) scripts/update.py $(if $(KEEP),--keep) $(if $(SELECT),--select "$(SELECT)") $(if $(REPORT_ONLY),--report-only) "$(FILE)"

drift: $(READY) ## say what a vendor document says otherwise than the spec and is not known: make drift FILE=path
	@$(RUN) scripts/drift.py "$(FILE)"

spec: $(READY) ## compile spec/openapi.yaml from spec/upstream and spec/overlays
	@$(RUN) scripts/compile_spec.py

generate: $(READY) ## regenerate generated/ from spec/openapi.yaml, the columns of records, and the sync client of the facade
	@$(RUN) scripts/generate.py
	@$(RUN) scripts/unasync.py
	@$(RUN) scripts/columns.py

facade: $(READY) ## write into the facade what the spec has and it lacks: keywords and methods, to be reviewed
	@$(RUN) scripts/facade.py
	@$(RUN) scripts/unasync.py
	@$(RUN) scripts/reference.py

reference: $(READY) ## write docs/api.md, which lists every method with its operation, parameters and types
	@$(RUN) scripts/reference.py

public-api: $(READY) ## write tests/contract/public_api.txt, the stored text of the public interface
	@$(RUN) scripts/public_api.py

# --- contribute: documentation -------------------------------------------------------------------------------------

docs: $(READY) ## build the documentation site into build/docs; a warning is an error
	@rm -rf build/docs build/doctrees
	@$(BIN)/sphinx-build -q -W --keep-going -b html -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

docs-check: docs ## check the documentation site in chromium: each page, links, search, keyboard; SCREENSHOTS=folder
	@$(RUN) -m pytest docs/tests -n $(WORKERS) $(ARGS)

docs-serve: docs ## serve the documentation site on loopback until Ctrl-C; PORT=8000
	@$(RUN) -m http.server --bind 127.0.0.1 --directory build/docs $(or $(PORT),8000)

# --- release -------------------------------------------------------------------------------------------------------

build: $(READY) ## build the wheel and the sdist into dist/
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 1580601600) $(BIN)/hatchling build --clean

release: $(READY) ## release a new version; the spec's report says which step, or STEP=major|minor|patch; DRY_RUN=1
	@$(RUN) scripts/release.py $(if $(STEP),--step $(STEP)) $(if $(DRY_RUN),--dry-run) $(ARGS)

publish: $(READY) ## send the release in dist/ to a private index: make publish INDEX=url
	@$(RUN) scripts/publish.py "$(INDEX)"

$(LOCKED): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is %s: make PYTHON=python3.12 ..." % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Making the environment in $(VENV), once; it takes about a minute ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@set -o pipefail; PYTHONUNBUFFERED=1 \
	  $(RUN) -m pip --disable-pip-version-check install --no-deps --require-hashes -r requirements/dev.txt | \
	  awk -v all="$$(grep -c '^[a-zA-Z0-9._-]*==' requirements/dev.txt)" \
	    '/^Collecting / {if (++n % 20 == 0) {print "  " n " of " all " packages"; fflush()}} \
	    /^Installing / {print "  installing them"; fflush()}'
	@touch $@

$(READY): $(LOCKED) pyproject.toml src/dify_workflow/_version.py
	@$(RUN) -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: help demo sandbox test test-engines test-httpx2 contract mutants soak import update drift spec generate facade reference public-api check setup lint format types build release publish lock test-ranges bench bench-check docs docs-check docs-serve clean
