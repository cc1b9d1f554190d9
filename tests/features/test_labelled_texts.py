"""The view of labelled texts as the kernel fills it from rows, with the packaged encoder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from watertight.core.errors import Misuse, Refusal
from watertight.core.view_spec import ViewSpec
from watertight.features.embedding import embed
from watertight.features.kernels import Kitchen, encodes, fill

MINILM = "all-MiniLM-L6-v2"
START = datetime(2025, 3, 3, 9, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")
# row, author, day of asking, day of labelling, valence, text, reply, synthetic
ROWS: list[tuple[Any, ...]] = [
    ("r1", "ana", 0, 1, 1.0, "The garden is in bloom.", "How lovely!", False),
    ("r2", "ana", 2, 3, -1.0, "It rained all day.", None, False),
    ("r3", "ana", 4, 5, 0.5, "A quiet evening.", "Sleep well.", False),
    ("r4", "ana", 4, 5, 0.5, "A quiet evening, made up.", "Sleep badly.", True),
    ("r5", "ana", 6, None, None, "Nobody labelled this.", "Indeed.", False),
    ("r6", "ben", 0, 1, 2.0, "It rained all day.", "So it did.", False),
]
NAMES = ["row_id", "author_id", "asked_at", "labelled_at", "valence", "text", "reply", "synthetic"]


def rows() -> pl.DataFrame:
    frame = pl.DataFrame(ROWS, schema=NAMES, orient="row")
    instants = [(pl.lit(START).cast(INSTANT) + pl.duration(days=pl.col(name))).alias(name) for name in NAMES[2:4]]
    return frame.with_columns(instants).with_columns(created_at="labelled_at")


def spec(*texts: str) -> ViewSpec:
    label = {"derived_from": "labels", "labels": ("valence",), "labelled_texts": texts}
    return ViewSpec(kernel="labelled_texts", join_key="author_id", **label)


def vectors(*texts: str) -> np.ndarray:
    found: np.ndarray = np.array(embed(pl.Series(texts), MINILM)[0].to_list())
    return found


def test_the_mean_is_of_the_texts_that_were_labelled_by_people() -> None:
    kitchen = Kitchen(MINILM)
    table = fill(spec("text"), rows(), kitchen)
    garden, rain, evening = vectors("The garden is in bloom.", "It rained all day.", "A quiet evening.")
    expected = np.stack([garden, (garden + rain) / 2, (garden + rain + evening) / 3, rain]).astype(np.float32)
    assert table["author_id"].to_list() == ["ana", "ana", "ana", "ben"]
    assert np.array_equal(np.array(table["valence_text"].to_list(), dtype=np.float32), expected)
    assert table["valence_mean"].to_list() == pytest.approx([1.0, 0.0, 1 / 6, 2.0])
    assert table["event_timestamp"][0] == START + timedelta(days=1, microseconds=1)
    assert (kitchen.computed + kitchen.skipped).total() == 3, (
        "three texts that differ; the synthetic and the unlabelled are not read"
    )


def test_two_texts_of_a_row_are_one_mean_and_one_alone_is_none() -> None:
    table = fill(spec("text", "reply"), rows(), Kitchen(MINILM))
    garden, lovely = vectors("The garden is in bloom.", "How lovely!")
    pair = np.array(table["valence_text"][0], dtype=np.float64)
    assert np.array_equal(pair, (garden + lovely) / 2)
    assert table["valence_count"].to_list() == [1, 2, 3, 1]
    assert table["valence_text"][1].to_list() == pair.tolist(), "r2 has no reply"


def test_a_view_over_content_and_one_over_labels_are_counted_together() -> None:
    kitchen = Kitchen(MINILM)
    content = ViewSpec(kernel="embedding", derived_from="content", join_key="row_id", texts={"row_id": "text"})
    fill(content, rows(), kitchen)
    fill(spec("text"), rows(), kitchen)
    assert (kitchen.computed + kitchen.skipped).total() == 5 + 3
    assert kitchen.skipped["embedding"] >= 3


def test_the_kernel_is_known_to_need_the_encoder() -> None:
    assert encodes(spec("text"), rows())


def test_nobody_labelled_makes_no_rows() -> None:
    table = fill(spec("text"), rows().filter(row_id="r5"), Kitchen(MINILM))
    assert table.height == 0


def test_a_misspelt_text_column_is_named() -> None:
    with pytest.raises(Misuse, match="no text column of the rows is called 'txt'; did you mean 'text'"):
        fill(spec("txt"), rows(), Kitchen(MINILM))


def test_labels_that_make_no_history_are_refused() -> None:
    early = rows().with_columns(labelled_at=pl.col("asked_at") - pl.duration(days=1))
    with pytest.raises(Refusal, match="the labels make no history"):
        fill(spec("text"), early, Kitchen(MINILM))


@pytest.mark.parametrize("texts", ["text", []])
def test_a_view_reads_a_list_of_text_columns(texts: Any) -> None:
    from feast import Entity, ValueType

    from watertight.features.views import labelled_texts_view

    author = Entity(name="author", join_keys=["author_id"], value_type=ValueType.STRING)
    with pytest.raises(Misuse, match="a list of the rows' text columns"):
        labelled_texts_view("mine", entity=author, texts=texts, labels=["valence"])
