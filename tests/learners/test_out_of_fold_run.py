"""The out-of-fold run against a learner that remembers the rows which it was given."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import pytest

from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.core.witness import evidence, table, witness
from watertight.learners.catalogue import FAMILIES, build
from watertight.learners.cross_fit import CrossFit, Task, target_values
from watertight.learners.family import Outputs
from watertight.learners.matrix import Matrix
from watertight.learners.out_of_fold import Fit, out_of_fold, output_columns

SCALAR = Target(kind="scalar", range=(0, 1))
CLASSES = Target(kind="class", classes=("x", "y", "z"))
VECTOR = Target(kind="vector", dimension=2)
KINDS = {"score": SCALAR, "verdict": CLASSES, "image": VECTOR}


class Remembers:
    """Predicts the number of the row, which is its only feature; and keeps the numbers that it was fitted on."""

    kinds: ClassVar[tuple[str, ...]] = ("scalar", "class", "vector")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.y: np.ndarray | None = None
        self.weight: np.ndarray | None = None

    def fit(self, x: Matrix, y: Any, weight: Any, *, seed: int) -> Self:
        self.rows, self.y, self.weight = x.column("number").astype(int).tolist(), y, weight
        return self

    def predict(self, x: Matrix) -> Outputs:
        return {"mean": x.column("number").astype(np.float64)}

    def save(self, folder: Path) -> None: ...


def toy(seed: int = 0, rows: int = 60) -> pl.DataFrame:
    """Groups in folds, some rows outside train, some without target, and a child beside every fourth row."""
    chance = np.random.default_rng(seed)
    group = chance.integers(0, 12, size=rows)
    real = pl.DataFrame(
        {
            "row_id": [f"r{number}" for number in range(rows)],
            "group_id": [f"g{number}" for number in group],
            "parent_id": pl.Series([None] * rows, dtype=pl.String),
            "synthetic": False,
            "weight": chance.uniform(0.5, 2, size=rows),
            "split": np.where(group > 9, "test_groups", "train"),
            "fold": group % 4,
            "score": chance.uniform(size=rows),
            "verdict": np.array(CLASSES.classes)[chance.integers(0, 3, size=rows)],
            "image": chance.normal(size=(rows, 2)).tolist(),
        }
    )
    unlabelled = pl.Series(chance.uniform(size=rows) < 0.2)
    real = real.with_columns(pl.when(~unlabelled).then(pl.col(*KINDS)))
    child = pl.col("row_id") + "-copy"
    children = real[::4].with_columns(row_id=child, parent_id="row_id", synthetic=pl.lit(True), score=pl.lit(0.0))
    together = pl.concat([real, children]).with_columns(fold=pl.when(pl.col("split") == "train").then("fold"))
    return together.with_row_index("number").with_columns(pl.col("number").cast(pl.Float32)).sort(pl.col("row_id").hash(seed))


def run(rows: pl.DataFrame, name: str = "score") -> tuple[Any, list[Remembers]]:
    made: list[Remembers] = []

    def builder() -> Any:
        made.append(Remembers())
        return made[-1]

    return fit(rows, name, Task("all", ("number",), lambda chosen: builder())), made


def fit(rows: pl.DataFrame, name: str, task: Task) -> Fit:
    return out_of_fold(CrossFit(rows, name, KINDS[name], [task], 0), task.cell)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_every_training_row_with_the_target_is_predicted_exactly_once(seed: int, name: str) -> None:
    rows = toy(seed)
    found, _ = run(rows, name)
    wanted = [
        (row["row_id"], row["fold"], row["number"])
        for row in rows.iter_rows(named=True)
        if row["split"] == "train" and not row["synthetic"] and row[name] is not None
    ]
    assert sorted(found.predictions.select("row_id", "fold", "mean").rows()) == sorted(wanted)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_each_witness_is_a_recount_of_what_the_model_was_given(seed: int, name: str) -> None:
    rows = toy(seed)
    found, made = run(rows, name)
    by_number = {row["number"]: row for row in rows.iter_rows(named=True)}
    recounts = []
    for model in made:
        given = [by_number[number] for number in model.rows]
        itself = Counter(row["row_id"] for row in given if not row["synthetic"])
        roots = {row["parent_id"] or row["row_id"] for row in given}
        recounts.append(sorted((root, itself[root]) for root in roots))
    assert sorted(one.rows.rows() for one in found.witnesses.values()) == sorted(recounts)
    folds = found.predictions.select("fold", "fitted_on").unique()
    assert folds.height == folds["fold"].n_unique() == len(made) - 1, "one model per fold"


@pytest.mark.parametrize("seed", range(4))
def test_no_row_nor_any_relative_is_in_the_model_that_predicts_it(seed: int) -> None:
    rows = toy(seed)
    found, made = run(rows)
    told = found.predictions.with_columns(target=pl.lit("score"), cell=pl.lit("all"), seed=pl.lit(0))
    said = evidence(told, rows.with_columns(assigned_fold="fold"), table(found.witnesses))
    assert said.select("own_fits", "group_fits", "strange_fits").sum().row(0) == (0, 0, 0)
    assert said["witnessed"].all()
    assert said["predicted"].max() == said["refitted"].max() == 1
    assert any(number >= 60 for number in made[0].rows), "synthetic rows are fitted on"


def test_a_child_in_another_fold_than_its_parent_speaks_against_the_prediction() -> None:
    rows = toy()
    predicted = rows.filter((pl.col("split") == "train") & ~pl.col("synthetic") & pl.col("score").is_not_null())
    parent = predicted.filter(pl.col("row_id").is_in(rows["parent_id"].drop_nulls().to_list()))[:1]
    moved = pl.when(pl.col("parent_id") == parent["row_id"][0]).then((pl.col("fold") + 1) % 4).otherwise("fold")
    found, _ = run(rows.with_columns(fold=moved))
    told = found.predictions.with_columns(target=pl.lit("score"), cell=pl.lit("all"), seed=pl.lit(0))
    said = evidence(told, rows.with_columns(assigned_fold="fold"), table(found.witnesses))
    assert said.filter(pl.col("own_fits") > 0)["row_id"].to_list() == parent["row_id"].to_list()


def test_the_final_model_is_fitted_on_all_of_train_and_says_so() -> None:
    rows = toy()
    found, made = run(rows)
    train = rows.filter((pl.col("split") == "train") & pl.col("score").is_not_null())
    assert found.final is made[0]
    assert made[0].rows == train["number"].to_list()
    assert np.array_equal(made[0].y, train["score"].to_numpy())
    assert np.array_equal(made[0].weight, train["weight"].to_numpy())
    assert found.fitted_on == witness(train).digest


def test_lists_keep_the_width_that_train_has_in_every_fold() -> None:
    rows = toy().with_columns(vector=pl.when(pl.col("fold") == 0).then(pl.lit([1.0, 2.0, 3.0])))
    assert fit(rows, "score", Task("all", ("number", "vector"), lambda chosen: Remembers())).widths == {"vector": 3}


@pytest.mark.parametrize("folds", [0, 1])
def test_a_target_that_stands_in_too_few_folds_is_refused(folds: int) -> None:
    rows = toy().with_columns(score=pl.when(pl.col("fold") < folds).then("score"))
    with pytest.raises(Refusal, match=f"score is known in {folds} fold"):
        run(rows)


@pytest.mark.parametrize(
    ("family", "name"),
    [(family, name) for family in ("mean", "linear", "column") for name in KINDS if KINDS[name].kind in FAMILIES[family].kinds],
)
def test_a_fold_that_holds_synthetic_rows_alone_is_fitted_on_and_not_predicted(family: str, name: str) -> None:
    options = {"column": "number"} if family == "column" else {}
    rows = toy().filter((pl.col("fold") != 2) | pl.col("synthetic"))
    found = fit(rows, name, Task("all", ("number",), lambda chosen: build(family, name, KINDS[name], options)))
    assert sorted(found.predictions["fold"].unique()) == [0, 1, 3]


def test_targets_as_learners_take_them() -> None:
    assert target_values(pl.Series([1, 2]), SCALAR).tolist() == [1.0, 2.0]
    assert target_values(pl.Series(["z", "x"]), CLASSES).tolist() == [2, 0]
    vectors = pl.Series([[1.0, 2.0], [3.0, 4.0]])
    for kind in (pl.List(pl.Float32), pl.Array(pl.Float32, 2)):
        assert target_values(vectors.cast(kind), VECTOR).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_outputs_as_columns() -> None:
    shares = np.array([[0.1, 0.9], [0.5, 0.5]])
    told = {"mean": np.array([1.0, 2.0]), "vector": np.array([[1.0, 2.0], [3.0, 4.0]]), "probabilities": shares}
    mean, vector, classes = output_columns(told)
    assert (mean.name, mean.dtype, mean.to_list()) == ("mean", pl.Float64, [1.0, 2.0])
    assert (vector.name, vector.dtype, vector.to_list()) == ("vector", pl.List(pl.Float32), [[1.0, 2.0], [3.0, 4.0]])
    assert (classes.dtype, classes.to_list()) == (pl.List(pl.Float64), shares.tolist())
    none = output_columns({name: values[:0] for name, values in told.items()})
    assert [column.dtype for column in none] == [mean.dtype, vector.dtype, classes.dtype]


@pytest.mark.parametrize("lists", [[[1.0, 2.0, 3.0], [4.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
def test_vectors_of_another_dimension_are_never_reshaped(lists: list[list[float]]) -> None:
    with pytest.raises(pl.exceptions.PolarsError, match="width"):
        target_values(pl.Series("image", lists), VECTOR)
