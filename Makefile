# A newcomer's commands. Each one first sets up what it needs in .venv; only Python 3.10 or newer and make must be there.
PYTHON ?= python3
STACK ?= dev
SCALE ?= 10
SETS ?= 20000
VENV := .venv
BIN := $(VENV)/bin
UP := $(VENV)/.up
TEST := $(VENV)/.test
LOCKS := requirements.txt policies/requirements.txt requirements-dev.txt
STACKS := $(patsubst Pulumi.%.yaml,%,$(wildcard Pulumi.*.yaml))
OPTIONS = --stack $(STACK) $(if $(PROFILE),--profile $(PROFILE)) $(if $(PACK_CONFIG),--policy-pack-config $(PACK_CONFIG)) \
  $(if $(filter off,$(PACK)),--no-pack) $(if $(ENGINE),--engine $(ENGINE))
UVX := $(BIN)/uvx -q --python $(BIN)/python

# Whoever sets it would have each process compile all packages again.
unexport PYTHONDONTWRITEBYTECODE

ifneq ($(filter up serve,$(MAKECMDGOALS)),)
ifeq ($(filter $(STACK),$(STACKS)),)
$(error STACK: there is no stack `$(STACK)`; the stacks are $(STACKS))
endif
endif

.PHONY: help up serve test engine dist search check bench mutants audit sbom lock clean

help:            ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

up: $(UP)        ## deploy a stack into the sandbox and show what two users can do (STACK=, PROFILE=guide, PACK=off, PACK_CONFIG=FILE, ENGINE=pulumi)
	@$(BIN)/python -m sandbox up $(OPTIONS)

serve: $(UP)     ## deploy a stack and keep the sandbox running for a front end (the same options, PORT=4566)
	@$(BIN)/python -m sandbox serve $(OPTIONS) $(if $(PORT),--port $(PORT))

test: $(TEST)    ## run the tests on all cores
	@$(BIN)/python -m pytest -n auto -rs
	@echo 'make search makes many more random inputs; make mutants tests the tests; $(BIN)/python -m pytest -k WORDS runs some of them'

search: $(TEST)  ## make random inputs at scale for proofs, evaluator and parsers (SCALE=10 times those of make test, SETS=20000)
	@SCALE=$(SCALE) $(BIN)/python -m pytest -n auto -m "hypothesis or random"
	@$(BIN)/python -m tests.small_world --sets $(SETS)

engine: $(UP)    ## get the Pulumi CLI for the tests of the real engine: nothing to do if it is installed, else built with Go
	@$(BIN)/python -m tests.engine.tools.build

dist: $(TEST)    ## build the pack as one executable file, with its checksum (PLATFORM=x86_64-manylinux_2_28)
	@$(BIN)/python scripts/dist.py $(if $(PLATFORM),--platform $(PLATFORM))

check: $(TEST)   ## check format, lint, types and the workflows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@cd policies && ../$(BIN)/mypy --config-file ../pyproject.toml .
	@$(BIN)/zizmor --offline --quiet --min-severity medium .github
	@$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema -q --builtin-schema vendor.github-actions .github/actions/*/action.yml

bench: $(TEST)   ## measure performance, as ratios within one run
	@$(BIN)/python -m benchmarks

mutants: $(TEST) ## change the code in thousands of ways and count the changes that no test notices (hours; fewer with MUTANTS=)
	@$(UVX) --with-requirements requirements-dev.txt mutmut==3.8.1 run $(MUTANTS)

audit: $(UP)     ## look up every locked dependency in the database of known vulnerabilities (asks PyPI)
	@for lock in $(LOCKS); do echo $$lock; $(UVX) pip-audit==2.10.1 --strict --require-hashes --disable-pip -r $$lock || exit 1; done

sbom: $(UP)      ## write what ships as CycloneDX: sbom-program.json, sbom-pack.json
	@$(UVX) --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.txt --of JSON --output-reproducible -o sbom-program.json
	@$(UVX) --from cyclonedx-bom==7.5.0 cyclonedx-py requirements policies/requirements.txt --of JSON --output-reproducible -o sbom-pack.json

lock: $(UP)      ## lock the dependencies again (UPGRADE=--upgrade: at their newest versions)
	@$(BIN)/python scripts/lock.py $(UPGRADE)

clean:           ## remove the environment
	@rm -rf $(VENV)

$(UP): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed; set PYTHON=…" if sys.version_info < (3, 10) else 0)'
	@$(PYTHON) scripts/environment.py up

$(TEST): $(UP)
	@$(PYTHON) scripts/environment.py test
