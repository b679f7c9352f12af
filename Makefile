# Two commands: `make demo` runs the whole road, `make test` passes the tests. Nothing but Python is needed.

PYTHON ?= python3
VENV ?= .venv
DEVICE_VENV ?= .venv-device
# How many tests run at once.
TEST_JOBS ?= 2

BIN = $(VENV)/bin
DEVICE_BIN = $(DEVICE_VENV)/bin
PIP_OPTIONS = --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test lint types test-library test-device clean

help:
	@echo "make demo    train the demo instrument and write demo/report.html (about 10 minutes)"
	@echo "make test    run all tests"
	@echo "make lint    ruff;  make types    mypy"
	@echo "make clean   remove what these made"

demo: $(VENV)/.installed
	$(BIN)/python demo/run.py

test: test-device test-library

test-library: $(VENV)/.installed
	$(BIN)/python -m pytest tests --ignore=tests/device -n $(TEST_JOBS) --dist loadfile

# The device side is tested where TensorFlow is not installed at all.
test-device: $(DEVICE_VENV)/.installed
	$(DEVICE_BIN)/python -m pytest tests/device

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

$(VENV)/.installed: pyproject.toml constraints.txt | python-is-new-enough
	@echo "installing into $(VENV) (once, some minutes) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_OPTIONS) --editable ".[train,dev]"
	@touch $@

$(DEVICE_VENV)/.installed: pyproject.toml constraints.txt | python-is-new-enough
	@echo "installing the device side into $(DEVICE_VENV) ..."
	$(PYTHON) -m venv $(DEVICE_VENV)
	$(DEVICE_BIN)/python -m pip install $(PIP_OPTIONS) --editable ".[test]"
	@touch $@

.PHONY: python-is-new-enough
python-is-new-enough:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	         "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }

clean:
	rm -rf $(VENV) $(DEVICE_VENV) demo/dataset demo/run demo/output demo/report.html
