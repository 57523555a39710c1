# Tilewright: `make demo` and `make test` need nothing but Debian 12 and this checkout.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help demo test test-lit test-unit test-python sanitize bench setup setup-dev \
        build format lint clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

demo: setup ## set up, build, run the kernels of examples/demo.py, and a C++ program
	@$(PYTHON) examples/demo.py $(ARGS)
	@$(if $(ARGS),,$(MAKE) -C examples/aot demo)

test: setup-dev ## set up, build, and run every test; the last line counts them
	@$(PYTHON) scripts/run_tests.py lit unit python

test-lit test-unit test-python: setup-dev ## one of the three suites; ARGS goes to its runner
	@$(PYTHON) scripts/run_tests.py $(@:test-%=%) -- $(ARGS)

sanitize: ## build with ASan+UBSan, then with TSan, and run tests; ARGS=thread is one alone
	@scripts/install-packages.sh dev && scripts/make-venv.sh dev && scripts/sanitize.sh $(ARGS)

bench: setup-dev ## set up, build, measure kernels against their peers; without ARGS, write docs/benchmarks.md
	@$(PYTHON) -m tilewright bench $(or $(ARGS),--json build/bench.json --page docs/benchmarks.md)

setup: ## install what is missing and build; enough for the demo
	@scripts/install-packages.sh && scripts/make-venv.sh runtime && scripts/build.sh

setup-dev: ## the same with the tools and peers of tests and benchmarks
	@scripts/install-packages.sh dev && scripts/make-venv.sh dev && scripts/build.sh

build: ## build what changed, with no look at packages
	@scripts/build.sh

format: ## format the Python and C++ sources
	@scripts/format.sh fix

lint: ## check the format and the Python sources
	@scripts/format.sh check

clean: ## remove the build tree; .venv and the compiler cache stay
	@rm -rf build
