"""Rows left out of a fit: as a loop written out leaves them, by scores of models that never saw them, inside the fit alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from test_out_of_fold_run import KINDS, Remembers, toy

from watertight.core.contract import Target
from watertight.core.declare import parse
from watertight.core.errors import Misuse, Refusal
from watertight.core.treatment import Filtered, Oversampled
from watertight.core.witness import witness
from watertight.learners.catalogue import build
from watertight.learners.cross_fit import CrossFit, Task
from watertight.learners.matrix import Matrix
from watertight.learners.treatments import filtered
from watertight.learners.treatments.filtered import kept_places
from watertight.learners.treatments.treatment import Treatment, demand_steps_fit

VECTOR = Target(kind="vector", dimension=6)


def step(**given: Any) -> Filtered:
    return Filtered(step="filtered", **given)


def pairs(images: int = 40, captions: int = 4, wrong: int = 5) -> tuple[pl.DataFrame, Matrix, np.ndarray]:
    """Captions of images, a linear map of the image's vector and noise; every ``wrong``-th has another image's vector."""
    chance = np.random.default_rng(2)
    image = np.repeat(np.arange(images), captions)
    truth = chance.normal(size=(images, 6))
    x = (truth @ chance.normal(size=(6, 8)))[image] + 0.1 * chance.normal(size=(len(image), 8))
    lost = np.arange(len(image)) % wrong == 0
    y = np.where(lost[:, None], truth[(image + 7) % images], truth[image])
    groups = np.array([f"i{number:02}" for number in image])
    rows = pl.DataFrame({"row_id": [f"r{n:03}" for n in range(len(image))], "group_id": groups, "wrong": lost})
    rows = rows.with_columns(similarity=pl.Series(np.round(chance.uniform(size=len(image)), 1)))
    return rows, Matrix(x.astype(np.float32), tuple("abcdefgh"), groups=groups), y


def left(*steps: Filtered, rows: pl.DataFrame | None = None) -> pl.Series:
    known, x, y = pairs()
    known = known if rows is None else rows
    return known.filter(kept_places(steps, known, x, y, np.ones(len(y)), "image", VECTOR))["row_id"]


def by_hand(rows: list[dict[str, Any]], most: int | None, drop: float | None) -> list[str]:
    best = sorted(rows, key=lambda row: (-row["similarity"], row["row_id"]))
    if drop is not None:
        return [row["row_id"] for row in best[: len(rows) - int(round(drop * len(rows), 9))]]
    taken: dict[str, list[str]] = {}
    for row in best:
        taken.setdefault(row["group_id"], []).append(row["row_id"])
    return [row for group in taken.values() for row in group[:most]]


@pytest.mark.parametrize(("most", "drop"), [(1, None), (3, None), (99, None), (None, 0.1), (None, 0.29), (None, 0.99)])
def test_the_strongest_stay_as_in_a_loop(most: int | None, drop: float | None) -> None:
    rows = pairs()[0].sample(fraction=1, shuffle=True, seed=1)
    found = left(step(by="similarity", most=most, drop=drop), rows=rows)
    assert sorted(found) == sorted(by_hand(rows.to_dicts(), most, drop))
    assert found.to_list() == [row for row in rows["row_id"] if row in set(found)], "in the order in which they were"


def test_filters_stand_behind_one_another() -> None:
    rows = pairs()[0]
    first = rows.filter(pl.col("row_id").is_in(by_hand(rows.to_dicts(), None, 0.3)))
    found = left(step(by="similarity", drop=0.3), step(by="similarity", most=1))
    assert sorted(found) == sorted(by_hand(first.to_dicts(), 1, None))


@pytest.mark.parametrize(("family", "most"), [("linear", 1), ("procrustes", 2), ("knn", 8)])
def test_wrong_pairs_are_found_by_models_that_never_saw_them(family: str, most: int) -> None:
    rows, _, _ = pairs()
    found = rows.filter(pl.col("row_id").is_in(left(step(family=family, drop=0.2)).to_list()))
    assert rows["wrong"].sum() == 32
    assert found["wrong"].sum() <= most


def test_a_scorer_that_saw_its_own_pairs_would_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that remembers holds each pair of its own for perfect: planted, no wrong pair is told from a right one."""
    remembers = step(family="knn", options={"k": 1}, drop=0.2)
    honest = {row for row in left(remembers) if int(row[1:]) % 5 == 0}

    def in_sample(x: Matrix, most: int) -> Iterator[Any]:
        every = np.arange(len(x.values))
        yield every, every

    monkeypatch.setattr(filtered, "inner_folds", in_sample)
    planted = {row for row in left(remembers) if int(row[1:]) % 5 == 0}
    assert len(honest) <= 16, "of 32"
    assert len(planted) >= 24, "as many as chance leaves, of which a fifth goes"


def test_a_pair_is_never_scored_by_a_model_that_saw_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[str], set[str]]] = []

    class Spy(Remembers):
        def fit(self, x: Matrix, y: Any, weight: Any, *, seed: int) -> Any:
            self.groups, self.width = set(x.groups), y.shape[1]
            return self

        def predict(self, x: Matrix) -> Any:
            seen.append((self.groups, set(x.groups)))
            return {"vector": np.ones((len(x.values), self.width))}

    monkeypatch.setattr(filtered, "build", lambda *given: Spy())
    left(step(family="spy", most=1))
    assert len(seen) == filtered.FOLDS and set.union(*(held for _, held in seen)) == set(pairs()[0]["group_id"])
    assert all(not fitted & held for fitted, held in seen)


def scores(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(similarity=pl.col("row_id").hash(4) % 11)


def cells(rows: pl.DataFrame, *steps: Filtered, name: str = "score") -> tuple[CrossFit, list[Remembers]]:
    made: list[Remembers] = []

    def remembering(chosen: Any) -> Any:
        made.append(Remembers())
        return made[-1]

    tasks = [Task(cell, ("number",), remembering, treatment=Treatment(steps), seed=place) for place, cell in enumerate("ab")]
    return CrossFit(rows, name, KINDS[name], tasks, 0), made


@pytest.mark.parametrize("given", [{"by": "similarity"}, {"family": "linear"}])
def test_held_out_rows_decide_nothing(given: dict[str, Any]) -> None:
    rows, fold = scores(toy()), 2
    held = pl.col("fold") == fold
    changed = rows.with_columns(
        similarity=pl.when(held).then(100 - pl.col("similarity").cast(pl.Int64)).otherwise(pl.col("similarity").cast(pl.Int64)),
        score=pl.when(held & pl.col("score").is_not_null()).then(1 - pl.col("score")).otherwise("score"),
    )
    fits = [cells(table, step(**given, drop=0.3))[0].model("a", frozenset([fold])) for table in (rows, changed)]
    assert fits[0].learner.rows == fits[1].learner.rows and fits[0].kept.digest == fits[1].kept.digest
    whole = [cells(table, step(**given, drop=0.3))[0].model("a") for table in (rows, changed)]
    assert whole[0].kept.digest != whole[1].kept.digest, "the final model is fitted on them, and they count"


def test_the_witness_keeps_every_row_and_kept_tells_which_were_fitted_on() -> None:
    rows = scores(toy())
    fitted = cells(rows, step(by="similarity", most=2))[0].model("a")
    train = rows.filter((pl.col("split") == "train") & pl.col("score").is_not_null())
    assert fitted.witness.digest == witness(train).digest, "what scored them saw them"
    numbers = dict(train.select("row_id", "number").iter_rows())
    assert [int(numbers[row]) for row in fitted.kept.row_ids] == fitted.learner.rows
    assert (fitted.kept.of, max(train["group_id"].value_counts()["count"])) == (train.height, 12)
    assert train.filter(pl.col("row_id").is_in(fitted.kept.row_ids.to_list()))["group_id"].value_counts()["count"].max() == 2


def test_rows_are_scored_once_for_all_cells_that_filter_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    honest = filtered.kept_places
    monkeypatch.setattr("watertight.learners.cross_fit.kept_places", lambda *given: asked.append(given) or honest(*given))
    models, made = cells(scores(toy()), step(family="linear", most=2))
    for cell, folds in models.fits():
        models.model(cell, folds)
    assert len(asked) == 1 + 4 and len(made) == 2 * (1 + 4)
    assert models.model("a").kept.digest == models.model("b").kept.digest


@pytest.mark.parametrize("lost", [None, float("nan"), float("inf")])
def test_rows_without_a_score_are_refused_by_name(lost: float | None) -> None:
    rows = pairs()[0].with_columns(
        similarity=pl.when(pl.col("row_id").is_in(["r003", "r017"])).then(pl.lit(lost, dtype=pl.Float64)).otherwise("similarity")
    )
    with pytest.raises(Refusal, match="column 'similarity' gives no score") as caught:
        left(step(by="similarity", most=1), rows=rows)
    assert set(caught.value.rows) == {"r003", "r017"}


def test_filters_that_leave_nothing_that_counts_are_refused() -> None:
    rows, x, y = pairs()
    weight = np.where(rows["similarity"].to_numpy() < 0.5, 1.0, 0.0)
    with pytest.raises(Refusal, match="no row of image with a weight above 0 is left"):
        kept_places([step(by="similarity", drop=0.9)], rows, x, y, weight, "image", VECTOR)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"by": "similarity", "drop": 1.0}, "less than 1"),
        ({"by": "similarity", "drop": 0}, "greater than 0"),
        ({"by": "similarity", "most": 0}, "greater than or equal to 1"),
        ({"by": "similarity"}, "one of `most`"),
        ({"by": "similarity", "most": 1, "drop": 0.1}, "one of `most`"),
        ({"most": 1}, "one of `by`"),
        ({"by": "similarity", "family": "linear", "most": 1}, "one of `by`"),
        ({"by": "similarity", "options": {"k": 1}, "most": 1}, "options are those of `family`"),
    ],
)
def test_a_filter_has_one_scorer_and_one_rule(given: dict[str, Any], told: str) -> None:
    with pytest.raises(Misuse, match=told):
        parse(Filtered, {"step": "filtered", **given}, "the step")


def test_steps_that_cannot_be_are_misuse() -> None:
    rare = Oversampled(step="oversampled")
    strong = step(family="linear", most=2)
    for name, target in KINDS.items():
        demand_steps_fit([step(by="similarity", most=2)], name, target)
    demand_steps_fit([strong], "image", KINDS["image"])
    with pytest.raises(Misuse, match="stands behind others"):
        demand_steps_fit([rare, strong], "score", KINDS["score"])
    with pytest.raises(Misuse, match="no model scores the rows of 'verdict', a class"):
        demand_steps_fit([strong], "verdict", KINDS["verdict"])
    with pytest.raises(Misuse, match="no family is called 'linaer'; did you mean 'linear'"):
        demand_steps_fit([step(family="linaer", most=2)], "image", KINDS["image"])
    with pytest.raises(Misuse, match="did you mean 'strength'"):
        demand_steps_fit([step(family="linear", options={"strenght": 2}, most=2)], "image", KINDS["image"])


def test_rows_are_made_of_those_that_were_left() -> None:
    rows = scores(toy())
    steps = (step(by="similarity", most=2), Oversampled(step="oversampled", bins=3, to=1.0))
    task = Task("a", ("number",), lambda chosen: build("linear", "score", KINDS["score"], {}), treatment=Treatment(steps))
    fitted = CrossFit(rows, "score", KINDS["score"], [task], 0).model("a")
    roots = set(
        rows.filter(pl.col("row_id").is_in(fitted.kept.row_ids.to_list())).select(pl.coalesce("parent_id", "row_id")).to_series()
    )
    assert fitted.made.height and set(fitted.made["parent_id"]) <= roots
