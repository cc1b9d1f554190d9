"""Counts from the cache are the counts."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from watertight.features import lexical
from watertight.features.lexical_cache import counted_texts

TEXTS = pl.Series("text", ["I am so happy :)", None, "", "yaar, bahut thak gaya!!", "I am so happy :)", "NOT good… 😀"])
MORE = pl.Series("text", ["something new", "NOT good… 😀", None])


def test_counts_are_those_of_the_kernel_whatever_is_known_already(tmp_path: Path) -> None:
    first, new = counted_texts(TEXTS, cache_root=tmp_path)
    assert_frame_equal(first, lexical.lexical_features(TEXTS))
    assert new == 4, "a null is no text, and a text that comes twice is one"
    again, new = counted_texts(TEXTS, cache_root=tmp_path)
    assert_frame_equal(again, first)
    assert new == 0
    mixed, new = counted_texts(MORE, cache_root=tmp_path)
    assert_frame_equal(mixed, lexical.lexical_features(MORE))
    assert new == 1


def test_nothing_to_count(tmp_path: Path) -> None:
    found, new = counted_texts(TEXTS[:0], cache_root=tmp_path)
    assert_frame_equal(found, lexical.lexical_features(TEXTS[:0]))
    assert new == 0


def test_known_texts_are_not_counted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted_texts(TEXTS, cache_root=tmp_path)
    asked: list[list[str | None]] = []
    kernel = lexical.lexical_features
    monkeypatch.setattr(lexical, "lexical_features", lambda texts: asked.append(texts.to_list()) or kernel(texts))
    counted_texts(pl.concat([MORE, TEXTS]), cache_root=tmp_path)
    assert asked == [["something new"]]


def test_only_strings_are_counted(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'n' is Int64"):
        counted_texts(pl.Series("n", [1]), cache_root=tmp_path)
