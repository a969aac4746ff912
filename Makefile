# A newcomer's commands. Each one sets up what it needs in .venv first; only Python 3.10+ and make are asked for.
PYTHON ?= python3
STACK ?= dev
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := .venv-tools/.ready
LOCKS := requirements.txt requirements-dev.txt policies/requirements.txt benchmarks/others/requirements.txt

.PHONY: help up serve test check bench mutants audit sbom lock clean

help:            ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

up: $(READY)     ## deploy a stack into the sandbox and show what two users can do (STACK=, PROFILE=guide, PACK=off, PACK_CONFIG=FILE)
	@$(BIN)/python -m sandbox up --stack $(STACK) $(if $(PROFILE),--profile $(PROFILE)) $(if $(PACK_CONFIG),--policy-pack-config $(PACK_CONFIG)) $(if $(filter off,$(PACK)),--no-pack)

serve: $(READY)  ## the same, and stay up for a front end (PORT=4566)
	@$(BIN)/python -m sandbox serve --stack $(STACK) $(if $(PROFILE),--profile $(PROFILE)) $(if $(PACK_CONFIG),--policy-pack-config $(PACK_CONFIG)) $(if $(filter off,$(PACK)),--no-pack) $(if $(PORT),--port $(PORT))

test: $(READY)   ## run the tests
	@$(BIN)/python -m pytest

check: $(READY)  ## format, lint, types, and the workflows' shape and safety
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@cd policies && ../$(BIN)/mypy --config-file ../pyproject.toml .
	@$(BIN)/zizmor --offline --quiet --min-severity medium .github
	@$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema -q --builtin-schema vendor.github-actions .github/actions/*/action.yml

bench: $(READY)  ## measure, as ratios in one run
	@$(BIN)/python -m benchmarks

mutants: $(TOOLS) ## change the code in thousands of ways and count the changes that no test notices (hours; fewer with MUTANTS=)
	@PATH="$(CURDIR)/$(dir $(TOOLS))bin:$$PATH" mutmut run $(MUTANTS)

audit: $(TOOLS)  ## look every locked dependency up in the database of known vulnerabilities (asks PyPI)
	@for f in $(LOCKS); do echo $$f; $(dir $(TOOLS))bin/pip-audit --require-hashes --disable-pip -r $$f || exit 1; done

sbom: $(TOOLS)   ## write what is shipped as CycloneDX: sbom-program.json, sbom-pack.json
	@$(dir $(TOOLS))bin/cyclonedx-py requirements requirements.txt --of JSON --output-reproducible -o sbom-program.json
	@$(dir $(TOOLS))bin/cyclonedx-py requirements policies/requirements.txt --of JSON --output-reproducible -o sbom-pack.json

lock: $(READY)   ## lock the dependencies anew
	@$(BIN)/python -m pip install -q uv
	@for f in requirements requirements-dev scripts/requirements; do $(BIN)/uv pip compile -q --universal --generate-hashes \
	  --python-version 3.10 --no-header --no-annotate $$f.in -o $$f.txt; done
	@cd policies && ../$(BIN)/uv pip compile -q --universal --generate-hashes \
	  --python-version 3.10 --no-header --no-annotate requirements.in -o requirements.txt

clean:           ## remove the environments
	@rm -rf $(VENV) $(dir $(TOOLS))

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed; set PYTHON=…" if sys.version_info < (3, 10) else 0)'
	@echo "setting up $(VENV) (once; a minute or two) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(TOOLS): scripts/requirements.txt
	@echo "setting up $(dir $@) (once; some minutes) …"
	@$(PYTHON) -m venv --clear $(dir $@)
	@$(dir $@)bin/python -m pip install -q --disable-pip-version-check --require-hashes -r scripts/requirements.txt
	@touch $@
