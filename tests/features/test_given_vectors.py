"""Vectors that came with the rows: the view's as they are where the source has them, the encoder's where it has none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from feast import Entity, ValueType

from watertight.core.errors import Misuse, Refusal
from watertight.core.view_spec import TAG, ViewSpec
from watertight.features.embedding import embed
from watertight.features.kernels import Kitchen, encodes, fill
from watertight.features.views import embedding_view

ENCODER = "all-MiniLM-L6-v2"
START = datetime(2025, 1, 1, tzinfo=UTC)
SPEC = ViewSpec(
    kernel="embedding",
    derived_from="content",
    join_key="caption_id",
    texts={"caption_id": "text"},
    options={"anchors": {}, "given": "text_vector"},
)
VECTORS = {"c0": [0.25, -3.0], "c1": [1e-30, 2.0], "c2": [7.0, 0.0]}


def rows(*vectors: list[float] | None, keys: tuple[str, ...] = ("c2", "c0", "c1")) -> pl.DataFrame:
    given = list(vectors) or [VECTORS[key] for key in keys]
    return pl.DataFrame(
        {
            "row_id": [f"r{place}" for place in range(len(keys))],
            "caption_id": list(keys),
            "text": [f"what {key} says" for key in keys],
            "asked_at": [START + timedelta(days=place) for place in range(len(keys))],
            "text_vector": pl.Series(given, dtype=pl.List(pl.Float32)),
        },
        schema_overrides={"asked_at": pl.Datetime("us", "UTC")},
    )


def test_vectors_that_are_given_are_the_views_as_they_are() -> None:
    kitchen = Kitchen("no encoder is looked for")
    table = fill(SPEC, rows(), kitchen)
    assert table["caption_id"].to_list() == ["c0", "c1", "c2"]
    expected = pl.Series([VECTORS[key] for key in table["caption_id"]], dtype=pl.List(pl.Float32))
    assert table["vector"].to_list() == expected.to_list()
    assert table["event_timestamp"].to_list() == [START + timedelta(days=place) for place in (1, 2, 0)]
    assert not kitchen.computed
    assert not encodes(SPEC, rows())


@pytest.mark.parametrize("absent", [True, False], ids=["no column", "a column of nulls"])
def test_where_there_are_none_they_are_the_encoders(absent: bool) -> None:
    bare = rows(None, None, None)
    bare = bare.drop("text_vector") if absent else bare
    table = fill(SPEC, bare, Kitchen(ENCODER))
    texts = pl.Series([f"what {key} says" for key in table["caption_id"]])
    assert table["vector"].to_list() == embed(texts, ENCODER)[0].to_list()
    assert encodes(SPEC, bare)


def test_a_caption_of_two_rows_brings_its_vector_twice_and_is_one() -> None:
    table = fill(SPEC, rows(keys=("c0", "c1", "c0")), Kitchen(""))
    assert table.select("caption_id", "event_timestamp").rows() == [("c0", START), ("c1", START + timedelta(days=1))]


@pytest.mark.parametrize(
    "bad", [None, [1.0], [1.0, 2.0, 3.0], [float("nan"), 1.0], [float("inf"), 1.0], [0.0, 0.0], [1.0, None]], ids=str
)
def test_a_row_that_brings_another_kind_of_vector_is_named(bad: list[float] | None) -> None:
    with pytest.raises(
        Refusal, match=r"1 row\(s\) bring no vector, or another than the others(.|\n)*lists of 2 finite"
    ) as caught:
        fill(SPEC, rows([1.0, 2.0], bad, [2.0, 1.0]), Kitchen(""))
    assert caught.value.rows == ("r1",)
    assert caught.value.column == "text_vector"


def test_two_vectors_of_one_caption_are_refused() -> None:
    with pytest.raises(Refusal, match=r"1 key\(s\) bring more than one vector") as caught:
        fill(SPEC, rows([1.0, 2.0], [2.0, 1.0], [1.0, 2.5], keys=("c0", "c1", "c0")), Kitchen(""))
    assert caught.value.rows == ("c0",)


def test_a_view_says_what_it_takes_and_no_other_view_is_told_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "feature_repo").mkdir()
    (tmp_path / "params.yaml").write_text("workloads: []")
    monkeypatch.chdir(tmp_path)
    entity = Entity(name="caption", join_keys=["caption_id"], value_type=ValueType.STRING)
    texts = {"caption_id": "text"}
    assert json.loads(embedding_view("w", entity=entity, texts=texts, given="v").tags[TAG])["options"] == {
        "anchors": {},
        "given": "v",
    }
    assert json.loads(embedding_view("w", entity=entity, texts=texts).tags[TAG])["options"] == {"anchors": {}}
    for more in ({"anchors": {"sad": ["sad"]}}, {"texts": {**texts, "other_id": "text"}}):
        with pytest.raises(Misuse, match="takes the vectors in 'v' as they are"):
            embedding_view("w", **{"entity": entity, "texts": texts, "given": "v", **more})
