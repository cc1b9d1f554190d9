"""Content views read one text per key: that of a column, or of several as one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from feast import Entity, ValueType

from watertight.core.errors import Misuse, Refusal
from watertight.core.view_spec import TAG, ViewSpec, spec_of
from watertight.features.kernels import Kitchen, content_of, fill
from watertight.features.parts import joined_parts
from watertight.features.views import embedding_view, lexical_view

AT = datetime(2025, 3, 1, tzinfo=UTC)
SEVERAL = ViewSpec(kernel="lexical", derived_from="content", join_key="k", texts={"k": ("system", "question", "answer")})
ROWS = [
    ("all", "Be kind.", "Why?", "Because."),
    ("some", None, "Why?", "Because."),
    ("first", "Be kind.", None, None),
    ("empty", "", None, "Because."),
    ("none", None, None, None),
    (None, "Be kind.", "Why?", "Because."),
]
TEXTS = {
    "all": "Be kind.\n\nWhy?\n\nBecause.",
    "some": "Why?\n\nBecause.",
    "first": "Be kind.",
    "empty": "\n\nBecause.",
    "none": None,
}


def _rows(rows: list[tuple[str | None, ...]]) -> pl.DataFrame:
    kinds = dict.fromkeys(("k", "system", "question", "answer"), pl.String)
    table = pl.DataFrame(rows, schema=kinds, orient="row")
    return table.with_columns(pl.lit(AT).cast(pl.Datetime("us", "UTC")).alias("asked_at"))


def test_the_texts_of_several_columns_are_one_with_blank_lines_between() -> None:
    content = content_of(SEVERAL, _rows(ROWS))
    assert dict(content.select("k", "text").iter_rows()) == TEXTS


def test_what_is_computed_of_them_is_what_is_computed_of_the_one_text() -> None:
    rows = _rows(ROWS)
    whole = rows.with_columns(answer=pl.col("k").replace_strict(TEXTS, default=None, return_dtype=pl.String))
    one = SEVERAL.model_copy(update={"texts": {"k": "answer"}})
    assert fill(SEVERAL, rows, Kitchen("")).equals(fill(one, whole, Kitchen("")))


def test_the_vector_of_several_is_the_mean_of_theirs_by_their_characters() -> None:
    """A part that stands in many texts is embedded once; one text alone keeps its own vector."""
    asked: list[str] = []

    def embedded(texts: pl.Series) -> pl.Series:
        asked.extend(texts)
        lists = [[float(len(text)), 1.0, -1.0] if text else [0.0, 0.0, 1.0] for text in texts]
        return pl.Series(lists, dtype=pl.List(pl.Float32))

    parts = pl.Series([["abcd", None, "ab"], [None, "abc"], [None, None], ["", "ab"]], dtype=pl.List(pl.String))
    found = joined_parts(parts, embedded)
    assert found.to_list()[1:3] == [[3.0, 1.0, -1.0], None]
    for mine, of in ((found[0], [("abcd", 4), ("ab", 2)]), (found[3], [("", 1), ("ab", 2)])):
        vectors = {"abcd": [4, 1, -1], "ab": [2, 1, -1], "": [0, 0, 1]}
        mean = np.array([sum(vectors[text][place] * weight for text, weight in of) for place in range(3)])
        np.testing.assert_allclose(mine, mean / np.linalg.norm(mean), atol=1 / 4096)
    assert asked == ["abcd", "ab", "abc", "", "ab"]


def test_a_key_that_stands_for_two_texts_by_any_of_their_parts_is_refused() -> None:
    with pytest.raises(Refusal, match="1 key"):
        content_of(SEVERAL, _rows([("a", "Be kind.", "Why?", "Because."), ("a", None, "Why?", "Because.")]))


def test_views_take_a_list_and_a_plain_text_is_told_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "feature_repo").mkdir()
    (tmp_path / "params.yaml").write_text("workloads: []")
    monkeypatch.chdir(tmp_path)
    entity = Entity(name="k", join_keys=["k"], value_type=ValueType.STRING)
    for view in (lexical_view, embedding_view):
        several = view("w", entity=entity, texts={"k": ["question", "answer"], "other": "answer"})
        spec = spec_of(several.name, several.tags)
        assert spec is not None
        assert spec.texts == {"k": ("question", "answer"), "other": "answer"}
        plain = view("w", entity=entity, texts={"k": "answer"})
        assert json.loads(plain.tags[TAG])["texts"] == {"k": "answer"}
        with pytest.raises(Misuse, match=r"texts\.k"):
            view("w", entity=entity, texts={"k": []})
