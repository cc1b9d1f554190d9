# Two commands do everything on a fresh machine: make repro, make test.
PYTHON ?= python3
BIN := .venv/bin
export DVC_NO_ANALYTICS := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

# What `dvc exp show` need not show beside the figures: files and sections that are not the experiment's idea.
HIDDEN := ^(Created|data|artifacts|watertight|pipelines|expectations|feature_repo|perception)|willingness|congruence|comparator|.*\.(mae|rows|r|r_within|r_between|width|calibration_error|.*_low|.*_high)$$

.PHONY: repro semeval semeval-test test lint clean

repro: .venv/ready
	dvc repro

# The same graph on SemEval-2026 Task 2, as a DVC experiment. WATERTIGHT_RAW says where the raw files lie.
semeval: .venv/ready
	dvc exp run --force --name semeval -S perception.source.name=semeval2026
	@dvc exp show --only-changed --hide-workspace --no-pager --md --drop '$(HIDDEN)'
	watertight metrics perception

# And a look at the test sets by every model, which is recorded in models/.
semeval-test: semeval
	watertight score perception --test --every-cell

test: .venv/ready
	PYTEST_ADDOPTS='$(PYTEST_ADDOPTS)' pytest --numprocesses auto --dist loadfile

lint: .venv/ready
	ruff check .
	ruff format --check .
	mypy

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv data artifacts
