"""A loaded bundle answers what the pipeline's own prediction answers, from any kind of table, or says what is wrong with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_bundle import made_bundle, rows

import watertight
from pipelines.predict import predictions
from watertight.core.errors import Misuse, Refusal
from watertight.inference.latency import REPEATS, WARM_UP, latency
from watertight.inference.loaded import Loaded
from watertight.registry.bundle import open_bundle

COLUMNS = {"row_id", "mood", "mood_lower", "mood_upper", "mood_level", "tone_probabilities"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_bundle(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Loaded:
    return watertight.load(folder)


def test_it_answers_bit_for_bit_what_the_pipeline_predicts(folder: Path, loaded: Loaded) -> None:
    expected = predictions(open_bundle(folder), rows())
    assert set(expected.columns) == COLUMNS
    assert loaded.predict(rows()).equals(expected)
    assert loaded.predict(rows().reverse()).equals(expected.reverse()), "in the order that was asked"
    assert loaded.predict(rows().drop("row_id")).equals(expected.drop("row_id"))
    assert not expected["mood"].is_null().any() and expected["mood"].n_unique() > 100


def test_a_row_is_answered_alone_as_among_others(loaded: Loaded) -> None:
    whole = loaded.predict(rows())
    alone = pl.concat([loaded.predict(rows()[row]) for row in range(12)])
    assert alone.equals(whole[:12])


@pytest.mark.parametrize("kind", ["arrow", "pandas", "array", "float32 text large"])
def test_the_kind_of_table_makes_no_difference(loaded: Loaded, kind: str) -> None:
    table = rows().with_columns(pl.col("a", "b").cast(pl.Float32))
    same: dict[str, Any] = {
        "arrow": table.to_arrow(),
        "pandas": table.to_pandas(),
        "array": table.with_columns(pl.col("v").cast(pl.Array(pl.Float32, 3))),
        "float32 text large": table.to_arrow(compat_level=pl.CompatLevel.newest()),
    }
    assert loaded.predict(same[kind]).equals(loaded.predict(rows()))


def test_no_rows_have_no_answers_in_the_same_columns(loaded: Loaded) -> None:
    none = loaded.predict(rows().clear())
    assert none.schema == loaded.predict(rows()).schema
    assert none.is_empty()


def test_what_is_not_known_is_null_of_any_type(loaded: Loaded) -> None:
    """A column of nulls alone has no type in Polars, and is floats in pandas."""
    nothing = rows(3).with_columns(pl.lit(None).alias(name) for name in ("a", "b", "v", "text"))
    told = loaded.predict(nothing)
    assert told["mood"].n_unique() == 1 and told["mood"].is_finite().all()
    typed = nothing.with_columns(pl.col("a", "b").cast(pl.Float64), pl.col("v").cast(pl.List(pl.Float64)))
    assert loaded.predict(typed.to_pandas()).equals(told)


def test_it_says_what_it_reads(loaded: Loaded) -> None:
    assert [str(wanted) for wanted in loaded.inputs] == ["a (number)", "b (number)", "v (vector of 3)", "text (text)"]
    assert (loaded.manifest.workload, loaded.manifest.cell, loaded.card) == ("judge", "sure", "# toy\n")


def test_all_that_is_wrong_with_the_columns_is_told_at_once(loaded: Loaded) -> None:
    wrong = rows().select("row_id", pl.col("b").cast(pl.String), pl.lit(1.5).alias("text"), v=pl.col("v").list.head(2), aa="a")
    with pytest.raises(Refusal) as caught:
        loaded.predict(wrong)
    assert caught.value.what.splitlines() == [
        "4 of 4 columns are not what the bundle reads",
        "  - a (number): did you mean 'aa'?",
        "  - b (number): is String, expected numbers",
        "  - v (vector of 3): 109 of 120 rows have 2 numbers",
        "  - text (text): is Float64, expected text",
    ]


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("v", [["1", "2", "3"]], "is List(String), expected lists of numbers"),
        ("v", [1.0], "is Float64, expected lists of numbers"),
        ("a", [[1.0]], "is List(Float64), expected numbers"),
        ("a", [True], "is Boolean, expected numbers"),
        ("text", [["a"]], "is List(String), expected text"),
    ],
)
def test_a_column_of_another_type_is_refused(loaded: Loaded, column: str, values: list[Any], told: str) -> None:
    with pytest.raises(Refusal) as caught:
        loaded.predict(rows(1).with_columns(pl.Series(column, values)))
    assert caught.value.what.endswith(told)


@pytest.mark.parametrize("given", [{"a": [1.0]}, None, rows().lazy()])
def test_what_is_no_table_is_misuse(loaded: Loaded, given: Any) -> None:
    with pytest.raises(Misuse, match="is no table of rows"):
        loaded.predict(given)


def test_a_table_that_polars_cannot_read_is_misuse(loaded: Loaded) -> None:
    torn = rows().to_arrow()
    with pytest.raises(Misuse, match="the rows are no plain table"):
        loaded.predict(torn.append_column("a", torn["a"]))


def test_threads_that_ask_at_once_get_the_same_answers(loaded: Loaded) -> None:
    expected = loaded.predict(rows())
    with ThreadPoolExecutor(4) as threads:
        assert all(found.equals(expected) for found in threads.map(lambda _: loaded.predict(rows()), range(12)))


def test_models_are_read_once(folder: Path, tmp_path: Path) -> None:
    gone = made_bundle(tmp_path / "bundle")
    loaded = watertight.load(gone)
    expected = loaded.predict(rows())
    for path in gone.rglob("model.*"):
        path.unlink()
    assert loaded.predict(rows()).equals(expected)


def test_latency_is_of_single_rows_drawn_by_the_seed(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    told = Loaded.predict

    def noted(self: Loaded, table: pl.DataFrame) -> pl.DataFrame:
        asked.extend(table["row_id"])
        return told(self, table)

    monkeypatch.setattr(Loaded, "predict", noted)
    found = latency(loaded, rows(), seed=3)
    first, asked = asked, []
    latency(loaded, rows(), seed=3)
    assert first == asked
    assert len(first) == WARM_UP + REPEATS and len(set(first)) > 30
    assert 0 < found.median <= found.p95 < 1000, "milliseconds"
    with pytest.raises(Misuse, match="no row to ask about"):
        latency(loaded, rows().clear())
