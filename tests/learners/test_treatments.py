"""Rows made inside a fit, against loops that are written out; and the evidence of what they were made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from test_out_of_fold_run import CLASSES, SCALAR, VECTOR, Remembers, toy

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.interactions import InteractionSpec
from watertight.core.treatment import Mismatched, Noisy, Oversampled, Smoothed, Step
from watertight.core.witness import evidence, made_evidence, table
from watertight.learners.cross_fit import CrossFit, Folds, Input, Task
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import feature_matrix
from watertight.learners.out_of_fold import out_of_fold
from watertight.learners.treatments.served import Served, served_as
from watertight.learners.treatments.treatment import Treatment, demand_steps_fit

EVERY = ("product", "difference", "cosine")
SERVED = Served(
    columns={"answer_id": ("answer__vector", "answer__words"), "metric_id": ("metric__vector",)},
    texts={"answer_id": ("answer_id", "answer")},
    interactions={"both": InteractionSpec(left="answer__vector", right="metric__vector", of=EVERY)},
)
COLUMNS = ("answer__words", "answer__vector", "metric__vector", "both__cosine", "both__product", "both__difference", "number")
MISMATCHED = Mismatched(step="mismatched", entity="answer_id", share=0.5, labels=(0, 0.3))
OTHER_METRIC = Mismatched(step="mismatched", entity="metric_id", share=0.25, labels=(0, 0.3))
NOISY = Noisy(step="noisy", entity="answer_id", share=0.4, scale=0.5, labels=(0, 0.1))


def unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def rows(seed: int = 0, count: int = 80) -> pl.DataFrame:
    """The toy table with an answer of its own per row, one of five metrics, and what both have to do with each other."""
    chance = np.random.default_rng(seed)
    found = toy(seed, count)
    answers, metrics = unit(chance.normal(size=(found.height, 3))), unit(chance.normal(size=(5, 3)))
    of = chance.integers(0, 5, found.height)
    told = metrics[of]
    answers[3] = np.nan
    vectors = {
        "answer__vector": [None if np.isnan(row).any() else row.tolist() for row in answers],
        "metric__vector": told.tolist(),
        "both__product": (answers * told).tolist(),
        "both__difference": np.abs(answers - told).tolist(),
    }
    return found.with_columns(
        answer_id=pl.concat_str(pl.lit("answer "), "row_id"),
        metric_id=pl.Series([f"metric {place}" for place in of]),
        answer=pl.concat_str(pl.lit("text of "), "row_id"),
        asked=pl.concat_str(pl.lit("question of "), "group_id"),
        answer__words=pl.Series(chance.integers(1, 99, found.height)).cast(pl.Float32),
        both__cosine=pl.Series((answers * told).sum(axis=1)).cast(pl.Float32).fill_nan(None),
        **{name: pl.Series(lists, dtype=pl.List(pl.Float32)) for name, lists in vectors.items()},
    )


def treated(
    found: pl.DataFrame, *steps: Step, seed: int = 0, served: Served = SERVED, columns: tuple[str, ...] = COLUMNS
) -> tuple[Any, pl.DataFrame]:
    wide = {name: 3 for name in COLUMNS if name.endswith(("vector", "product", "difference"))}
    x = feature_matrix(found, columns, wide, ("answer", "asked"))
    y, weight = found["score"].to_numpy(), found["weight"].to_numpy()
    return Treatment(steps, served).of(found, x, y, weight, seed)


def known(seed: int = 0) -> pl.DataFrame:
    return rows(seed).filter((pl.col("split") == "train") & pl.col("score").is_not_null())


def by_hand(found: pl.DataFrame, line: dict[str, Any], entity: str) -> dict[str, np.ndarray]:
    """The features that a mismatched row has, number by number."""
    own, other = (found.row(by_predicate=pl.col("row_id") == line[name], named=True) for name in ("parent_id", "partner_id"))
    answer, metric = (other, own) if entity == "answer_id" else (own, other)
    a = np.array(answer["answer__vector"] or [np.nan] * 3, dtype=np.float32)
    b = np.array(metric["metric__vector"], dtype=np.float32)
    cosine = sum(float(p) * float(q) for p, q in zip(a, b, strict=True)) / math.sqrt(
        sum(float(p) ** 2 for p in a) * sum(float(q) ** 2 for q in b)
    )
    return {
        "answer__words": np.float32([answer["answer__words"]]),
        "answer__vector": a,
        "metric__vector": b,
        "both__cosine": np.float32([cosine]),
        "both__product": a * b,
        "both__difference": np.abs(a - b),
        "number": np.float32([own["number"]]),
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("step", [MISMATCHED, OTHER_METRIC], ids=["answer", "metric"])
def test_a_mismatched_row_has_all_of_its_partners_entity_and_the_rest_of_its_parent(step: Mismatched, seed: int) -> None:
    found = known(seed)
    given, made = treated(found, step)
    real = found.filter(~pl.col("synthetic"))
    assert made.height == round(step.share * real.height)
    assert len(given.y) == found.height + made.height
    names = [name.split("[")[0] for name in given.x.names]
    for place, line in enumerate(made.iter_rows(named=True), start=found.height):
        for column, wanted in by_hand(found, line, step.entity).items():
            mine = given.x.values[place, [at for at, name in enumerate(names) if name == column]]
            np.testing.assert_allclose(mine, wanted, rtol=1e-6, err_msg=column)
        own, other = (found.row(by_predicate=pl.col("row_id") == line[name], named=True) for name in ("parent_id", "partner_id"))
        assert own["group_id"] != other["group_id"] and own[step.entity] != other[step.entity]
        assert not own["synthetic"] and not other["synthetic"]
        assert step.labels[0] <= given.y[place] == line["label"] <= step.labels[1]
        assert given.weight[place] == own["weight"]
        assert given.x.texts["asked"][place] == own["asked"]
        assert given.x.texts["answer"][place] == (other if step.entity == "answer_id" else own)["answer"]


def test_a_row_that_takes_a_part_of_another_is_mixed_of_both_and_so_is_its_label() -> None:
    found = known()
    whole, made = treated(found, MISMATCHED)
    part, same = treated(found, MISMATCHED.model_copy(update={"taken": (0.25, 0.75)}))
    assert made["parent_id"].equals(same["parent_id"]) and made["partner_id"].equals(same["partner_id"])
    names = np.array([name.split("[")[0] for name in part.x.names])
    score = dict(found.select("row_id", "score").iter_rows())
    shares = []
    for place, line in enumerate(same.iter_rows(named=True), start=found.height):
        own, other = part.x.values[found["row_id"].index_of(line["parent_id"])], whole.x.values[place]
        at = int(np.flatnonzero(names == "answer__words")[0])
        if own[at] == other[at]:
            continue
        share = (part.x.values[place, at] - own[at]) / (other[at] - own[at])
        shares.append(share)
        vector, metric = names == "answer__vector", names == "metric__vector"
        mixed = (1 - share) * own[vector] + share * other[vector]
        np.testing.assert_allclose(part.x.values[place, vector], mixed, atol=1e-5)
        np.testing.assert_allclose(part.x.values[place, names == "both__product"], mixed * own[metric], atol=1e-5)
        mine = score[line["parent_id"]]
        assert (1 - share) * mine - 1e-4 <= part.y[place] <= (1 - share) * mine + share * 0.3 + 1e-4
    assert min(shares) >= 0.25 - 1e-5 and max(shares) <= 0.75 + 1e-5 and len(shares) > 10


def test_the_given_rows_are_as_they_were_and_the_seed_decides_the_rest() -> None:
    found = known()
    given, made = treated(found, MISMATCHED, NOISY)
    again, same = treated(found, MISMATCHED, NOISY)
    _, other = treated(found, MISMATCHED, NOISY, seed=1)
    plain, _ = treated(found)
    assert made.equals(same) and np.array_equal(given.x.values, again.x.values, equal_nan=True)
    assert not made.equals(other)
    assert np.array_equal(given.x.values[: found.height], plain.x.values, equal_nan=True)
    assert np.array_equal(given.y[: found.height], found["score"].to_numpy())


def test_an_inner_split_parts_no_row_from_what_it_was_made_of() -> None:
    found = known()
    given, made = treated(found, MISMATCHED, OTHER_METRIC)
    names = [*found["row_id"], *made["row_id"]]
    of = {row: {row} for row in found["row_id"]} | {
        line["row_id"]: {line["parent_id"], line["partner_id"]} for line in made.to_dicts()
    }
    groups = dict(zip(found["row_id"], found["group_id"], strict=True))
    folds = list(inner_folds(given.x, 5))
    assert len(folds) > 1
    for fitted, held in folds:
        near, far = ({groups[root] for place in part for root in of[names[place]]} for part in (fitted, held))
        assert not near & far


def test_noise_turns_the_vectors_of_the_entity_and_keeps_their_length() -> None:
    found = known()
    given, made = treated(found, NOISY)
    names = np.array([name.split("[")[0] for name in given.x.names])
    assert made["partner_id"].null_count() == made.height == round(0.4 * found.filter(~pl.col("synthetic")).height)
    for place, line in enumerate(made.iter_rows(named=True), start=found.height):
        own = found["row_id"].index_of(line["parent_id"])
        before, after = given.x.values[own], given.x.values[place]
        a, b = after[names == "answer__vector"], after[names == "metric__vector"]
        was = before[names == "answer__vector"]
        if np.isnan(was).any():
            assert np.isnan(a).all()
            continue
        assert not np.allclose(a, was) and np.linalg.norm(a) == pytest.approx(np.linalg.norm(was), rel=1e-5)
        assert np.array_equal(b, before[names == "metric__vector"])
        np.testing.assert_allclose(after[names == "both__product"], a * b, rtol=1e-6)
        assert after[names == "answer__words"] == before[names == "answer__words"]


def test_an_interaction_is_made_again_for_a_cell_that_does_not_read_its_vectors() -> None:
    found = known()
    every = [treated(found, step)[0] for step in (MISMATCHED, NOISY)]
    some = [treated(found, step, columns=("both__cosine", "number"))[0] for step in (MISMATCHED, NOISY)]
    for whole, part in zip(every, some, strict=True):
        assert np.array_equal(part.x.column("both__cosine"), whole.x.column("both__cosine"), equal_nan=True)


def test_rare_labels_are_repeated_until_their_bin_is_full_enough() -> None:
    found = known().with_columns(score=pl.when(pl.int_range(pl.len()) % 10 == 0).then(0.0).otherwise(1.0))
    given, made = treated(found, Oversampled(step="oversampled", bins=4, to=0.5, most=50))
    rare = int((found["score"] == 0).sum())
    wanted = math.ceil(0.5 * (found.height - rare))
    assert int((given.y == 0).sum()) == wanted and made.height == wanted - rare
    times = np.unique(made["parent_id"].to_numpy(), return_counts=True)[1]
    assert times.max() - times.min() <= 1 or found["parent_id"].is_not_null().any()
    most, _ = treated(found, Oversampled(step="oversampled", bins=4, to=1.0, most=2))
    assert int((most.y == 0).sum()) == 3 * rare


def test_weights_are_the_inverse_of_the_smoothed_density_of_labels() -> None:
    found = known()
    given, made = treated(found, Smoothed(step="smoothed", bins=4, width=1.0))
    y, weight = found["score"].to_numpy(), found["weight"].to_numpy()
    edges = np.linspace(y.min(), y.max(), 5)
    place = [min(int((label - edges[0]) / (edges[-1] - edges[0]) * 4), 3) for label in y]
    mass = [sum(weight[row] for row in range(len(y)) if place[row] == each) for each in range(4)]
    kernel = [math.exp(-0.5 * offset**2) for offset in range(-4, 5)]
    density = [
        sum(mass[each + offset] * kernel[offset + 4] for offset in range(-4, 5) if 0 <= each + offset < 4) / sum(kernel)
        for each in range(4)
    ]
    raw = np.array([weight[row] / density[place[row]] for row in range(len(y))])
    np.testing.assert_allclose(given.weight, raw * weight.sum() / raw.sum(), rtol=1e-3)
    assert made.is_empty()


def test_what_cannot_be_made_is_refused_with_the_reason() -> None:
    found = known()
    with pytest.raises(Misuse, match="no view is keyed by 'answr_id'; did you mean 'answer_id'"):
        treated(found.with_columns(answr_id="row_id"), MISMATCHED.model_copy(update={"entity": "answr_id"}))
    with pytest.raises(Misuse, match="rows cannot be made for a cell that reads answer"):
        treated(found, MISMATCHED, served=Served(SERVED.columns, SERVED.texts, SERVED.interactions, ("answer",)))
    with pytest.raises(Refusal, match="no row can be made by exchanging 'metric_id'"):
        treated(found.with_columns(metric_id=pl.lit("one")), OTHER_METRIC)
    with pytest.raises(Refusal, match="the training rows are of 1 group"):
        treated(found.with_columns(group_id=pl.lit("one")), MISMATCHED)
    with pytest.raises(Misuse, match="the cell reads no vector of 'answer_id'"):
        treated(found, NOISY, columns=("answer__words", "number"))
    with pytest.raises(Misuse, match="the cell reads nothing of 'metric_id'"):
        treated(found, OTHER_METRIC, columns=("answer__words", "number"))
    everything = Served({"answer_id": COLUMNS}, {"answer_id": ("answer", "asked")})
    with pytest.raises(Misuse, match="the cell reads nothing but 'answer_id'"):
        treated(found, MISMATCHED, served=everything)


@pytest.mark.parametrize(
    ("step", "target", "told"),
    [
        (MISMATCHED, CLASSES, "step 'mismatched' is not for 'y', a class"),
        (Smoothed(step="smoothed"), VECTOR, "step 'smoothed' is not for 'y', a vector"),
        (NOISY.model_copy(update={"labels": (-1, 0)}), SCALAR, "makes labels of \\[-1, 0\\]"),
    ],
)
def test_a_step_must_fit_its_target(step: Step, target: Target, told: str) -> None:
    with pytest.raises(Misuse, match=told):
        demand_steps_fit([step], "y", target)
    demand_steps_fit([Oversampled(step="oversampled"), Smoothed(step="smoothed")], "y", CLASSES)


def test_the_signature_says_what_the_joined_columns_are_of() -> None:
    spec = {"kernel": "embedding", "derived_from": "content", "join_key": "text_id", "texts": {"a_id": "a", "b_id": "b"}}
    both = {**spec, "join_key": "pair_id", "texts": {"pair_id": ["a", "b"]}}
    signature = {
        "views": {"w_text": spec, "w_pair": both},
        "serves": {
            "a": {"view": "w_text", "features": ["vector", "source_at"], "keys": {"text_id": "a_id"}},
            "w_pair": {"view": "w_pair", "features": ["vector"], "keys": {}},
            "w_now": {"view": "w_now", "features": ["gap"], "keys": {}},
            "w_both": {"view": "w_both", "features": ["cosine"], "keys": {}},
        },
        "interactions": {"w_both": {"left": "a__vector", "right": "w_pair__vector", "of": ["cosine"]}},
    }
    found = served_as(signature)
    assert found.columns == {"a_id": ("a__vector", "a__source_at"), "pair_id": ("w_pair__vector",)}
    assert found.texts == {"a_id": ("a_id", "a"), "b_id": ("b_id", "b"), "pair_id": ("pair_id",)}
    assert found.opaque == ("w_now",) and found.bases == ("a__vector", "w_pair__vector")


def grid(found: pl.DataFrame, kind: type[CrossFit] = CrossFit) -> CrossFit:
    steps = (MISMATCHED, NOISY, Oversampled(step="oversampled", bins=3, to=1.0, most=3))
    tasks = [
        Task("made", COLUMNS, lambda chosen: Forgiving(), treatment=Treatment(steps, SERVED)),
        Task("top", ("number",), lambda chosen: Remembers(), over=("made",)),
    ]
    return kind(found, "score", SCALAR, tasks, 0)


class Forgiving(Remembers):
    """Remembers the numbers of its rows; made rows bear their parent's."""


def judged(models: CrossFit, cell: str, found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    fit = out_of_fold(models, cell)
    named = {"target": pl.lit("score"), "cell": pl.lit(cell), "seed": pl.lit(0)}
    predictions, made = fit.predictions.with_columns(**named), fit.made.with_columns(**named)
    roles = found.with_columns(assigned_fold="fold")
    return evidence(predictions, roles, table(fit.witnesses)), made_evidence(made, predictions, roles, table(fit.witnesses))


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_made_of_the_rows_of_the_fit_alone_and_real_rows_are_predicted(seed: int) -> None:
    found = rows(seed)
    models = grid(found)
    said, made = judged(models, "made", found)
    assert said.select("own_fits", "group_fits", "strange_fits").sum().row(0) == (0, 0, 0)
    assert said["witnessed"].all() and said["refitted"].max() == 1
    assert made["of_fitted"].all() and not made["of_held_out"].any()
    assert made["fitted_on"].n_unique() == len([fit for fit in models.fits() if fit[0] == "made"])
    real = found.filter((pl.col("split") == "train") & pl.col("score").is_not_null() & ~pl.col("synthetic"))
    assert sorted(said["row_id"]) == sorted(real["row_id"])
    learner: Any = models.model("made", frozenset([0])).learner
    assert not set(learner.rows) & set(found.filter(pl.col("fold") == 0)["number"].cast(pl.Int64))


class Careless(CrossFit):
    """Makes rows of every row of train, those of the fold that is left out too."""

    def _fit(self, task: Task, left_out: Folds) -> Any:
        if not task.treatment.steps:
            return super()._fit(task, left_out)
        return type(super()._fit(task, left_out))(
            super()._fit(task, left_out).learner,
            ("number",),
            super()._fit(task, left_out).witness,
            made=super()._fit(task, frozenset()).made,
        )


def test_a_row_made_of_the_fold_that_is_predicted_is_named() -> None:
    found = rows()
    models = grid(found, Careless)
    _, made = judged(models, "made", found)
    folds = dict(zip(found["row_id"], found["fold"], strict=True))
    witnesses = {models.model("made", left).witness.digest: left for cell, left in models.fits() if cell == "made"}
    for line in made.iter_rows(named=True):
        near = {folds[line[name]] for name in ("parent_id", "partner_id") if line[name]}
        left_out = witnesses[line["fitted_on"]]
        assert line["of_fitted"] == (not near & left_out)
        assert line["of_held_out"] == (len(left_out) == 1 and bool(near & left_out))
    assert not made["of_fitted"].all() and made["of_held_out"].any()


def test_what_stands_over_a_treated_cell_is_fitted_on_the_real_rows_as_they_are() -> None:
    found = rows()
    models = grid(found)
    learner: Any = models.model("top").learner
    real = found.filter((pl.col("split") == "train") & pl.col("score").is_not_null() & ~pl.col("synthetic"))
    assert sorted(learner.rows) == sorted(real["number"].cast(pl.Int64))
    assert all(isinstance(read, Input) for read in models.model("top").inputs)
