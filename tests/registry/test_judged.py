"""What the gates of a promotion answer: a better candidate, equal and worse ones, slices, other rows, what is not judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.promotion.judged import judged
from watertight.core.contract import Target
from watertight.core.declare import parse
from watertight.core.errors import Refusal
from watertight.core.ranks import gallery, ranks
from watertight.core.workload import EvaluateParams, GatesParams, IntervalParams
from watertight.registry.records import GateResult

TARGETS = {"y": Target(kind="scalar", range=(-9, 9)), "kind": Target(kind="class", classes=("a", "b"))}
EVALUATE = EvaluateParams(slices={"language": (), "absent": ()}, intervals=IntervalParams(resamples=500))
BETTER = {"rmse": {"better_by": 0.0}}
GROUPS = 120


def rows() -> pl.DataFrame:
    """Of 120 groups of 5 rows in two test sets; the last 24 speak ``de``, 6 others ``fr``; 4 rows have no label."""
    chance, group = np.random.default_rng(0), np.repeat(np.arange(GROUPS), 5)
    language = np.where(group >= GROUPS - 24, "de", np.where(group < 6, "fr", "en"))
    return pl.DataFrame(
        {
            "row_id": [f"r{place:04d}" for place in range(len(group))],
            "group_id": [f"g{one:03d}" for one in group],
            "split": np.where(group % 2, "test_groups", "test_future"),
            "language": language,
            "y": chance.normal(size=len(group)),
            "kind": chance.choice(["a", "b"], len(group)),
        }
    ).with_columns(y=pl.when(pl.int_range(pl.len()) >= 4).then("y"))


def scores(error: float | pl.Expr, seed: int = 1) -> pl.DataFrame:
    """Predictions of ``y`` with errors of this size, in every row."""
    table = rows()
    noise = pl.Series(np.random.default_rng(seed).normal(size=table.height))
    size = pl.lit(error) if isinstance(error, float) else error
    told = table.with_columns(mean=pl.col("y").fill_null(0.0) + size * noise)
    return told.select("row_id", "mean", target=pl.lit("y"))


def answers(candidate: pl.DataFrame, champion: pl.DataFrame | None, gates: dict[str, Any], **measured: float) -> list[GateResult]:
    return judged(rows(), candidate, champion, TARGETS, EVALUATE, parse(GatesParams, gates, "gates"), measured)


def statuses(found: list[GateResult]) -> list[tuple[str, str, str, str]]:
    return [(one.gate, one.target, one.part, one.status) for one in found]


def test_a_better_candidate_passes_and_a_worse_or_an_equal_one_does_not() -> None:
    [told] = answers(scores(0.5), scores(0.8, seed=2), BETTER)
    assert (told.gate, told.target, told.status, told.paired, told.bound) == ("rmse", "y", "pass", True, 0.0)
    assert told.figure is not None
    assert told.low is not None
    assert told.high is not None
    assert told.low < told.figure < told.high < 0
    assert (told.rows, told.groups, len(told.row_set)) == (596, GROUPS, 16)
    assert "lower is better" in told.told
    for candidate in (scores(0.8, seed=2), scores(0.81, seed=3), scores(1.2)):
        [refused] = answers(candidate, scores(0.8, seed=2), BETTER)
        assert refused.status == "fail"
    [enough] = answers(scores(0.8, seed=2), scores(0.8, seed=2), {"rmse": {"better_by": -0.01}})
    assert enough.status == "pass", "no worse by a hundredth"
    [too_little] = answers(scores(0.5), scores(0.8, seed=2), {"rmse": {"better_by": 0.4}})
    assert too_little.status == "fail"


def test_better_is_in_the_direction_of_the_metric_and_confidence_counts() -> None:
    [told] = answers(scores(0.5), scores(0.8, seed=2), {"r": {"better_by": 0.0}})
    assert told.status == "pass"
    assert (told.low or 0) > 0
    close = (scores(0.74, seed=4), scores(0.8, seed=2))
    found = {level: answers(*close, {"rmse": {"better_by": 0.0, "confidence": level}})[0] for level in (0.8, 0.9999)}
    assert {level: one.status for level, one in found.items()} == {0.8: "pass", 0.9999: "fail"}
    assert (found[0.9999].high or 0) > 0 > (found[0.8].high or 0)


def test_a_figure_is_held_to_its_bounds_and_measures_to_theirs() -> None:
    gates = {
        "rmse": {"at_most": 0.6, "at_least": 0.1},
        "r": {"at_least": 0.99},
        "latency_ms": {"at_most": 50},
        "size_mb": {"at_most": 5},
    }
    found = answers(scores(0.5), None, gates, latency_ms=50.0, size_mb=5.1)
    assert [(one.gate, one.status, one.bound) for one in found] == [
        ("rmse", "pass", 0.6),
        ("rmse", "pass", 0.1),
        ("r", "fail", 0.99),
        ("latency_ms", "pass", 50.0),
        ("size_mb", "fail", 5.0),
    ]
    assert (found[0].low or 9) < (found[0].figure or 0) < (found[0].high or 0)
    assert "0.99 asked" in found[2].told
    assert found[4].told == "5.1 MB, at most 5 MB asked"


def test_what_cannot_be_judged_is_skipped_and_not_passed() -> None:
    gates = {
        **{"rmse": {"better_by": 0.0}, "coverage": {"at_least": 0.8}, "accuracy": {"at_least": 0.1}},
        **{"mae": {"at_most": 9.0, "targets": ["y", "kind"]}, "slices": {}, "latency_ms": {"at_most": 9}},
    }
    found = answers(scores(0.5), None, gates)
    assert statuses(found) == [
        ("rmse", "y", "", "skipped"),
        ("coverage", "y", "", "skipped"),
        ("accuracy", "", "", "skipped"),
        ("mae", "kind", "", "skipped"),
        ("mae", "y", "", "pass"),
        ("slices", "y", "", "skipped"),
        ("latency_ms", "", "", "skipped"),
    ]
    assert "no champion" in found[0].told
    constant = scores(0.5).with_columns(mean=pl.lit(0.5))
    assert [one.status for one in answers(constant, scores(0.5), {"r": {"better_by": 0.0, "at_least": 0.1}})] == ["skipped"] * 2


def test_a_slice_that_got_worse_refuses_a_candidate_that_is_better_on_the_whole() -> None:
    gates = {**BETTER, "slices": {"worse_by": 0.0}}
    worse = scores(pl.when(pl.col("language") == "de").then(1.2).otherwise(0.2))
    found = answers(worse, scores(0.8, seed=2), gates)
    assert statuses(found) == [
        ("rmse", "y", "", "pass"),
        ("slices", "y", "language de", "fail"),
        ("slices", "y", "", "fail"),
    ]
    slice_, whole = found[1:]
    assert (slice_.groups, slice_.rows, slice_.paired) == (24, 120, True)
    assert (slice_.low or 0) > 0
    assert "Holm over 4 tests" in slice_.told
    assert whole.told == "1 of 4 slices significantly worse in rmse; not judged: language fr (6 groups)"
    clean = answers(scores(0.5), scores(0.8, seed=2), gates)
    assert statuses(clean) == [("rmse", "y", "", "pass"), ("slices", "y", "", "pass")]
    allowed = answers(worse, scores(0.8, seed=2), {**BETTER, "slices": {"worse_by": 1.0}})
    assert statuses(allowed) == statuses(clean)


def test_a_test_set_that_got_worse_is_a_slice() -> None:
    worse = scores(pl.when(pl.col("split") == "test_future").then(1.0).otherwise(0.2))
    found = answers(worse, scores(0.8, seed=2), {**BETTER, "slices": {}})
    assert ("slices", "y", "split test_future", "fail") in statuses(found)


def test_many_slices_that_are_no_worse_are_not_refused_and_a_bad_one_among_them_is() -> None:
    """25 columns of chance, at 100 declared resamples: Holm takes more, or no slice could ever be refused."""
    chance = np.random.default_rng(8)
    part = {f"c{place}": chance.integers(0, 2, GROUPS).repeat(5).astype(str) for place in range(25)}
    table, gates = rows().with_columns(**{name: pl.Series(values) for name, values in part.items()}), {**BETTER, "slices": {}}
    evaluate = EvaluateParams(slices=dict.fromkeys((*part, "language"), ()), intervals=IntervalParams(resamples=100))
    found = {}
    for name, bad in (("equal", 0.8), ("worse", 2.5)):
        candidate = scores(pl.when(pl.col("language") == "de").then(bad).otherwise(0.8), seed=6)
        told = judged(table, candidate, scores(0.8, seed=2), TARGETS, evaluate, parse(GatesParams, gates, "gates"), {})
        found[name] = [one.part for one in told if one.gate == "slices" and one.status == "fail" and one.part]
    assert found["equal"] == []
    assert "language de" in found["worse"]


def test_other_rows_are_refused_and_named() -> None:
    whole = scores(0.5)
    for candidate, champion, said in (
        (whole, whole[:-1], "champion leaves out"),
        (whole[:-1], whole, "candidate leaves out"),
        (whole, pl.concat([whole, whole[-1:]]), "champion predicts twice"),
    ):
        with pytest.raises(Refusal, match=said) as caught:
            answers(candidate, champion, BETTER)
        assert caught.value.rows == ("r0599",)
        assert "rescore" in (caught.value.next_step or "")
    beyond = pl.concat([whole, whole[-1:].with_columns(row_id=pl.lit("r9999"))])
    with pytest.raises(Refusal, match="same rows") as caught:
        answers(whole, beyond, BETTER)
    assert caught.value.rows == ("r9999",)


def test_too_few_groups_are_refused() -> None:
    gates = {"min_groups": GROUPS + 1, "rmse": {"at_most": 9.0}}
    with pytest.raises(Refusal, match=f"of {GROUPS} groups: too few"):
        answers(scores(0.5), None, gates)
    assert [one.status for one in answers(scores(0.5), None, {**gates, "min_groups": GROUPS})] == ["pass"]
    assert answers(scores(0.5), None, {"min_groups": 10_000, "size_mb": {"at_most": 5}}, size_mb=1.0)[0].status == "pass"


def test_a_class_is_judged_with_its_own_metrics() -> None:
    truth = (rows()["kind"] == "b").to_numpy().astype(int)
    sides = [np.where(np.arange(2) == truth[:, None], right, 1 - right).tolist() for right in (0.8, 0.7)]
    frames = [rows().select("row_id", target=pl.lit("kind"), probabilities=pl.Series(side)) for side in sides]
    found = answers(
        frames[0], frames[1], {"log_loss": {"better_by": 0.0}, "accuracy": {"at_least": 0.9}, "rmse": {"at_most": 1.0}}
    )
    assert statuses(found) == [("log_loss", "kind", "", "pass"), ("accuracy", "kind", "", "pass"), ("rmse", "", "", "skipped")]


VECTORS = {"image": Target(kind="vector", dimension=6)}


def images() -> pl.DataFrame:
    """The rows with the vector of their group's image; the first groups of ``de`` have no label."""
    of_group = np.random.default_rng(7).normal(size=(GROUPS, 6))
    vectors = pl.Series([of_group[int(name[1:])].tolist() for name in rows()["group_id"]])
    return rows().with_columns(image=pl.when(~pl.col("group_id").is_between(pl.lit("g096"), pl.lit("g098"))).then(vectors))


def shown(noise: float, seed: int, worse: float = 0.0) -> pl.DataFrame:
    """Predictions of the images, with more noise where German is spoken."""
    table = images()
    known = np.array([one if one is not None else [0.0] * 6 for one in table["image"].to_list()])
    size = noise + worse * (table["language"].to_numpy() == "de")
    told = known + size[:, None] * np.random.default_rng(seed).normal(size=known.shape)
    return table.select("row_id", target=pl.lit("image")).with_columns(vector=pl.Series(told.tolist()))


def of_images(candidate: pl.DataFrame, champion: pl.DataFrame | None, gates: dict[str, Any]) -> list[GateResult]:
    return judged(images(), candidate, champion, VECTORS, EVALUATE, parse(GatesParams, gates, "gates"), {})


def test_vectors_are_judged_by_ranks_in_one_gallery_of_all_test_rows_in_every_slice() -> None:
    gates = {"mrr": {"better_by": 0.0, "at_least": 0.2}, "gallery": {"at_least": 117, "at_most": 117}, "slices": {}}
    found = of_images(shown(0.5, 1), shown(0.8, 2), gates)
    assert {(one.gate, one.status) for one in found} == {("mrr", "pass"), ("gallery", "pass"), ("slices", "pass")}
    assert of_images(shown(0.8, 2), shown(0.5, 1), gates)[1].status == "fail"
    assert of_images(shown(0.8, 3), shown(0.8, 2), gates)[1].status == "fail"

    refused = of_images(shown(0.5, 1, worse=3.0), shown(0.8, 2), gates)
    [german] = [one for one in refused if one.part == "language de"]
    table = images().filter(pl.col("image").is_not_null())
    among = gallery(np.array(table["image"].to_list()))
    known = table.select("row_id").with_row_index("place").join(images().filter(language="de").select("row_id"), on="row_id")
    places = known["place"].to_numpy()
    mrr = []
    for told in (shown(0.5, 1, worse=3.0), shown(0.8, 2)):
        vectors = np.array(table.join(told, on="row_id", maintain_order="left")["vector"].to_list())
        mrr.append(np.mean(1 / ranks(vectors, among)[places]))
    assert german.figure == pytest.approx(mrr[0] - mrr[1]), "ranks among all images, not among those of the slice"
    assert german.rows == len(places) == 21 * 5
