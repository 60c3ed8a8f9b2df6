# Two commands: `make demo` shows what the program does, `make test` runs every check.
# Both make their own environment in .venv; nothing outside this folder is touched.

VENV := .venv
BIN := $(VENV)/bin
DEMO := $(VENV)/tour
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

# the newest Python that TensorFlow has wheels for, of those that start
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo test check wheel installs pages processes quick lint docs boxed-model pictures schemas requirements speed peers torture clean

help:
	@echo "make demo    install, then a tour on sample_data (half a minute after the installation)"
	@echo "make test    install, then ruff, mypy --strict and pytest (about 10 minutes)"
	@echo "make pages   install, then type what the pages of docs and of help show, and compare what is printed"
	@echo "make installs  install, then make and try the environments that users make (needs a network)"
	@echo "make processes  install, then lose workers and kill searches in the middle, and compare bits"
	@echo "make quick   install, then ruff, mypy and the tests without processes and TensorFlow (two minutes)"
	@echo "make speed   measure start-up, training and prediction"
	@echo "make docs    build the documentation as a site in build/site, without a network"
	@echo "make wheel   build the wheel in dist"
	@echo "make clean   remove the environment and caches"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; none was found. Install one, or run: make PYTHON=/path/to/python"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/installed

demo: $(VENV)/installed
	$(BIN)/forecast demo --no-pause --folder $(DEMO)

test: $(VENV)/installed-dev check

check: lint
	$(PYTEST)

wheel: $(VENV)/installed-dev
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

# environments made of what this checkout builds, with a network; nothing is fetched once they are made
installs: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -m installs tests

# every command line of docs, of help and of the notebook; README's are among those of make test
pages: $(VENV)/installed-dev
	$(PYTEST) -m pages tests

# a worker dies, a search is killed: what comes out has the bits that it has in one process
processes: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -n 2 -m processes tests

quick: $(VENV)/installed-dev lint
	$(PYTEST) --quick -r fE

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "To read it: $(BIN)/python -m http.server --directory build/site"

# the model that comes with the package: trained on sample_data alone, by this command
boxed-model: $(VENV)/installed
	$(BIN)/forecast train sample_data --device cpu --partial-bars --model-file forecaster/model/boxed/sample.forecast

# the pictures of README, drawn from what the program prints
pictures: $(VENV)/installed
	$(BIN)/python docs/make_pictures.py

# the JSON Schemas that forecast schema prints, made of the types of the documents
schemas: $(VENV)/installed
	$(BIN)/python -m forecaster.output.documents.json_schema

# the exact versions of a forecast-only installation, as they are in this environment
requirements: $(VENV)/installed-dev
	$(BIN)/python requirements/forecast_only.py

speed: $(VENV)/installed-dev
	$(BIN)/python benchmarks/speed.py

# other libraries' networks on the same data, in an environment of their own: make peers DATA=folder
peers: $(VENV)/installed-dev
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements-peers.txt
	$(BIN)/python benchmarks/peers.py $(DATA) --python .venv-peers/bin/python

# hostile inputs to every reader, two thousand each (make test draws fifty), and kills at three hundred
# random moments (make processes: twelve)
torture: $(VENV)/installed-dev
	FORECASTER_FUZZ=2000 FORECASTER_TORTURE=300 $(BIN)/python -m pytest -q -s tests -k "random or fuzz" -m "not live and not installs"

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
