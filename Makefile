# make lab     JupyterLab on the first tutorial
# make demo    the same notebook without a browser: its tables and chart as text, and one HTML file
# make test    everything that must hold, in under 15 minutes
# make prove   the long runs, with figures
# make bench   the costs, beside their budgets
# make build   the wheel
# make golden  the values of tests/twist that the npm package superjson wrote, and those it read, made anew
# make front   the charts, after an edit in labextension, for JupyterLab to load with the next page

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
TUTORIAL := notebooks/01_first_sync.ipynb
GUEST := $(shell find plot_nb/sandbox/build.py plot_nb/sandbox/guest plot_nb/twist -name '*.py' -o -name '*.wit' 2>/dev/null)

FRONT := $(shell find labextension/src labextension/style -type f 2>/dev/null) $(wildcard labextension/*.json) labextension/build.py

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.PHONY: help lab demo test lint types charts prove bench build front golden browser clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# A root has to be told; where there is no display the URL is printed, which must then lead to the tutorial too.
lab: $(VENV)/.lab
	$(BIN)/jupyter lab --notebook-dir=$(dir $(TUTORIAL)) --LabApp.default_url=/lab/tree/$(notdir $(TUTORIAL)) \
		$$([ "$$(id -u)" != 0 ] || echo --allow-root) \
		$$([ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ] || echo --no-browser)

demo: $(VENV)/.lab
	$(BIN)/python notebooks/run_headless.py $(TUTORIAL) build/01_first_sync.html

# What waits for browsers and kernels runs beside what computes; its words come last.
SEEN := tests/browser tests/notebook tests/packaging

test: $(VENV)/.test browser lint types charts
	@mkdir -p build
	@$(BIN)/python -m pytest --nbmake $(SEEN) notebooks >build/seen.log 2>&1 & seen=$$!; \
		echo "pytest $(SEEN) notebooks, beside pytest of the rest"; \
		$(BIN)/python -m pytest tests $(addprefix --ignore=,$(SEEN)); rest=$$?; \
		wait $$seen; seen=$$?; cat build/seen.log; [ $$rest = 0 ] && [ $$seen = 0 ]

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.test
	$(BIN)/mypy
	$(BIN)/python labextension/build.py types

charts: $(VENV)/.test
	$(BIN)/python labextension/build.py test

# Not by way of an installation, which would take longer; it is asked for when something else is new.
front:
	@[ -e $(VENV)/.test ] || $(MAKE) $(VENV)/.test
	$(BIN)/python labextension/build.py

golden: $(VENV)/.test
	$(BIN)/python -m tests.twist.superjson_drawn build/superjson_drawn.jsonl
	$(BIN)/python labextension/build.py golden

prove: $(VENV)/.test browser
	$(BIN)/python -m pytest -m prove -s --timeout=0 tests

bench: $(VENV)/.test
	$(BIN)/python benchmarks/run.py

build: $(VENV)/.test
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

# The component and the charts are built with the installation, so it follows their sources.
$(VENV)/.lab: $(VENV)/bin/pip pyproject.toml hatch_build.py $(GUEST) $(FRONT)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lab,demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.lab
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lab,demo,test]'
	@touch $@

# Debian ships Python without the part of venv that brings pip; pip itself can stand in for it, or apt.
$(VENV)/bin/pip:
	@[ -n "$(PYTHON)" ] || { echo "plot_nb needs Python 3.11 or newer, and found none. Say where: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
		|| { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } 2>/dev/null \
		|| { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -q -y python3-venv && $(PYTHON) -m venv --clear $(VENV); } \
		|| { echo "$(PYTHON) can make no virtual environment. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core; } \
		|| { echo "The browser tests need Chromium. On Debian and Ubuntu: sudo apt-get install chromium"; exit 1; }

clean:
	rm -rf $(VENV) build dist labextension/node_modules labextension/dist labextension/lib plot_nb/widgets/static
