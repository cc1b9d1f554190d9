"""Out-of-fold predictions that are not: `evaluate` asks the witnesses, and names the predictions they speak against."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from tiny_project import PREDICTIONS, TRAINING_SET, WITNESSES, Refused, TinyProject

from watertight.core.errors import Refusal
from watertight.core.witness import table as witness_table
from watertight.core.witness import witness

SEEN, TWICE, SOUND = "expect_own_row_unseen", "expect_no_row_fitted_twice", "expect_witness_sound"
GROUP, STRANGE = "expect_own_group_unseen", "expect_only_training_rows_fitted"
APART, BESIDE = "expect_fold_files_apart", "expect_one_row_set"
CELL = (pl.col("target") == "mood") & (pl.col("cell") == "mean")
FOLDS = range(5)

Frame = Callable[[pl.DataFrame, int], pl.DataFrame]


def trained(project: TinyProject) -> pl.DataFrame:
    return project.table(TRAINING_SET).filter((pl.col("split") == "train") & pl.col("mood").is_not_null())


def in_fold(project: TinyProject, fold: int) -> set[str]:
    return set(trained(project).filter((pl.col("fold") == fold) & ~pl.col("synthetic"))["row_id"])


def fold_of(project: TinyProject, row: str) -> int:
    return trained(project).filter(pl.col("row_id") == row)["fold"].item()


def refit(project: TinyProject, frame: Frame) -> None:
    """As if each fold's model of one cell had been fitted on ``frame(rows, fold)``, with the witness that this leaves."""
    rows = trained(project)
    fits = {fold: witness(frame(rows, fold)) for fold in FOLDS}
    digests = pl.col("fold").replace_strict({fold: fit.digest for fold, fit in fits.items()}, return_dtype=pl.String)
    project.tamper(PREDICTIONS, lambda made: made.with_columns(fitted_on=pl.when(CELL).then(digests).otherwise("fitted_on")))
    project.tamper(
        WITNESSES,
        lambda told: pl.concat([told, witness_table({fit.digest: fit for fit in fits.values()})]).unique(maintain_order=True),
    )


def of_author(project: TinyProject, author: str) -> set[str]:
    return set(trained(project).filter((pl.col("group_id") == author) & ~pl.col("synthetic"))["row_id"])


def others(rows: pl.DataFrame, fold: int) -> pl.DataFrame:
    return rows.filter(pl.col("fold") != fold)


def others_and(row: str) -> Frame:
    return lambda rows, fold: pl.concat([others(rows, fold), rows.filter(pl.col("row_id") == row)]).unique(maintain_order=True)


def concatenated_files(rows: pl.DataFrame, fold: int) -> pl.DataFrame:
    """The classic: a file of training rows per fold, each holding all rows but the fold's, and a model for a fold that
    is fitted on the other folds' files laid end to end."""
    files = {other: others(rows, other) for other in FOLDS}
    return pl.concat([files[other] for other in FOLDS if other != fold])


def test_a_refit_without_a_leak_passes(project: TinyProject) -> None:
    refit(project, others)
    project.execute("evaluate")
    assert project.verdict("artifacts/tiny/evaluate/evaluation.json")["verdicts"][0]["counts"]["fail"] == 0


def test_a_row_in_the_fit_of_its_own_model(project: TinyProject) -> None:
    refit(project, others_and("a07-2"))
    assert project.refused("evaluate") == Refused({SEEN, GROUP}, of_author(project, "a07"))


def test_a_row_that_its_model_knew_through_a_synthetic_child(project: TinyProject) -> None:
    refit(project, others_and("a07-0-child"))
    assert project.refused("evaluate") == Refused({SEEN, GROUP}, of_author(project, "a07"))


def test_a_model_that_knew_the_author_but_not_the_row(project: TinyProject) -> None:
    """The fold numbers are those of the split; no model saw the row that it predicts, only its author's others."""
    refit(project, others_and("a07-1"))
    assert project.refused("evaluate").rows - {"a07-1"} == of_author(project, "a07") - {"a07-1"}
    refit(project, others)
    mine = (pl.col("row_id") == "a07-2") & CELL
    rest = witness(trained(project).filter(pl.col("row_id") != "a07-2"))
    project.tamper(
        PREDICTIONS, lambda made: made.with_columns(fitted_on=pl.when(mine).then(pl.lit(rest.digest)).otherwise("fitted_on"))
    )
    project.tamper(WITNESSES, lambda told: pl.concat([told, witness_table({rest.digest: rest})]))
    assert project.refused("evaluate") == Refused({GROUP}, {"a07-2"})


def test_a_model_that_was_fitted_on_a_test_row(project: TinyProject) -> None:
    test = project.table(TRAINING_SET).filter(pl.col("split") == "test_groups").head(1)
    refit(project, lambda rows, fold: pl.concat([others(rows, fold), test]))
    every = set().union(*(in_fold(project, fold) for fold in FOLDS))
    assert project.refused("evaluate") == Refused({STRANGE}, every)


def test_the_five_fold_file_leak(project: TinyProject) -> None:
    refit(project, concatenated_files)
    every = set().union(*(in_fold(project, fold) for fold in FOLDS))
    assert project.refused("evaluate") == Refused({SEEN, GROUP, TWICE, APART}, every)
    with pytest.raises(Refusal) as caught:
        project.execute("evaluate")
    [told] = [line for line in caught.value.what.splitlines() if APART in line]
    assert f"{APART}(): {len(every)} row(s), first " in told
    assert told.endswith(
        "(mood, cell mean: the model of fold 0 was fitted on the training files of folds 1, 2, 3, 4 laid end to end, which hold "
        "the rows of fold 0 too: it saw each of them 4 times, and other rows 3 times (and 4 more such models))"
    )


def test_one_models_fold_files_laid_end_to_end(project: TinyProject) -> None:
    """The other four folds' models are clean: just the rows of this one are named."""
    refit(project, lambda rows, fold: concatenated_files(rows, fold) if fold == 2 else others(rows, fold))
    assert project.refused("evaluate") == Refused({SEEN, GROUP, TWICE, APART}, in_fold(project, 2))


def test_one_other_file_behind_the_right_one(project: TinyProject) -> None:
    """Faintest: fold 1's own training file, and by a slip that of fold 3 behind it; each held-out row is seen once."""
    refit(project, lambda rows, fold: pl.concat([others(rows, 1), others(rows, 3)]) if fold == 1 else others(rows, fold))
    assert project.refused("evaluate") == Refused({SEEN, GROUP, TWICE, APART}, in_fold(project, 1))


def test_rows_that_are_merely_doubled_are_not_called_fold_files(project: TinyProject) -> None:
    refit(project, lambda rows, fold: pl.concat([others(rows, fold)] * 2))
    assert project.refused("evaluate").checks == {TWICE}
    refit(project, lambda rows, fold: rows)
    assert project.refused("evaluate").checks == {SEEN, GROUP}


def test_a_row_fitted_on_twice(project: TinyProject) -> None:
    doubled = fold_of(project, "a05-0")
    refit(
        project,
        lambda rows, fold: (
            pl.concat([others(rows, fold), rows.filter(pl.col("row_id") == "a05-0")]) if fold != doubled else others(rows, fold)
        ),
    )
    outside = set().union(*(in_fold(project, fold) for fold in FOLDS if fold != doubled))
    assert project.refused("evaluate") == Refused({TWICE}, outside)


def test_a_cell_that_fits_twice_does_not_hide_behind_one_that_does_not(project: TinyProject) -> None:
    """Both fits are on the same rows; only how often differs. Each keeps a witness of its own."""
    rows = trained(project)
    once, twice = witness(others(rows, 0)), witness(pl.concat([others(rows, 0)] * 2))
    assert once.digest != twice.digest
    assert once.rows["root_id"].equals(twice.rows["root_id"])


def test_a_row_predicted_twice(project: TinyProject) -> None:
    twice = (pl.col("row_id") == "a07-2") & CELL
    project.tamper(PREDICTIONS, lambda made: pl.concat([made, made.filter(twice)]))
    assert project.refused("evaluate") == Refused({"expect_predicted_once"}, {"a07-2"})


def test_a_cell_that_leaves_out_the_rows_that_it_found_hard(project: TinyProject) -> None:
    beside = project.table(PREDICTIONS).filter(CELL).join(trained(project).select("row_id", "mood"), on="row_id")
    hard = beside.sort((pl.col("mean") - pl.col("mood")).abs())["row_id"].tail(3).to_list()
    project.tamper(PREDICTIONS, lambda made: made.filter(~(pl.col("row_id").is_in(hard) & CELL)))
    assert project.refused("evaluate") == Refused({BESIDE}, set(hard))
    with pytest.raises(
        Refusal, match=r"mood, cell mean, seed 0 \(mood, cell mean, seed 0 is of \d+ rows \(row set [0-9a-f]{16}\) beside"
    ):
        project.execute("evaluate")


def test_a_row_that_every_cell_leaves_out(project: TinyProject) -> None:
    project.tamper(PREDICTIONS, lambda made: made.filter((pl.col("row_id") != "a07-2") | (pl.col("target") != "mood")))
    assert project.refused("evaluate") == Refused(set(), {"a07-2"})


def test_a_row_that_a_cell_leaves_out(project: TinyProject) -> None:
    project.tamper(PREDICTIONS, lambda made: made.filter(~((pl.col("row_id") == "a07-2") & CELL)))
    assert project.refused("evaluate") == Refused({BESIDE}, {"a07-2"})


def test_a_prediction_whose_witness_is_missing(project: TinyProject) -> None:
    made = project.table(PREDICTIONS).filter(CELL & (pl.col("fold") == 0))
    project.tamper(WITNESSES, lambda told: told.filter(~pl.col("fitted_on").is_in(made["fitted_on"].to_list())))
    assert project.refused("evaluate") == Refused({SOUND}, set(made["row_id"]))


def test_a_witness_from_which_the_row_was_struck_out(project: TinyProject) -> None:
    refit(project, others_and("a07-2"))
    fold = fold_of(project, "a07-2")
    project.tamper(
        WITNESSES, lambda told: told.filter(~told["fitted_on"].is_in(_fits(project, fold)) | (told["root_id"] != "a07-2"))
    )
    assert project.refused("evaluate") == Refused({SOUND}, in_fold(project, fold))


def test_a_witness_whose_counts_were_lowered(project: TinyProject) -> None:
    refit(project, lambda rows, fold: pl.concat([others(rows, fold)] * 2))
    project.tamper(WITNESSES, lambda told: told.with_columns(pl.col("times").clip(upper_bound=1)).unique(maintain_order=True))
    assert project.refused("evaluate") == Refused({SOUND}, set().union(*(in_fold(project, fold) for fold in FOLDS)))


def test_a_prediction_made_for_another_fold(project: TinyProject) -> None:
    moved = (pl.col("row_id") == "a07-2") & CELL
    project.tamper(
        PREDICTIONS, lambda made: made.with_columns(fold=pl.when(moved).then((pl.col("fold") + 1) % 5).otherwise("fold"))
    )
    assert project.refused("evaluate") == Refused({"expect_predicted_in_own_fold"}, {"a07-2"})


def test_a_prediction_by_the_model_of_another_fold(project: TinyProject) -> None:
    """The fold is told as it should be, but the model was fitted on that very fold."""
    moved, fold = (pl.col("row_id") == "a07-2") & CELL, fold_of(project, "a07-2")
    other = _fits(project, (fold + 1) % 5)[0]
    project.tamper(
        PREDICTIONS, lambda made: made.with_columns(fitted_on=pl.when(moved).then(pl.lit(other)).otherwise("fitted_on"))
    )
    assert project.refused("evaluate") == Refused({SEEN, GROUP}, {"a07-2"})


def test_a_prediction_of_a_row_that_is_held_out(project: TinyProject) -> None:
    first = pl.int_range(pl.len()) == pl.arg_where(CELL).first()
    held_out = lambda made: pl.concat([made, made.filter(first).with_columns(row_id=pl.lit("a03-0"))])  # noqa: E731
    project.tamper(PREDICTIONS, held_out)
    assert project.refused("evaluate") == Refused({"expect_predicted_in_own_fold"}, {"a03-0"})


def _fits(project: TinyProject, fold: int) -> list[str]:
    return project.table(PREDICTIONS).filter(CELL & (pl.col("fold") == fold))["fitted_on"].unique().to_list()
