# Everything a developer runs. `make help` lists it.

VENV := .venv
PYTHON := $(VENV)/bin/python
# The newest supported Python that really runs: a pyenv shim may stand on the PATH without a version behind it.
BASE_PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null && echo $$python && break; done)

export PORT ?= 8000
export TRAFFIC ?= normal

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(PYTHON):
	@test -n "$(BASE_PYTHON)" || { echo "make: Python 3.11 or newer is needed and was not found" >&2; exit 1; }
	$(BASE_PYTHON) -m venv $(VENV)

$(VENV)/.runs: requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.develops: requirements-dev.txt requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.PHONY: demo
demo: $(VENV)/.runs ## Run everything here: PORT=8000, TRAFFIC=normal|off|heavy; Ctrl-C stops it
	@exec $(PYTHON) -m project.demo

# In two processes, since many tests wait for servers and browsers; whole files in order, since browser tests come last.
IN_TWO := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: test
test: $(VENV)/.develops ## Run the test suite: ARGS="tests/project -k compose" narrows it
	$(PYTHON) -m pytest $(IN_TWO) $(ARGS)

.PHONY: test-matrix
test-matrix: ## Run the test suite on Python 3.11 with Django 5.2 and on Python 3.13 with Django 6.0
	tests/matrix.sh 3.11 "Django>=5.2,<5.3" $(IN_TWO)
	tests/matrix.sh 3.13 "Django>=6.0,<6.1" $(IN_TWO)

.PHONY: lint
lint: export DJANGO_SECRET_KEY := only-for-lint
lint: export DJANGO_SETTINGS_MODULE := project.settings
lint: $(VENV)/.develops ## Check format, types, settings, migrations and templates
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PYTHON) manage.py check --fail-level WARNING
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(VENV)/bin/djlint monitoring tasksdemo --lint --quiet

.PHONY: format
format: $(VENV)/.develops ## Format the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

.PHONY: bench
bench: TARGET ?= ingest
bench: $(VENV)/.develops ## Run a benchmark: TARGET=ingest|profile ARGS="--only ours --events 100000"
	$(PYTHON) -m bench.$(TARGET) $(ARGS)

VENDOR := monitoring/static/monitoring/vendor

.PHONY: vendor
vendor: ## Fetch the browser libraries of vendor/LIST from the npm registry, and compare their checksums
	@grep -v '^#' $(VENDOR)/LIST | while read -r file package version licence sha256 path; do \
		scratch=$$(mktemp -d) && archive=$$(cd $$scratch && npm pack --silent $$package@$$version) && \
		tar -xzf $$scratch/$$archive -C $$scratch && mkdir -p $$(dirname $(VENDOR)/$$file) && \
		cp $$scratch/package/$$path $(VENDOR)/$$file && rm -r $$scratch && \
		echo "$$sha256  $(VENDOR)/$$file" | sha256sum --check || exit 1; \
	done

.PHONY: clean
clean: ## Remove what was built and written here: environments, the demo's data, caches
	rm -rf $(VENV) .venv-* var build dist staticfiles *.egg-info .coverage htmlcov
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
