# Two commands: `make demo` runs the whole road, `make test` passes the tests. Nothing but Python is needed.

PYTHON ?= python3
VENV ?= .venv
DEVICE_VENV ?= .venv-device
# How many tests run at once.
TEST_JOBS ?= 2

# The whole of tests/device takes an hour under emulation.
ARM64_TESTS ?= tests/device/test_other_processors.py tests/device/test_play_host.py
# Live players, without the minute that takes an emulator longer than all else.
LIVE_ON_ARM64 ?= tests/device/live/test_backends.py \
	--deselect tests/device/live/test_backends.py::test_a_minute_through_the_graph_is_that_of_numpy

# Tests start many programs and many workers, none of which should compile the sources anew.
unexport PYTHONDONTWRITEBYTECODE

BIN = $(VENV)/bin
DEVICE_BIN = $(DEVICE_VENV)/bin
PIP_OPTIONS = --quiet --disable-pip-version-check --constraint constraints.txt

ARM64 ?= .venv-arm64
RUNTIMES ?= .venv-runtimes

.PHONY: help demo models gallery test test-slow lint types test-library test-device test-arm64 test-runtimes clean

help:
	@echo "make demo    train the demo instrument and write demo/report.html (about 10 minutes)"
	@echo "make test    run the tests (about 10 minutes);  make test-slow   run what takes long"
	@echo "make lint    ruff;  make types    mypy"
	@echo "make test-arm64   test the device side on emulated ARM processors (needs apt-get and dpkg)"
	@echo "make test-runtimes   test that older runtimes play model files as the newest does"
	@echo "make models DATA=FOLDER   make the instruments that come with the package anew"
	@echo "make gallery   a folder with the instruments and the player, for any web server"
	@echo "make clean   remove what these made"

demo: $(VENV)/.installed
	$(BIN)/python demo/run.py

# The instruments that come with the package, from the recordings that their pages name: DATA/violin, DATA/flute ...
models: $(VENV)/.installed
	$(BIN)/python models/make.py $(DATA)

# A folder for any web server: the instruments that come along, what they play, and the player. Of singing there is
# something if there is some in DATA.
gallery: $(VENV)/.installed
	$(BIN)/python docs/gallery.py gallery $(if $(DATA),--recordings $(DATA))

test: test-device test-library

test-library: $(VENV)/.installed
	$(BIN)/python -m pytest tests --ignore=tests/device -n $(TEST_JOBS) --dist loadfile

# What is marked as slow, old runtimes and emulated ARM processors. Where one of them cannot be had, that is said.
test-slow: $(VENV)/.installed
	$(BIN)/python -m pytest tests --ignore=tests/device -m slow -n $(TEST_JOBS) --dist loadfile
	$(MAKE) --jobs=2 --output-sync=target test-runtimes test-arm64-if-possible

# The device side is tested where TensorFlow is not installed at all.
test-device: $(DEVICE_VENV)/.installed
	$(DEVICE_BIN)/python -m pytest tests/device -n $(TEST_JOBS) --dist loadfile

# What a Raspberry Pi 4 and 5 would play, under user-mode emulation. The second multiplies 8-bit integers by other
# instructions; the synthesizer, in numpy, is the same on both.
ON_ARM64 = DDSP_BLOCK_TENSORFLOW=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=.:export $(ARM64)/python -m pytest -q -p no:cacheprovider
test-arm64: $(ARM64)/python
	QEMU_CPU=cortex-a72 $(ON_ARM64) $(ARM64_TESTS) $(LIVE_ON_ARM64) tests/device/test_law_one.py
	QEMU_CPU=cortex-a76 $(ON_ARM64) $(ARM64_TESTS)

# Debian's packages of another architecture are not to be had everywhere: tests/arm64/setup.sh ends with 75 then.
.PHONY: test-arm64-if-possible
test-arm64-if-possible: $(VENV)/.installed
	@status=0; PIP="$(abspath $(BIN))/python -m pip" tests/arm64/setup.sh $(ARM64) || status=$$?; \
	case $$status in \
	  0) $(MAKE) test-arm64 ;; \
	  75) echo "skipped: make test-arm64, for want of packages (the reason stands above)" ;; \
	  *) exit $$status ;; \
	esac

$(ARM64)/python: tests/arm64/setup.sh constraints.txt
	PIP="$(PYTHON) -m pip" tests/arm64/setup.sh $(ARM64)
	@touch $@

# What docs/model-file.md says of older runtimes, each in front of the newest of the device side.
test-runtimes: $(VENV)/.installed $(DEVICE_VENV)/.installed
	$(DEVICE_BIN)/python -m tests.runtimes.install $(RUNTIMES)
	$(BIN)/python -m tests.runtimes.make_files $(RUNTIMES)/files
	DDSP_RUNTIMES=$(RUNTIMES) $(DEVICE_BIN)/python -m pytest tests/runtimes

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
	rm -rf $(VENV) $(DEVICE_VENV) $(ARM64) $(RUNTIMES) demo/dataset demo/run demo/output demo/report.html gallery
