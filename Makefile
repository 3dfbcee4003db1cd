# `make demo` and `make test` need Python 3.11 or later and nothing else; each sets up what it needs in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test bench bench-million crash-lab cluster-lab lint clean

demo: $(VENV)/.installed
	@$(BIN)/pillarbox demo demo

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n auto --dist worksteal

bench: $(VENV)/.dev
	@$(BIN)/python -m bench

bench-million: $(VENV)/.dev
	@$(BIN)/python -m bench --only million

crash-lab: $(VENV)/.dev
	@$(BIN)/python -m lab --write docs/reliability.md

cluster-lab: $(VENV)/.dev
	@$(BIN)/python -m lab.cluster --write docs/reliability.md

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pillarbox needs Python 3.11 or later; name one with PYTHON=…")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

clean:
	rm -rf $(VENV) demo build dist
