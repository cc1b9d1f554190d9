# Two commands do everything on a fresh machine: make repro, make test.
PYTHON ?= python3
BIN := .venv/bin
export DVC_NO_ANALYTICS := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

# What `dvc exp show` need not show beside the figures: files and sections that are not the experiment's idea.
HIDDEN := ^(Created|data|artifacts|watertight|pipelines|expectations|feature_repo|perception|judge|alignment|retrieval)|willingness|congruence|comparator|.*\.(mae|rows|r|r_within|r_between|width|calibration_error|.*_low|.*_high)$$

SHARPNESS := {trials: 4, folds: 3, space: {temperature: [0.03, 0.05, 0.08]}}

.PHONY: repro semeval semeval-test mtbench mtbench-leak shopsphere treatments test lint clean

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

# The judge's models on GPT-4's scores of MT-bench answers, questions apart; and once with rows dealt out at random.
mtbench: .venv/ready
	dvc exp run --force --name mtbench -S judge.source.name=mtbench -S 'judge.split.test_drops=[]' evaluate@judge
	watertight metrics judge

mtbench-leak: .venv/ready
	dvc exp run --force --name mtbench-leak -S judge.source.name=mtbench -S 'judge.split.test_drops=[]' -S ++judge.split.folds_by=row -S 'judge.waive=[expect_groups_in_one_fold,expect_own_group_unseen,expect_inputs_out_of_fold]' evaluate@judge
	watertight metrics judge

# Descriptions of garments and CLIP's vectors of their pictures, over five folds and no test set. The sharpness of the contrast
# is searched for inside each fit, and the garments' sizes of gallery are those of a fold.
shopsphere: .venv/ready
	dvc exp run --force --name shopsphere -S alignment.source.name=shopsphere -S alignment.split.test_groups.share=0.0 -S 'alignment.evaluate.galleries=[225]' -S '++alignment.train.cells.contrast.search=$(SHARPNESS)' -S '++alignment.train.cells.both.search=$(SHARPNESS)' register@alignment materialize@alignment
	watertight metrics alignment

# What each treatment of the skew is worth to the same network, on the same rows: a DVC experiment each, in one table.
treatments: .venv/ready
	python benchmarks/treatments.py

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
