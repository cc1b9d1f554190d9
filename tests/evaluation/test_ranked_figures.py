"""Ranks among the vectors of a fold or a part: slow selves that sort, slices that keep them, and what is not compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.core.hubness import rescored
from watertight.core.ranks import Gallery, directions, gallery, ranks, recall_in, reciprocal_in
from watertight.core.workload import EvaluateParams, IntervalParams
from watertight.evaluation.figures import cases, figures, figures_table, galleries_left_out
from watertight.evaluation.intervals import apart, difference, estimates, intervals, multiplicities
from watertight.evaluation.metrics import METRICS, metrics_declared, scored
from watertight.evaluation.rank_bins import EXACT, bins_of, median_of, rank_of
from watertight.evaluation.ranked import Ranking, other_folds, with_ranks

IMAGES, EACH, WIDTH, FOLDS = 80, 3, 6, 4
OF_A_FOLD = IMAGES // FOLDS
TARGET = Target(kind="vector", dimension=WIDTH)
CORRECTIONS = {
    "csls": {"method": "csls", "bank": "inductive", "neighbours": 5},
    "joint": {"method": "dual_softmax", "bank": "transductive"},
}
DECLARED = EvaluateParams(
    slices={"language": ()}, galleries=(10, 1000), corrections=CORRECTIONS, intervals=IntervalParams(resamples=200)
)


def rows() -> pl.DataFrame:
    """Three captions of each of 80 images, every fifth image told in German; folds by image; one caption has no label."""
    image = np.repeat(np.arange(IMAGES), EACH)
    truth = np.random.default_rng(0).normal(size=(IMAGES, WIDTH)).astype(np.float32)[image]
    return pl.DataFrame(
        {
            "row_id": [f"r{place:03d}" for place in range(len(image))],
            "group_id": [f"i{one:02d}" for one in image],
            "language": np.where(image % 5 == 0, "de", "en"),
            "image": pl.Series(truth.tolist(), dtype=pl.List(pl.Float32)),
        }
    ).with_columns(image=pl.when(pl.int_range(pl.len()) > 0).then("image"))


def predicted(cell: str = "one", seed: int = 0, noise: float = 1.0) -> pl.DataFrame:
    """Vectors near to the truth that lean the same way, in another order than the rows', with the fold of each."""
    known = rows().drop_nulls("image")
    truth = np.array(known["image"].to_list())
    vectors = truth + 0.5 + noise * np.random.default_rng([seed, len(cell)]).normal(size=truth.shape)
    named = {"target": pl.lit("image"), "cell": pl.lit(cell), "seed": pl.lit(seed)}
    fold = (pl.col("group_id").str.slice(1).cast(pl.Int64) % FOLDS).alias("fold")
    return known.select("row_id", fold, **named).with_columns(vector=pl.Series(vectors.tolist())).reverse()


def told(*predictions: pl.DataFrame, declared: EvaluateParams | None = DECLARED, **more: Any) -> pl.DataFrame:
    found = cases(rows(), pl.concat(predictions), {"image": TARGET}, DECLARED.slices, declared, **more)
    return figures_table(record for case in found for record in figures(case, DECLARED.intervals))


def figure(table: pl.DataFrame, metric: str, **where: Any) -> float:
    return float(table.filter(metric=metric, **where)["figure"].item())


def beside(predictions: pl.DataFrame) -> pl.DataFrame:
    """The labelled rows with their predictions, in the order of the rows."""
    return rows().drop_nulls("image").join(predictions.drop("target"), on="row_id", maintain_order="left")


def slow_ranks(table: pl.DataFrame, among: pl.DataFrame) -> np.ndarray:
    """The place of each row's image when all images that ``among`` has of its fold are sorted by cosine to its vector."""
    there = {fold: images(among.filter(fold=fold)) for fold in range(FOLDS)}

    def one(vector: list[float], own: tuple[float, ...], fold: int) -> int:
        cosine = lambda other: np.dot(vector, other) / np.linalg.norm(vector) / np.linalg.norm(other)  # noqa: E731
        return 1 + sorted(there[fold], key=cosine, reverse=True).index(own)

    return np.array([one(vector, tuple(own), fold) for vector, own, fold in table.select("vector", "image", "fold").iter_rows()])


def images(table: pl.DataFrame) -> list[tuple[float, ...]]:
    return list(dict.fromkeys(tuple(one) for one in table["image"].to_list()))


def test_figures_are_those_of_ranks_among_all_images_of_the_fold_each_once() -> None:
    table, own = told(predicted()).filter(slice=""), beside(predicted())
    assert len(images(own)) == IMAGES
    rank = slow_ranks(own, own)
    assert rank.max() > 10
    assert figure(table, "gallery") == OF_A_FOLD, "captions of one image share its place"
    assert figure(table, "mrr") == pytest.approx(np.mean(1 / rank))
    assert figure(table, "median_rank") == np.median(rank)
    for k in (1, 5, 10):
        assert figure(table, f"recall_{k}") == pytest.approx(np.mean(rank <= k))
    assert figure(table, "mrr_at_10") == pytest.approx(reciprocal_in(rank, OF_A_FOLD, 10).mean())
    assert figure(table, "recall_1_at_10") == pytest.approx(recall_in(rank, OF_A_FOLD, 10, 1).mean())
    assert list(table["metric"])[:3] == ["mrr", "recall_1", "recall_5"]
    assert set(table["metric"]) == set(metrics_declared("vector", DECLARED)) - {"mrr_at_1000", "recall_1_at_1000"}


def test_images_that_a_model_was_fitted_on_are_in_no_gallery_of_it_and_a_test_set_has_one() -> None:
    """The same predictions as those of a test set, which has no folds, stand behind more."""
    out_of_fold, test = (told(one).filter(slice="") for one in (predicted(), predicted().drop("fold")))
    assert figure(test, "gallery") == IMAGES
    assert figure(test, "mrr") < figure(out_of_fold, "mrr") - 0.1
    assert figure(test, "mrr_at_10") == pytest.approx(figure(out_of_fold, "mrr_at_10"), abs=0.03), "to choose from as many"


def test_a_slice_keeps_its_ranks_among_the_whole_and_a_gallery_of_the_slice_would_flatter() -> None:
    table, own = told(predicted()), beside(predicted())
    german = own.filter(language="de")
    found = figure(table, "mrr", value="de")
    assert figure(table, "gallery", value="de") == OF_A_FOLD
    assert found == pytest.approx(np.mean(1 / slow_ranks(german, own)))
    assert np.mean(1 / slow_ranks(german, german)) > found + 0.1, "planted: only the slice to choose from"


def test_the_rank_of_several_seeds_is_that_of_their_mean_prediction() -> None:
    one, other = predicted(seed=1), predicted(seed=2)
    table = told(one, other).filter(slice="")
    own, second = beside(one), beside(other)
    mean = (np.array(own["vector"].to_list()) + np.array(second["vector"].to_list())) / 2
    both = own.with_columns(vector=pl.Series(mean.tolist()))
    assert figure(table.filter(pl.col("seed").is_null()), "mrr") == pytest.approx(np.mean(1 / slow_ranks(both, own)))
    assert set(table["seed"]) == {1, 2, None}
    assert figure(table.filter(pl.col("seed").is_null()), "mrr") > max(figure(table, "mrr", seed=seed) for seed in (1, 2))


def test_a_size_that_the_part_does_not_have_is_left_out_and_told() -> None:
    assert galleries_left_out(told(predicted()), DECLARED) == {"1000 of image": f"the part's own has {OF_A_FOLD}"}
    there = EvaluateParams(galleries=(OF_A_FOLD,))
    assert galleries_left_out(told(predicted(), declared=there), there) == {}


def test_vectors_are_not_ranked_where_nobody_asks_or_where_there_is_one() -> None:
    assert list(told(predicted(), declared=None).filter(slice="")["metric"]) == ["cosine", "rmse", "l1"]
    truth = np.ones((4, WIDTH))
    assert Ranking(truth, DECLARED).of(truth) == {}


@pytest.mark.parametrize("metric", ["mrr", "recall_5", "median_rank", "rmse", "mrr_at_10", "mrr_csls", "gallery"])
def test_a_resample_of_groups_is_worked_out_from_its_rows(metric: str) -> None:
    """Rows of drawn images, again and again, with the ranks that they have in the whole."""
    ranked = with_ranks(predicted(), rows(), "image", TARGET, DECLARED)
    own = beside(ranked)
    one = estimates(scored(own, "image", TARGET))[metric]
    counts = multiplicities(IMAGES, range(20), 0)
    found = one.value(counts @ one.statistics)
    names = sorted(own["group_id"].unique())
    for times, summed in zip(counts, found, strict=True):
        drawn = pl.concat([own.filter(group_id=name) for name, often in zip(names, times) for _ in range(int(often))])
        assert summed == pytest.approx(slow_figure(drawn, metric)), metric


def slow_figure(drawn: pl.DataFrame, metric: str) -> float:
    rank = drawn["rank"].to_numpy()
    apart_by = np.array(drawn["image"].to_list()) - np.array(drawn["vector"].to_list())
    slow = {
        "mrr": lambda: np.mean(1 / rank),
        "recall_5": lambda: np.mean(rank <= 5),
        "median_rank": lambda: np.median(rank),
        "rmse": lambda: np.sqrt(np.mean(apart_by**2)),
        "gallery": lambda: OF_A_FOLD,
    }
    return float(slow[metric]() if metric in slow else drawn[metric].mean())


def test_intervals_are_told_of_all_but_what_does_not_vary() -> None:
    found = intervals(
        estimates(scored(beside(with_ranks(predicted(), rows(), "image", TARGET, DECLARED)), "image", TARGET)), DECLARED.intervals
    )
    lows = {name for name, one in found.items() if one.low is not None}
    assert lows >= {"mrr", "recall_1", "recall_5", "mrr_at_10", "mrr_csls", "mrr_joint_transductive", "rmse"}
    assert found["gallery"].low is None


@given(st.lists(st.integers(2, 2 * EXACT).map(lambda twice: twice / 2), min_size=1, max_size=30))
def test_the_median_of_small_ranks_is_exact(rank: list[float]) -> None:
    counts = np.bincount(bins_of(np.array(rank)), minlength=200)
    assert median_of(counts.astype(float)) == np.median(rank)


@given(st.integers(2, 2_000_000).map(lambda twice: twice / 2))
def test_a_bin_stands_for_its_ranks_within_two_hundredths(rank: float) -> None:
    [told_rank] = rank_of(bins_of(np.array([rank])))
    assert told_rank == (rank if rank <= EXACT else pytest.approx(rank, rel=0.02))


def test_an_inductive_bank_is_of_other_folds_and_a_transductive_one_of_the_fold_and_says_so() -> None:
    table, own = told(predicted()).filter(slice=""), beside(predicted())
    truth, vectors, fold = np.array(own["image"].to_list()), np.array(own["vector"].to_list()), own["fold"].to_numpy()

    def by(name: str, bank_of_fold: Any, pooled: bool = False) -> float:
        found = np.empty(own.height)
        for one in range(FOLDS):
            mine, bank = fold == one, directions(vectors[bank_of_fold(one)])
            every = gallery(truth)
            among = Gallery(every.vectors, every.own[mine]) if pooled else gallery(truth[mine])
            found[mine] = ranks(vectors[mine], among, rescored(DECLARED.corrections[name], bank, among.vectors))
        return float(np.mean(1 / found))

    assert figure(table, "mrr_csls") == pytest.approx(by("csls", lambda one: fold != one))
    assert figure(table, "mrr_csls") != pytest.approx(by("csls", lambda one: fold >= 0)), "planted: the fold's own queries"
    told_by_bank = by("csls", lambda one: fold != one, pooled=True) - by("csls", lambda one: fold >= 0, pooled=True)
    assert told_by_bank > 0.01, (
        "planted: where images of other folds are in the gallery, a bank of these folds' captions tells on them"
    )
    assert figure(table, "mrr_joint_transductive") == pytest.approx(by("joint", lambda one: fold == one))


def test_rows_whose_group_is_in_the_fold_are_in_no_bank_of_it() -> None:
    own = pl.DataFrame({"group_id": ["a", "a", "b", "c"], "fold": [0, 1, 0, 1]})
    [(first, others), (second, rest)] = other_folds(own)
    assert (first.tolist(), others.tolist()) == ([0, 2], [3])
    assert (second.tolist(), rest.tolist()) == ([1, 3], [2])
    mixed = pl.DataFrame({"group_id": ["a", "a"], "fold": [0, 1]})
    assert "mrr_csls" not in Ranking(np.eye(2), DECLARED, other_folds(mixed)).of(np.eye(2)), "by row: nobody else to ask"
    assert other_folds(own.drop("fold")) == ()


def test_a_test_set_takes_the_bank_that_was_known_before_of_the_same_cell_and_seeds() -> None:
    asked = [predicted(seed=seed).drop("fold") for seed in (1, 2)]
    before = pl.concat([predicted(cell, seed, 3.0) for cell in ("one", "other") for seed in (1, 2)])
    table = told(*asked, bank=before).filter(slice="")
    own = beside(asked[0])
    among, vectors = gallery(np.array(own["image"].to_list())), np.array(own["vector"].to_list())
    bank = np.array(before.filter(cell="one", seed=1)["vector"].to_list())
    corrected = ranks(vectors, among, rescored(DECLARED.corrections["csls"], directions(bank), among.vectors))
    assert figure(table, "mrr_csls", seed=1) == pytest.approx(np.mean(1 / corrected))
    assert table.filter(metric="mrr_csls")["seed"].to_list() == [1, 2, None]
    bare = told(*asked).filter(slice="")
    assert "mrr_csls" not in set(bare["metric"]), "none was given"
    assert "mrr_joint_transductive" in set(bare["metric"])


def test_a_difference_on_a_slice_is_that_of_the_figures_of_the_slice() -> None:
    one, other = predicted("one"), predicted("other", noise=2.0)
    table = told(one, other)
    both = [with_ranks(each, rows(), "image", TARGET, DECLARED) for each in (one, other)]
    german = rows().filter(language="de")
    lines = {line["metric"]: line for line in apart(german, *both, "image", TARGET, DECLARED.intervals)}
    for metric in ("mrr", "recall_5", "rmse", "mrr_csls", "mrr_at_10"):
        expected = figure(table, metric, cell="one", value="de") - figure(table, metric, cell="other", value="de")
        assert lines[metric]["figure"] == pytest.approx(expected), metric
    assert lines["mrr"]["figure"] > 0
    bare = apart(german, one, other, "image", TARGET, DECLARED.intervals)
    assert [line["metric"] for line in bare] == ["cosine", "rmse", "l1"], "no rank was taken among the slice"


def test_other_rows_and_other_galleries_are_not_compared() -> None:
    one = beside(with_ranks(predicted(), rows(), "image", TARGET, DECLARED))
    with pytest.raises(Refusal, match="row sets"):
        difference(one, one[1:], "image", TARGET, DECLARED.intervals)
    german = one.filter(language="de")
    narrow = german.drop("rank", "gallery").select([*rows().columns, "fold", "vector"])
    planted = beside(with_ranks(predicted(), narrow, "image", TARGET, DECLARED)).filter(language="de")
    with pytest.raises(Refusal, match=f"galleries of {OF_A_FOLD} and 4"):
        difference(german, planted, "image", TARGET, DECLARED.intervals)
    dealt_anew = predicted().with_columns((pl.col("fold") + (pl.col("row_id") > "r120")) % FOLDS)
    other = beside(with_ranks(dealt_anew, rows(), "image", TARGET, DECLARED))
    with pytest.raises(Refusal, match="among other vectors"):
        difference(one, other, "image", TARGET, DECLARED.intervals)
    assert difference(german, german, "image", TARGET, DECLARED.intervals)[0]["figure"] == 0


def test_every_metric_of_vectors_is_told_and_no_other() -> None:
    """The order of METRICS, whose first is told beside baselines."""
    own = beside(with_ranks(predicted(), rows(), "image", TARGET, EvaluateParams()))
    assert list(estimates(scored(own, "image", TARGET))) == list(METRICS["vector"])
