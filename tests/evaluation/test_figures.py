"""The long table of figures: which records there are, on which rows, and what is told of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from pipelines.figures import as_text
from watertight.core.contract import Target
from watertight.core.digests import row_set_digest
from watertight.core.workload import EvaluateParams, IntervalParams
from watertight.evaluation.figures import FIGURES, cases, figures, figures_table, intervals_cover, of_cells, slices_covered, wide
from watertight.evaluation.metrics import METRICS

TARGETS = {
    "y": Target(kind="scalar", range=(0, 9)),
    "kind": Target(kind="class", classes=("a", "b")),
}
PARAMS = EvaluateParams(slices={"language": (), "words": (5,), "mood": ()}, intervals=IntervalParams(min_groups=4))


def rows(size: int = 60, groups: int = 12) -> pl.DataFrame:
    chance = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "row_id": [f"r{place:02d}" for place in range(size)],
            "group_id": [f"g{place % groups:02d}" for place in range(size)],
            "y": chance.normal(size=size),
            "kind": chance.choice(["a", "b"], size),
            "language": ["en" if place % groups < 10 else "de" for place in range(size)],
            "words": [place % 10 for place in range(size)],
        }
    ).with_columns(y=pl.when(pl.int_range(pl.len()) < size - 5).then("y"))


def cell(target: str, name: str, seed: int, of: pl.DataFrame, shift: float = 0.0) -> pl.DataFrame:
    """Predictions of the rows that have the target."""
    there = of.filter(pl.col(target).is_not_null())
    output = {"mean": pl.col("y") * 0.5 + shift} if target == "y" else {"probabilities": pl.lit([0.75, 0.25])}
    return there.reverse().select("row_id", target=pl.lit(target), cell=pl.lit(name), seed=pl.lit(seed), **output)


def told(*predictions: pl.DataFrame, of: pl.DataFrame | None = None) -> pl.DataFrame:
    made = pl.concat(predictions, how="diagonal")
    found = cases(rows() if of is None else of, made, TARGETS, PARAMS.slices)
    return figures_table(record for case in found for record in figures(case, PARAMS.intervals))


def records(table: pl.DataFrame, **where: Any) -> list[dict[str, Any]]:
    return table.filter(**where).to_dicts()


def test_there_is_a_record_per_cell_slice_and_metric_of_its_kind_of_target() -> None:
    table = told(cell("y", "one", 0, rows()), cell("y", "two", 0, rows()), cell("kind", "one", 0, rows()))
    assert table.schema == FIGURES
    sets = [("", ""), ("language", "de"), ("language", "en"), ("words", "> 5"), ("words", "≤ 5")]
    given = [name for name in METRICS["scalar"] if name not in ("nll", "coverage", "width")]
    expected = {("y", name, *place, metric) for name in ("one", "two") for place in sets for metric in given}
    expected |= {("kind", "one", *place, metric) for place in sets for metric in METRICS["class"]}
    assert sorted(expected) == sorted(table.select("target", "cell", "slice", "value", "metric").rows())
    assert set(table["part"]) == {"out_of_fold"}


def test_a_record_is_of_the_rows_of_its_slice_that_have_the_target() -> None:
    table = told(cell("y", "one", 0, rows()))
    mine = rows().filter((pl.col("language") == "en") & pl.col("y").is_not_null())
    [found] = records(table, slice="language", value="en", metric="rmse")
    assert found["figure"] == pytest.approx(mine.select((pl.col("y") / 2).pow(2).mean().sqrt()).item())
    assert (found["rows"], found["groups"], found["row_set"]) == (mine.height, 10, row_set_digest(mine, "y"))
    assert found["low"] < found["figure"] < found["high"]
    [few] = records(table, slice="language", value="de", metric="rmse")
    assert (few["groups"], few["low"], few["high"]) == (2, None, None)
    assert few["figure"] > 0


def test_the_seeds_of_a_cell_and_their_mean_prediction_stand_beside_one_another() -> None:
    table = told(cell("y", "two", 0, rows(), 0.4), cell("y", "two", 1, rows(), -0.4), cell("y", "one", 0, rows()))
    rmse = {(line["cell"], line["seed"]): line["figure"] for line in records(table, slice="", metric="rmse")}
    assert set(rmse) == {("two", 0), ("two", 1), ("two", None), ("one", 0)}
    assert rmse["two", None] == pytest.approx(rmse["one", 0])
    assert rmse["two", None] < min(rmse["two", 0], rmse["two", 1])
    assert set(of_cells(table).select("cell", "seed").rows()) == {("two", None), ("one", 0)}


def test_seeds_that_disagree_are_less_sure_together() -> None:
    seeds = [
        cell("y", "two", seed, rows(), shift).with_columns(log_variance=pl.lit(0.0)) for seed, shift in ((0, 2.0), (1, -2.0))
    ]
    nll = {line["seed"]: line["figure"] for line in records(told(*seeds), slice="", metric="nll")}
    error = rows().select((pl.col("y") / 2).pow(2).mean()).item()
    assert nll[None] == pytest.approx((np.log(2 * np.pi * 5) + error / 5) / 2), "1 within each, 4 between"


def test_cells_that_predicted_other_rows_have_a_row_set_of_their_own() -> None:
    table = told(cell("y", "one", 0, rows()), cell("y", "two", 0, rows()[:30]))
    sets = {line["cell"]: (line["rows"], line["row_set"]) for line in records(table, slice="", metric="rmse")}
    assert (sets["one"][0], sets["two"][0]) == (55, 30)
    assert sets["one"][1] != sets["two"][1]


def test_slices_tell_how_much_of_the_rows_they_are() -> None:
    report = slices_covered(told(cell("y", "one", 0, rows()), cell("y", "two", 0, rows())), PARAMS)
    de = rows().filter((pl.col("language") == "de") & pl.col("y").is_not_null())
    assert report[0] == {
        "target": "y",
        "slice": "language",
        "value": "de",
        "rows": de.height,
        "groups": 2,
        "row_set": row_set_digest(de, "y"),
        "share": round(de.height / 55, 6),
        "interval": False,
    }
    assert [(line["value"], line["interval"]) for line in report[1:]] == [("en", True), ("> 5", True), ("≤ 5", True)]


def test_intervals_that_cover_too_little_or_too_much_are_told() -> None:
    """Against SciPy's own test of a share."""
    made = cell("y", "good", 0, rows())
    ends = {"lower": pl.col("mean") - 0.82, "upper": pl.col("mean") + 0.82, "level": pl.lit(0.9)}
    thin = {"lower": pl.col("mean") - 0.1, "upper": pl.col("mean") + 0.1, "level": pl.lit(0.9)}
    predictions = pl.concat(
        [made.with_columns(**ends), made.with_columns(cell=pl.lit("thin"), **thin), made.with_columns(cell=pl.lit("bare"))],
        how="diagonal",
    )
    report = intervals_cover(told(predictions), predictions)
    assert {line["cell"] for line in report} == {"good", "thin"}
    names = ["target", "cell", "seed", "slice", "value", "rows", "level", "coverage", "low_bound", "high_bound", "within"]
    assert all(list(line) == names for line in report)
    for line in report:
        hits = round(line["coverage"] * line["rows"])
        tails = [binomtest(hits, line["rows"], 0.9, alternative=side).pvalue for side in ("less", "greater")]
        assert line["within"] == (min(tails) > 0.005), line
    assert [line["within"] for line in report if line["slice"] == ""] == [True, False]
    assert intervals_cover(told(made), made) == []


def test_wide_rows_have_each_metric_with_its_ends_and_null_where_a_cell_has_none() -> None:
    constant = cell("y", "constant", 0, rows()).with_columns(mean=pl.lit(0.0))
    table = told(cell("y", "one", 0, rows()), constant, cell("kind", "one", 0, rows())).filter(slice="")
    first, second, third = wide(table, "target", "cell")
    given = [name for name in METRICS["scalar"] if name not in ("nll", "coverage", "width")]
    assert list(first) == ["target", "cell", *given, "log_loss", "accuracy", "macro_f1", "rows", "groups", "row_set"]
    assert (first["cell"], second["cell"], third["target"]) == ("one", "constant", "kind")
    assert set(first["rmse"]) == {"figure", "low", "high"}
    assert second["r"] == {"figure": None, "low": None, "high": None}
    assert (first["log_loss"], third["rmse"]) == (None, None)


def test_text_for_a_terminal_shows_intervals_of_the_headlines_under_what_rows_share() -> None:
    figure = {"figure": 0.51234, "low": 0.41234, "high": 0.6}
    row = {"target": "y", "cell": "one", "rmse": figure, "mae": figure, "cosine": None, "rows": 9, "row_set": "abcd"}
    bare = {**row, "cell": "two", "rmse": {**figure, "low": None, "high": None}, "mae": {**figure, "figure": None}}
    assert as_text([row, bare], "target", "rows", "row_set") == {
        "target y, rows 9, row set abcd": [
            {"cell": "one", "rmse": "0.5123 [0.412, 0.600]", "mae": "0.5123"},
            {"cell": "two", "rmse": "0.5123", "mae": ""},
        ]
    }
