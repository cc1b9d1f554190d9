"""A blend that was fitted on other predictions than out-of-fold ones: `evaluate` asks who made them, and names the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from test_planted_in_predictions import of_author, others, trained
from tiny_project import INPUTS, PREDICTIONS, TRAINING_SET, WITNESSES, Refused, TinyProject

from watertight.core.errors import Refusal
from watertight.core.witness import table as witness_table
from watertight.core.witness import witness
from watertight.learners.cross_fit import CrossFit, Folds, Held, Input, Task
from watertight.learners.matrix import Matrix, feature_matrix

LEAK, ONCE = "expect_inputs_out_of_fold", "expect_inputs_given_once"
CHOSEN = "expect_chosen_on_training_rows"
MINE = (pl.col("target") == "mood") & (pl.col("cell") == "blend") & (pl.col("member") == "past")


def roots(project: TinyProject, fold: int | None = None) -> set[str]:
    rows = trained(project).filter(pl.lit(fold is None) | (pl.col("fold") == (fold if fold is not None else 0)))
    return set(rows.select(pl.coalesce("parent_id", "row_id")).to_series())


def final(project: TinyProject) -> str:
    """The witness of the models that were fitted on all of train."""
    return witness(trained(project)).digest


def of_final(project: TinyProject) -> pl.Expr:
    """What the blend that goes into the bundle was fitted on."""
    return MINE & (pl.col("fitted_on") == final(project))


def seen(project: TinyProject, fold: int) -> str:
    return witness(trained(project).filter(pl.col("fold") == fold)).digest


def test_a_blend_on_out_of_fold_predictions_passes(project: TinyProject) -> None:
    project.execute("evaluate")
    verdicts = project.verdict("artifacts/tiny/evaluate/evaluation.json")["verdicts"]
    [inputs] = [verdict for verdict in verdicts if verdict["gate"] == "inputs"]
    assert inputs["counts"] == {"pass": 3, "fail": 0, "skipped": 0}
    assert inputs["rows"] > len(roots(project))


def test_a_blend_that_was_fitted_on_in_sample_predictions(project: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very mistake: members are asked about the rows that they were fitted on, and the blend believes them."""

    def in_sample(self: CrossFit, member: str, left_out: frozenset[int], fold: int) -> Held:
        known = self._fit(self.tasks[member], left_out)
        x = feature_matrix(self.rows_of(fold), self.tasks[member].columns)
        return Held(known.answering.predict(x), known.witness)

    monkeypatch.setattr(CrossFit, "_input", in_sample)
    project.execute("train")
    every = roots(project) | set(project.table(PREDICTIONS).filter(pl.col("target") == "energy")["row_id"])
    assert project.refused("evaluate") == Refused({LEAK}, every)


def test_a_final_blend_alone_that_was_fitted_on_in_sample_predictions(project: TinyProject) -> None:
    """Its out-of-fold figures are clean; the model that would be served is not."""
    leak = of_final(project) & (pl.col("predicted") == seen(project, 2))
    project.tamper(
        INPUTS,
        lambda told: told.with_columns(member_fitted_on=pl.when(leak).then(pl.lit(final(project))).otherwise("member_fitted_on")),
    )
    assert project.refused("evaluate") == Refused({LEAK}, roots(project, 2))


def test_a_predictor_that_knew_the_author_but_not_the_row(project: TinyProject) -> None:
    fold = trained(project).filter(pl.col("row_id") == "a07-2")["fold"].item()
    knew = witness(pl.concat([others(trained(project), fold), trained(project).filter(pl.col("row_id") == "a07-1")]))
    leak = of_final(project) & (pl.col("predicted") == seen(project, fold))
    project.tamper(
        INPUTS,
        lambda told: told.with_columns(member_fitted_on=pl.when(leak).then(pl.lit(knew.digest)).otherwise("member_fitted_on")),
    )
    project.tamper(WITNESSES, lambda told: pl.concat([told, witness_table({knew.digest: knew})]))
    assert project.refused("evaluate") == Refused({LEAK}, of_author(project, "a07"))


def test_a_predictor_that_nobody_knows(project: TinyProject) -> None:
    leak = of_final(project) & (pl.col("predicted") == seen(project, 1))
    project.tamper(
        INPUTS,
        lambda told: told.with_columns(member_fitted_on=pl.when(leak).then(pl.lit("0" * 16)).otherwise("member_fitted_on")),
    )
    assert project.refused("evaluate") == Refused({LEAK}, roots(project, 1))


def test_rows_that_were_fitted_on_without_a_members_prediction(project: TinyProject) -> None:
    lost = of_final(project) & (pl.col("predicted") == seen(project, 3))
    project.tamper(INPUTS, lambda told: told.filter(~lost))
    assert project.refused("evaluate") == Refused({ONCE}, roots(project, 3))


def test_rows_that_came_with_two_predictions_of_a_member(project: TinyProject) -> None:
    twice = of_final(project) & (pl.col("predicted") == seen(project, 3))
    project.tamper(INPUTS, lambda told: pl.concat([told, told.filter(twice)]))
    assert project.refused("evaluate") == Refused({ONCE}, roots(project, 3))


def test_a_blend_that_does_not_say_what_it_was_fitted_on(project: TinyProject) -> None:
    project.tamper(INPUTS, lambda told: told.filter(~MINE))
    with pytest.raises(Refusal, match="cell 'blend' does not say which predictions of 'past' it was fitted on") as caught:
        project.execute("evaluate")
    told: Any = project.table(PREDICTIONS).filter((pl.col("target") == "mood") & (pl.col("cell") == "blend"))
    assert set(caught.value.rows) == set(told["row_id"])


def test_a_final_blend_that_keeps_silent(project: TinyProject) -> None:
    """The models behind the figures say what they read; the one that would be served does not."""
    project.tamper(INPUTS, lambda told: told.filter(~of_final(project)))
    with pytest.raises(Refusal, match="cell 'blend' does not say which predictions of 'past' it was fitted on"):
        project.execute("evaluate")


def test_a_predictor_with_a_witness_that_somebody_made_up(project: TinyProject) -> None:
    made_up = "f" * 16
    leak = of_final(project) & (pl.col("predicted") == seen(project, 2))
    project.tamper(
        INPUTS, lambda told: told.with_columns(member_fitted_on=pl.when(leak).then(pl.lit(made_up)).otherwise("member_fitted_on"))
    )
    harmless = pl.col("fitted_on") == witness(others(trained(project), 2)).digest
    project.tamper(WITNESSES, lambda told: pl.concat([told, told.filter(harmless).with_columns(fitted_on=pl.lit(made_up))]))
    assert project.refused("evaluate") == Refused({LEAK}, roots(project, 2))


def held_out(project: TinyProject) -> pl.DataFrame:
    return project.table(TRAINING_SET).filter((pl.col("split") == "test_groups") & pl.col("mood").is_not_null())


def test_an_ensemble_whose_members_were_picked_on_the_test_set(project: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very mistake: of two members the one with the smaller error on the test rows stays, the other is left out."""
    test, honest = held_out(project), CrossFit._inputs

    def picked(self: CrossFit, task: Task, left_out: Folds, kept: npt.NDArray[np.bool_]) -> tuple[Matrix, tuple[Input, ...]]:
        x, inputs = honest(self, task, left_out, kept)
        if not task.over or self.name != "mood":
            return x, inputs
        models = {member: self._fit(self.tasks[member], left_out) for member in task.over}
        asked = {member: feature_matrix(test, self.tasks[member].columns) for member in task.over}
        told = {member: models[member].answering.predict(asked[member])["mean"] for member in task.over}
        errors = [float(np.mean((values - test["mood"].to_numpy()) ** 2)) for values in told.values()]
        values = x.values.copy()
        values[:, int(np.argmax(errors))] = 0
        read = tuple(Input(member, models[member].witness, witness(test)) for member in task.over)
        return Matrix(values, x.names, x.texts, x.groups), (*inputs, *read)

    monkeypatch.setattr(CrossFit, "_inputs", picked)
    project.execute("train")
    assert project.refused("evaluate") == Refused({CHOSEN}, set(test["row_id"]))


def test_a_final_ensemble_that_was_fitted_on_a_test_row(project: TinyProject) -> None:
    """One row of a test group among the rows of the last model, predicted like the others; the figures show nothing of it."""
    row = held_out(project).head(1)
    more = witness(pl.concat([trained(project).filter(pl.col("fold") == 2), row]))
    leak = of_final(project) & (pl.col("predicted") == seen(project, 2))
    project.tamper(
        INPUTS, lambda told: told.with_columns(predicted=pl.when(leak).then(pl.lit(more.digest)).otherwise("predicted"))
    )
    project.tamper(WITNESSES, lambda told: pl.concat([told, witness_table({more.digest: more})]))
    assert project.refused("evaluate") == Refused({CHOSEN}, set(row["row_id"]))
