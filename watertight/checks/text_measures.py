"""What can be counted in a text without a model: its words, its script, and how many of its words are the reference's own."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

COMMON = 50
SCRIPTS = (
    *("Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Bengali", "Gujarati", "Gurmukhi", "Tamil", "Telugu"),
    *("Kannada", "Malayalam", "Sinhala", "Thai", "Han", "Hiragana", "Katakana", "Hangul", "Georgian", "Armenian", "Ethiopic"),
)
_TEXT = pl.col("text")


def measured(texts: pl.Series, group: NDArray[np.int64], new: NDArray[np.bool_]) -> dict[str, pl.Series]:
    """``words``, ``script`` and ``common_words`` of each of ``texts`` (strings), each (rows,), null for null.

    Words are runs of letters; a script without spaces has few, long ones. ``common_words`` is the share of words among the
    50 that most groups of the reference use: it falls where the language changes, even to one of the same script. Null
    where there is no word.
    """
    lists = texts.str.to_lowercase().str.extract_all(r"[\p{L}\p{M}]+")
    every = (
        pl.DataFrame({"row": np.arange(len(texts)), "group": group, "new": new, "word": lists}).explode("word").drop_nulls("word")
    )
    own = every.filter(~pl.col("new")).group_by("word").agg(pl.col("group").n_unique())
    common = own.sort("group", "word", descending=[True, False]).head(COMMON)["word"]
    shares = every.group_by("row").agg(pl.col("word").is_in(common.to_list()).mean())
    found = pl.DataFrame({"row": np.arange(len(texts))}).join(shares, on="row", how="left", maintain_order="left")
    return {"words": lists.list.len(), "script": scripts(texts), "common_words": found["word"]}


def scripts(texts: pl.Series) -> pl.Series:
    """The Unicode script of most letters of each text, string (rows,); ``none`` without a letter of these, null for null."""
    strange = texts.str.contains(r"[^\P{L}\p{Latin}]").fill_null(False)
    usual = pl.when(_TEXT.str.contains(r"\p{Latin}")).then(pl.lit("Latin")).otherwise(pl.lit("none"))
    found = texts.to_frame("text").select(script=pl.when(_TEXT.is_not_null()).then(usual))["script"]
    return found.scatter(strange.arg_true(), _dominant(texts.filter(strange)))


def _dominant(texts: pl.Series) -> pl.Series:
    counts = texts.to_frame("text").select(_TEXT.str.count_matches(rf"\p{{{name}}}").alias(name) for name in SCRIPTS).to_numpy()
    if not len(texts):
        return pl.Series([], dtype=pl.String)
    return pl.Series(np.where(counts.any(axis=1), np.array(SCRIPTS)[counts.argmax(axis=1)], "none"))
