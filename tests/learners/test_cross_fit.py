"""Cells over cells: what each model is fitted on, against a slow loop that is written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from test_out_of_fold_run import KINDS, SCALAR, Remembers, toy

from watertight.core.errors import Refusal
from watertight.core.witness import evidence, input_evidence, table
from watertight.learners.catalogue import build
from watertight.learners.cross_fit import NONE, CrossFit, Task, target_values
from watertight.learners.matrix import Matrix, feature_matrix
from watertight.learners.out_of_fold import Fit, out_of_fold


def linear(cell: str, name: str, columns: tuple[str, ...], over: tuple[str, ...] = ()) -> Task:
    return Task(cell, columns, lambda chosen: build("linear", name, KINDS[name], {"strength": 1.0, **chosen}), over=over)


def with_features(rows: pl.DataFrame) -> pl.DataFrame:
    chance = np.random.default_rng(3)
    return rows.with_columns(a=pl.Series(chance.normal(size=rows.height)), b=pl.col("number") % 7)


def by_hand(rows: pl.DataFrame, name: str, fold: int) -> np.ndarray:
    """A linear model over two, for one fold, without a cache, a thread or a mask: every fit is written out.

    What stands over others is fitted on real rows alone.
    """

    def fitted(part: pl.DataFrame, x: Matrix) -> Any:
        y = target_values(part[name], KINDS[name])
        return build("linear", name, KINDS[name], {"strength": 1.0}).fit(x, y, part["weight"].to_numpy(), seed=0)

    def told(model: Any, part: pl.DataFrame, column: str) -> np.ndarray:
        out = model.predict(feature_matrix(part, (column,)))
        return np.asarray(next(iter(out.values()))).reshape(part.height, -1).astype(np.float32)

    def beside(part: pl.DataFrame, a: np.ndarray, b: np.ndarray) -> Matrix:
        plain = part["a"].to_numpy().astype(np.float32)[:, None]
        values = np.hstack([a, b, plain])
        return Matrix(np.ascontiguousarray(values), tuple(f"x{place}" for place in range(values.shape[1])))

    train = rows.filter((pl.col("split") == "train") & pl.col(name).is_not_null())
    outer, held = train.filter(pl.col("fold") != fold), train.filter(pl.col("fold") == fold)
    parts = []
    for inner in sorted(outer["fold"].unique()):
        below, predicted = outer.filter(pl.col("fold") != inner), outer.filter((pl.col("fold") == inner) & ~pl.col("synthetic"))
        models = {column: fitted(below, feature_matrix(below, (column,))) for column in ("a", "b")}
        parts.append((predicted, *(told(models[column], predicted, column) for column in ("a", "b"))))
    laid = pl.concat([part for part, _, _ in parts])
    top = fitted(laid, beside(laid, np.vstack([a for _, a, _ in parts]), np.vstack([b for _, _, b in parts])))
    models = {column: fitted(outer, feature_matrix(outer, (column,))) for column in ("a", "b")}
    out = top.predict(beside(held, *(told(models[column], held, column) for column in ("a", "b"))))
    return np.asarray(next(iter(out.values())))[~held["synthetic"].to_numpy()]


def stacked(rows: pl.DataFrame, name: str = "score") -> CrossFit:
    tasks = [linear("one", name, ("a",)), linear("two", name, ("b",)), linear("top", name, ("a",), ("one", "two"))]
    return CrossFit(rows, name, KINDS[name], tasks, 0)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_a_cell_over_two_predicts_what_a_loop_written_out_does(seed: int, name: str) -> None:
    rows = with_features(toy(seed))
    found = out_of_fold(stacked(rows, name), "top").predictions
    output = KINDS[name].output
    close = 1e-6 if output == "vector" else 1e-9  # vectors are kept in single precision
    for fold in sorted(found["fold"].unique()):
        mine = found.filter(pl.col("fold") == fold)[output].to_list()
        np.testing.assert_allclose(np.asarray(mine), by_hand(rows, name, fold), rtol=close, atol=close)


def test_what_stands_over_others_is_never_fitted_on_synthetic_rows() -> None:
    """Not even on their out-of-fold predictions: labels that nobody gave would calibrate it."""
    rows = with_features(toy())
    wrong = pl.when("synthetic").then(pl.lit(9.0)).otherwise("score").alias("score")
    tasks = [linear("one", "score", ("a",)), linear("top", "score", (), ("one",))]
    models = CrossFit(rows.with_columns(wrong), "score", SCALAR, tasks, 0)
    truths = []
    keep = type(models.model("top").learner).fit

    def spied(learner: Any, x: Any, y: Any, *more: Any, **named: Any) -> Any:
        truths.append(y)
        return keep(learner, x, y, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(models.model("top").learner), "fit", spied)
        models.model("top", frozenset([0]))
    assert rows["synthetic"].any() and any((told == 9.0).any() for told in truths[:-1]), "its members are"
    assert not (truths[-1] == 9.0).any()


def told(fit: Fit, cell: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    names = {"target": pl.lit("score"), "cell": pl.lit(cell), "seed": pl.lit(0)}
    return fit.predictions.with_columns(**names), fit.inputs.with_columns(**names)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_of_a_row_is_below_its_prediction_however_deep(seed: int) -> None:
    rows = with_features(toy(seed))
    tasks = [
        linear("one", "score", ("a",)),
        linear("top", "score", ("b",), ("one",)),
        linear("peak", "score", ("a",), ("top", "one")),
    ]
    models = CrossFit(rows, "score", SCALAR, tasks, 0)
    for cell in models.tasks:
        fit = out_of_fold(models, cell)
        predictions, inputs = told(fit, cell)
        said = evidence(predictions, rows.with_columns(assigned_fold="fold"), table(fit.witnesses))
        assert said.select("own_fits", "group_fits", "strange_fits").sum().row(0) == (0, 0, 0)
        assert said["witnessed"].all() and said["refitted"].max() == 1
        read = input_evidence(inputs, rows, table(fit.witnesses))
        assert read.select("own_fits", "group_fits").sum().row(0) == (0, 0)
        assert read["witnessed"].all()
        assert read["given"].unique().to_list() == ([1] if models.tasks[cell].over else [])


class Leaky(CrossFit):
    """Reads predictions of a fold by a model that was fitted on that very fold."""

    def _input(self, member: str, left_out: frozenset[int], fold: int) -> Any:
        seen = self.model(member, left_out)
        x = feature_matrix(self.rows_of(fold), self.tasks[member].columns)
        return type(self.held(member, frozenset([fold]), fold))(seen.learner.predict(x), seen.witness)


def test_in_sample_inputs_are_seen_in_the_evidence_of_the_very_rows() -> None:
    rows = with_features(toy())
    leaky = stacked(rows)
    leaky.__class__ = Leaky
    fit = out_of_fold(leaky, "top")
    predictions, inputs = told(fit, "top")
    assert evidence(predictions, rows.with_columns(assigned_fold="fold"), table(fit.witnesses))["own_fits"].sum() == 0, (
        "the predicted rows themselves are not known"
    )
    read = input_evidence(inputs, rows, table(fit.witnesses))
    real = rows.filter((pl.col("split") == "train") & pl.col("score").is_not_null() & ~pl.col("synthetic"))
    roots = set(real.select(pl.coalesce("parent_id", "row_id")).to_series())
    assert set(read.filter(pl.col("own_fits") > 0)["row_id"]) == roots


def test_each_model_is_fitted_once_and_those_below_come_first() -> None:
    made: list[Remembers] = []

    def remember(chosen: Any) -> Any:
        made.append(Remembers())
        return made[-1]

    rows = with_features(toy())
    tasks = [
        Task("top", ("number",), remember, over=("one", "two")),
        *(Task(cell, ("number",), remember) for cell in ("one", "two")),
    ]
    models = CrossFit(rows, "score", SCALAR, tasks, 0)
    listed = models.fits()
    assert [cell for cell, _ in listed].index("top") > max(place for place, (cell, _) in enumerate(listed) if cell != "top")
    folds = len(models.folds)
    assert len(listed) == len(set(listed)) == (1 + folds) + 2 * (1 + folds + folds * (folds - 1) // 2)
    for fit in listed:
        models.model(*fit)
    for cell in models.tasks:
        out_of_fold(models, cell)
    assert len(made) == len(listed)
    assert models.model("one", NONE) is models.model("one", frozenset())


def test_too_few_folds_for_the_depth_are_refused() -> None:
    rows = with_features(toy()).with_columns(score=pl.when(pl.col("fold") < 2).then("score"))
    with pytest.raises(Refusal, match=r"(?s)score is known in 2 fold.*at least 3, so that cell 'top'"):
        stacked(rows)


def test_columns_of_members_come_first_and_carry_their_names() -> None:
    models = stacked(with_features(toy()), "verdict")
    models.model("top")
    assert models.model("top").names == (*[f"cell__one[{i}]" for i in range(3)], *[f"cell__two[{i}]" for i in range(3)], "a")
    assert models.widths("top") == {"cell__one": 3, "cell__two": 3}
