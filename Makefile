# Two commands matter: `make lab` opens the workbook, `make test` checks everything.

PYTHON ?= python3
PIP_ARGS ?=
# Empty for the newest versions that the lower bounds allow.
CONSTRAINTS ?= -c constraints.txt
LAB_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# Each exists when what is installed is as new as what is asked for: the course, or that and all tools.
COURSE := $(VENV)/.ready-course
READY := $(VENV)/.ready

# Notebooks run in their own folder: a relative path must keep its meaning there.
ifneq ($(GSL_TUTORIAL_DATA),)
export GSL_TUTORIAL_DATA := $(abspath $(GSL_TUTORIAL_DATA))
endif

.PHONY: dist release fresh address site lab test lint unit notebooks bench bench-widgets build reproduce clean help

help:
	@echo "make lab      open the workbook in JupyterLab (LAB_ARGS=--no-browser without a screen)"
	@echo "make test     run every check: style, types, tests, notebooks"
	@echo "make build    press notebooks/src/*.py into notebooks"
	@echo "make site     make pages of the solved notebooks in site, which need no network"
	@echo "make bench    measure speed and memory, as JSON in benchmarks/results"
	@echo "make reproduce   train the runs in data/ again (two hours) and compare with their cards;"
	@echo "                 CELL=2x4: the runs of one cell of the map (minutes)"
	@echo "make bench-widgets  measure the widgets in a browser (needs chromium, a quiet machine, 4 minutes)"
	@echo "make release  run every check, build wheel and sdist into dist, say what to do next"
	@echo "make fresh    install the wheel into an empty environment, with nothing borrowed (minutes)"
	@echo "make address REPOSITORY=owner/name   write where the repository lies into README and site"
	@echo "make clean    remove .venv and what tools left behind"

lab: $(COURSE)
	$(BIN)/gsl-tutorial lab $(LAB_ARGS)

test: lint unit notebooks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

# Two processes of one thread each. The core's own tests run with everything else blocked at import.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile
CORE := $(addprefix gsl_tutorial/,snapping quantizers evaluation errors.py storage.py validation.py)
unit: $(READY)
	GSL_TUTORIAL_CORE_ALONE=1 $(PYTEST) tests/core $(CORE)
	$(PYTEST) tests gsl_tutorial/course --ignore=tests/core

# All cells run, claims are compared, budgets are held; images are hidden, as on a student's machine.
NBVAL := $(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout 600 \
    --nbval-kernel-startup-timeout 600 -p gsl_tutorial.course.press.nbval_budget
notebooks: $(READY)
	$(NBVAL) notebooks
ifneq ($(GSL_TUTORIAL_DATA),)
	@echo "Chapter 09 once more, with the images of $(GSL_TUTORIAL_DATA):"
	GSL_TUTORIAL_NBVAL_IMAGES=1 $(NBVAL) notebooks/solutions/09_retrieval_on_cifar10.ipynb
endif

build: $(READY)
	$(BIN)/gsl-tutorial build

site: $(READY)
	$(BIN)/gsl-tutorial site

# The wheel is made from the sdist, so both are tried.
dist: $(READY)
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist

VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
release:
	@test -z "$$(git status --porcelain)" || { echo "Commit first: a release is what git knows."; exit 1; }
	@grep -q "^## $(VERSION)" CHANGELOG.md || \
	    { echo "CHANGELOG.md has no section $(VERSION): move what is under Unreleased there."; exit 1; }
	$(MAKE) test fresh
	@echo "dist holds version $(VERSION), checked. Next: git tag v$(VERSION), push the tag, upload dist."

fresh: dist
	rm -rf .fresh
	$(PYTHON) -m venv .fresh/env
	.fresh/env/bin/python -m pip install --no-compile $(PIP_ARGS) $(CONSTRAINTS) "$$(ls dist/*.whl)[course]"
	mkdir .fresh/work
	cd .fresh/work && ../env/bin/gsl-tutorial doctor

address:
	@echo "$(REPOSITORY)" | grep -Eq '^[[:alnum:]_.-]+/[[:alnum:]_.-]+$$' || \
	    { echo "Say which: make address REPOSITORY=owner/name"; exit 1; }
	old=$$(sed -n 's/^repository = "\(.*\)"/\1/p' pyproject.toml) && \
	    sed -i.orig "s|$$old|$(REPOSITORY)|g" pyproject.toml README.md && rm pyproject.toml.orig README.md.orig

bench: $(READY)
	$(BIN)/python -m benchmarks

bench-widgets: $(READY)
	$(BIN)/python -m benchmarks widgets

# An interrupted one goes on when it is called again. CELL=2x4 repeats that cell of the map instead.
reproduce: $(COURSE)
	if [ -n "$(CELL)" ]; then exec $(BIN)/gsl-tutorial study map --again $(CELL) \
	    --part $(or $(PART),test) --results data/results; fi; \
	for card in data/cifar10-*/card.json; do name=$$(basename $$(dirname $$card)); \
	    $(BIN)/gsl-tutorial reproduce data/$$name --out runs/$$name || exit 1; done

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	    { echo "Python 3.11, 3.12 or 3.13 is needed; $$($(PYTHON) --version 2>&1) is what" \
	    "$(PYTHON) starts. Try: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Python compiles what it imports; compiling everything here would take a quarter of the time and of the disk.
INSTALL = $(BIN)/python -m pip install --no-compile $(PIP_ARGS) $(CONSTRAINTS)
# An editable install brings no data files: Jupyter's settings go where every JupyterLab of .venv looks.
SETTINGS := $(VENV)/share/jupyter/lab/settings/overrides.d
LAY_SETTINGS = @mkdir -p $(SETTINGS) && cp gsl_tutorial/course/cli/lab_settings/overrides.d/*.json $(SETTINGS)
$(COURSE): pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e ".[course,scale]"
	$(LAY_SETTINGS)
	@touch $@

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e ".[course,scale,authors,test]"
	$(LAY_SETTINGS)
	@touch $@ $(COURSE)

clean:
	rm -rf $(VENV) .fresh dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
