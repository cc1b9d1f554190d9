"""Ensembles by forward selection: against a search that is written out, on predictions that nobody saw, saved and served."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.ranks import directions, gallery, ranks
from watertight.core.witness import evidence, input_evidence, table, witness
from watertight.inference.answers import answers, fitted, mean_of_seeds
from watertight.learners import selected
from watertight.learners.catalogue import build
from watertight.learners.cross_fit import CrossFit, Folds, Input, Task
from watertight.learners.matrix import Matrix, feature_matrix
from watertight.learners.out_of_fold import out_of_fold
from watertight.learners.selected import Selected, SelectedOptions
from watertight.registry.bundle import Model

VECTOR = Target(kind="vector", dimension=5)


def asked(noise: tuple[float, ...], rows: int = 120, seed: int = 0) -> tuple[Matrix, np.ndarray, np.ndarray]:
    """Members that see the truth through noise of their own, three rows an image; predictions are of any length."""
    chance = np.random.default_rng(seed)
    y = np.repeat(chance.normal(size=(rows // 3, 5)), 3, axis=0)
    told = [(y + scale * chance.normal(size=y.shape)) * chance.uniform(0.1, 9, size=(rows, 1)) for scale in noise]
    names = tuple(f"cell__m{place}[{part}]" for place in range(len(noise)) for part in range(5))
    return Matrix(np.hstack(told).astype(np.float32), names), y, chance.uniform(0.5, 2, size=rows)


def by_hand(x: Matrix, y: np.ndarray, weight: np.ndarray, rounds: int) -> dict[str, int]:
    """Every ensemble is predicted anew, and ranked, each fold for itself."""
    members = list(dict.fromkeys(name.partition("[")[0] for name in x.members))
    unit = {name: directions(x.block(name).astype(np.float64)).astype(np.float64) for name in members}
    folds = np.zeros(len(y)) if x.folds is None else x.folds

    def mrr(names: list[str]) -> float:
        told, rank = sum(unit[name] for name in names), np.empty(len(y))
        for mine in (folds == fold for fold in np.unique(folds)):
            rank[mine] = ranks(told[mine], gallery(y[mine]))
        return float(np.average(1 / rank, weights=weight))

    chosen: list[str] = []
    while len(chosen) < rounds:
        best = max(members, key=lambda name: mrr([*chosen, name]))
        if chosen and mrr([*chosen, best]) <= mrr(chosen) + 1e-9:
            break
        chosen.append(best)
    return {name.removeprefix("cell__"): chosen.count(name) for name in dict.fromkeys(chosen)}


def fit(x: Matrix, y: np.ndarray, weight: np.ndarray, **options: Any) -> Selected:
    return Selected(SelectedOptions(**options)).fit(x, y, weight, seed=0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rounds", [1, 3, 25])
def test_members_are_chosen_as_in_a_search_written_out(seed: int, rounds: int) -> None:
    given = asked((1.2, 0.9, 1.0, 1.1, 3.0, 0.95), seed=seed)
    found = fit(*given, rounds=rounds)
    assert found.counts == by_hand(*given, rounds)
    assert sum(found.counts.values()) <= rounds
    told = found.predict(given[0])["vector"]
    assert found.mrr == pytest.approx(np.average(1 / ranks(told, gallery(given[1])), weights=given[2]), abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_out_of_fold_the_rivals_are_those_of_the_fold(seed: int) -> None:
    x, y, weight = asked((1.2, 0.9, 1.0, 1.1, 0.95), seed=seed)
    x = replace(x, folds=np.arange(len(y)) // 3 % 4)
    assert fit(x, y, weight).counts == by_hand(x, y, weight, 25)


def test_a_member_that_is_drawn_to_what_it_was_fitted_on_is_not_punished_for_it() -> None:
    """`m0` sees the truth better; but in its way lies a vector of another fold, where its model was fitted on it."""
    x, y, weight = asked((0.3, 1.1))
    folds = np.arange(len(y)) // 3 % 4
    values = x.values.copy()
    other = y[(np.arange(len(y)) + 3) % len(y)]
    values[:, :5] = y + 1.2 * other
    x = replace(x, values=values)
    pooled, apart = (fit(given, y, weight, rounds=1).counts for given in (x, replace(x, folds=folds)))
    assert list(pooled) == ["m1"], "planted: all vectors are rivals"
    assert list(apart) == ["m0"]


def test_several_are_better_than_the_best_and_noise_is_left_out() -> None:
    x, y, weight = asked((0.9, 0.9, 0.9, 0.9, 50.0), rows=600)
    found = fit(x, y, weight)
    assert len(found.counts) >= 3 and "m4" not in found.counts
    later, truth, _ = asked((0.9, 0.9, 0.9, 0.9, 50.0), rows=600, seed=9)
    mrr = lambda vectors: float((1 / ranks(vectors, gallery(truth))).mean())  # noqa: E731
    assert mrr(found.predict(later)["vector"]) > max(mrr(later.block(f"cell__m{place}")) for place in range(5)) + 0.1


def test_one_member_that_none_improves_stays_alone() -> None:
    x, y, weight = asked((0.0, 9.0))
    assert fit(x, y, weight).counts == {"m0": 1}


def test_members_that_tell_nothing_apart_share_the_places_of_all() -> None:
    x, y, weight = asked((1.0, 1.0), rows=30)
    flat = Matrix(np.ones_like(x.values), x.names)
    found = fit(flat, np.repeat(np.eye(10)[:, :5] + np.eye(10)[:, 5:], 3, axis=0), weight)
    assert (found.counts, found.mrr) == ({"m0": 1}, pytest.approx(1 / 3)), "the third of five, all as near"
    assert by_hand(flat, y, weight, 25) == fit(flat, y, weight).counts


def test_a_prediction_is_the_mean_of_directions_by_counts_at_length_one() -> None:
    x, y, weight = asked((0.8, 0.9, 1.0))
    found = fit(x, y, weight)
    unit = {
        name: x.block(f"cell__{name}") / np.linalg.norm(x.block(f"cell__{name}"), axis=1, keepdims=True) for name in found.counts
    }
    mean = sum(count * unit[name] for name, count in found.counts.items())
    np.testing.assert_allclose(found.predict(x)["vector"], mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-6)


def test_rows_of_weight_zero_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, weight = asked((0.9, 1.0, 1.1))
    half = np.arange(len(y)) % 2 == 0
    assert fit(x, y, np.where(half, weight, 0)).mrr == fit(x.at(half), y[half], weight[half]).mrr
    monkeypatch.setattr(selected, "MOST_ROWS", 60)
    assert fit(x, y, weight).mrr == fit(x.at(half), y[half], weight[half]).mrr, "of too many rows every second"


def test_what_cannot_be_selected_from() -> None:
    x, y, weight = asked((0.9, 1.0))
    with pytest.raises(Misuse, match="nothing to select from"):
        fit(Matrix(x.values[:, :5], x.names[:5]), y, weight)
    values = x.values.copy()
    values[7, 6] = np.nan
    with pytest.raises(Refusal, match="predictions of 'm1' are not finite"):
        fit(Matrix(values, x.names), y, weight)


def rows(seed: int = 0, images: int = 60) -> pl.DataFrame:
    """Three captions an image; a last part of the images is held out for good."""
    chance = np.random.default_rng(seed)
    image = np.repeat(np.arange(images), 3)
    y = chance.normal(size=(images, 5))[image]
    a, b = (y + chance.normal(size=y.shape) for _ in range(2))
    test = image >= 48
    return pl.DataFrame(
        {
            "row_id": [f"r{place:03}" for place in range(len(image))],
            "parent_id": pl.Series([None] * len(image), dtype=pl.String),
            "group_id": [f"i{place:02}" for place in image],
            "synthetic": False,
            "weight": 1.0,
            "split": np.where(test, "test_groups", "train"),
            "fold": pl.Series(np.where(test, -1, image % 4)).replace(-1, None),
            "a": a.tolist(),
            "b": b.tolist(),
            "noise": chance.normal(size=y.shape).tolist(),
            "image": y.tolist(),
        }
    )


def grid(known: pl.DataFrame) -> CrossFit:
    ridge = lambda chosen: build("linear", "image", VECTOR, {"strength": 1.0})  # noqa: E731
    members = [Task(name, (name,), ridge, seed=place) for place, name in enumerate(("a", "b", "noise"))]
    top = Task("top", (), lambda chosen: build("selected", "image", VECTOR, {}), over=("a", "b", "noise"))
    return CrossFit(known, "image", VECTOR, [*members, top], 0)


def test_members_are_chosen_on_rows_that_none_saw_and_judged_on_rows_that_neither_saw() -> None:
    known = rows()
    models = grid(known)
    for cell, left_out in models.fits():
        models.settle(cell, left_out)
    fits = {cell: out_of_fold(models, cell) for cell in ("a", "b", "top")}
    named = {"target": pl.lit("image"), "cell": pl.lit("top"), "seed": pl.lit(0)}
    witnesses = table(fits["top"].witnesses)
    placed = known.with_columns(assigned_fold="fold")
    said = evidence(fits["top"].predictions.with_columns(**named), placed, witnesses)
    assert said.select("own_fits", "group_fits", "strange_fits").sum().row(0) == (0, 0, 0)
    read = input_evidence(fits["top"].inputs.with_columns(**named), known, witnesses)
    assert read.select("own_fits", "group_fits").sum().row(0) == (0, 0) and not read["strange"].any()
    truth = known.filter(split="train").select("row_id", truth="image")
    mrr = {}
    for cell, found in fits.items():
        both = found.predictions.join(truth, on="row_id")
        mrr[cell] = float((1 / ranks(np.array(both["vector"].to_list()), gallery(np.array(both["truth"].to_list())))).mean())
    assert mrr["top"] > max(mrr["a"], mrr["b"]) + 0.03
    assert set(fits["top"].final.counts) == {"a", "b"}
    with pytest.raises(RuntimeError, match="after it had been let go"):
        _ = models.model("a", frozenset([1])).answering


def test_members_asked_about_test_rows_give_themselves_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted mistake: what is chosen is chosen on the test set, and its witness is what the gate `inputs` refuses."""
    known = rows()
    honest = CrossFit._inputs
    test = known.filter(split="test_groups")

    def on_test(self: CrossFit, task: Task, left_out: Folds, kept: Any) -> Any:
        x, inputs = honest(self, task, left_out, kept)
        if not task.over:
            return x, inputs
        models = {member: self._fit(self.tasks[member], left_out) for member in task.over}
        told = {member: model.answering.predict(feature_matrix(test, (member,)))["vector"] for member, model in models.items()}
        truth = gallery(np.array(test["image"].to_list()))
        best = max(told, key=lambda member: (1 / ranks(told[member], truth)).mean())
        others = [not name.startswith(f"cell__{best}") for name in x.names]
        x.values[:, others] = 0
        return x, (*inputs, *(Input(member, model.witness, witness(test)) for member, model in models.items()))

    monkeypatch.setattr(CrossFit, "_inputs", on_test)
    fit = out_of_fold(grid(known), "top")
    named = {"target": pl.lit("image"), "cell": pl.lit("top"), "seed": pl.lit(0)}
    read = input_evidence(fit.inputs.with_columns(**named), known, table(fit.witnesses))
    assert set(read.filter("strange")["row_id"]) == set(test["row_id"])


def test_it_is_saved_and_served_without_the_members_that_were_not_chosen(tmp_path: Path) -> None:
    known = rows()
    models, places = grid(known), []
    top = models.model("top").learner
    for cell in ("a", "b", "top"):
        (tmp_path / cell).mkdir()
        found, task = out_of_fold(models, cell), models.tasks[cell]
        found.final.save(tmp_path / cell)
        over = tuple(top.counts) if cell == "top" else ()
        family = "selected" if cell == "top" else "linear"
        told = {"target": "image", "kind": "vector", "cell": cell, "seed": models.seed_of(cell), "family": family, "folder": cell}
        more = {"columns": task.columns, "over": over, "widths": found.widths, "fitted_on": found.fitted_on}
        places.append((Model(**told, **more), tmp_path / cell))
    assert [model.seed for model, _ in places] == [0, 1, 0]
    test = known.filter(split="test_groups")
    told = {model.cell: outputs["vector"] for model, outputs in answers(fitted(places), test)}
    unit = {name: directions(told[name]).astype(np.float64) for name in top.counts}
    mean = sum(count * unit[name] for name, count in top.counts.items())
    np.testing.assert_allclose(told["top"], mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-6)
    [column] = mean_of_seeds(fitted(places), "top", test)
    assert (column.name, column.dtype) == ("image_vector", pl.List(pl.Float32))
