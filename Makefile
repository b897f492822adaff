# SPDX-License-Identifier: Apache-2.0
# Every target sets up what it needs; `make` alone lists them.

# Where it is set, each of some thousand processes compiles every module anew that it imports.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
# One more than the cores of a small machine: many tests wait for other programs and their pauses.
PYTEST := $(BIN)/pytest -n 3 --dist worksteal
FAST := not integration and not slow
# Rooms whose branches their own tests have to cover, and how much of them. Counting lines almost
# doubles what tests cost, so that nothing else is counted.
COVERED := oci build catalog release
FLOOR := 90

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: setup
setup: ## install what is missing on this machine, and .venv
	@setup/install.sh

.PHONY: demo
demo: setup ## build, change, rebuild and publish the quickstart stream, about a minute
	@examples/demo.sh

.PHONY: test
test: setup ## all tests with coverage of branches
	@failed=; \
	$(PYTEST) $(COVERED:%=tests/%) $(COVERED:%=--cov=okd_payload.%) --cov-report= || failed=yes; \
	for room in $(COVERED); do \
	  total=$$($(BIN)/coverage report --include="src/okd_payload/$$room/*" --format=total); \
	  echo "coverage of $$room: $$total %"; \
	  test "$$total" -ge $(FLOOR) || { echo "it must reach $(FLOOR) %" >&2; failed=yes; }; \
	done; \
	$(PYTEST) $(COVERED:%=--ignore=tests/%) || failed=yes; \
	test -z "$$failed"

.PHONY: check
check: setup ## format, lint, types, layers and the fast tests, five minutes
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(if $(filter test,$(MAKECMDGOALS)),,$(PYTEST) -m "$(FAST)") # else test runs them

.PHONY: thorough
thorough: setup ## endurance, and property tests with many new examples; an hour or more
	@$(BIN)/pytest -m endurance
	@HYPOTHESIS_PROFILE=thorough $(PYTEST) -m "$(FAST)"

.PHONY: bench
bench: setup ## measure, each figure beside its baseline
	@bench/run

.PHONY: image
image: setup ## build the tool's own image, two minutes
	@$(BIN)/okd-payload build images/okd-payload

.PHONY: pins
pins: setup ## bring requirements/ in line with pyproject.toml; UPGRADE=--upgrade for newer ones
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile --no-config --quiet $(UPGRADE) --universal --python-version 3.11 \
	  --generate-hashes --extra serve --group dev --custom-compile-command 'make pins' \
	  --output-file requirements/development.txt pyproject.toml
	@$(BIN)/uv pip compile --no-config --quiet --python-version 3.11 --python-platform linux \
	  --generate-hashes --no-annotate --constraint requirements/development.txt \
	  --custom-compile-command 'make pins' --output-file requirements/image.txt pyproject.toml
	@$(BIN)/uv pip compile --no-config --quiet --python-version 3.11 --python-platform linux \
	  --generate-hashes --no-annotate --constraint requirements/development.txt --extra serve \
	  $$(sed -n 's/^\([a-z0-9.-]*\)==.*/--no-emit-package \1/p' requirements/image.txt) \
	  --custom-compile-command 'make pins' \
	  --output-file requirements/image-serve.txt pyproject.toml
	@for name in image image-serve; do \
	  pins=$$(sha256sum <requirements/$$name.txt | cut -c1-64) && \
	  case $$name in image) end=']' ;; *) end=", $$name.txt]" ;; esac && \
	  sed -i "s/packages.sh, [0-9a-f]*$$end/packages.sh, $$pins$$end/" images/okd-payload/stream.yaml; \
	done

.PHONY: clean
clean: ## remove .venv and everything made here
	@rm -rf .venv .demo .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
	  .ruff_cache dist
