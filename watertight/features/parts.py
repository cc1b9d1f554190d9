"""One vector of a text of several parts: what many texts share, such as what was asked, is embedded once and for all."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from watertight.features.embedding import on_grid
from watertight.features.windows import join_windows


def joined_parts(parts: pl.Series, embed: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The vector of each list of texts, List(Float32): of one text its own; of several the mean of theirs, of unit length.

    ``parts``: List(String), a null among the texts is left out; null where nothing is left. The mean is weighted by the number
    of characters, at least 1, and rounded as every vector is. A part is windowed by itself: a window that ran over the end of
    one would tell of both, and nothing that a text shares with another could be told from the cache.
    """
    texts = parts.to_frame("text").with_row_index("of").explode("text").drop_nulls("text")
    vectors = embed(texts["text"])
    beside = texts.select("of", weight=pl.col("text").str.len_chars().clip(1)).with_columns(vectors.alias("vector"))
    each = beside.group_by("of", maintain_order=True).agg("weight", "vector")
    one = pl.Series([_one(*row) for row in each.select("vector", "weight").iter_rows()], dtype=pl.List(pl.Float32))
    told = pl.DataFrame({"of": range(len(parts))}, schema={"of": pl.UInt32})
    return told.join(each.select("of", vector=one), on="of", how="left", maintain_order="left")["vector"]


def _one(vectors: list[list[float]], weights: list[int]) -> list[float]:
    if len(vectors) == 1:
        return vectors[0]
    told: list[float] = on_grid(join_windows(vectors, weights)).tolist()
    return told
