"""Lexical features by content: each text is counted once, ever, as it is embedded once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from watertight.core.caches import default_root
from watertight.core.digests import file_digest, json_digest
from watertight.features import lexical
from watertight.features.cache import VectorCache, text_digest
from watertight.features.lexicons import lexicon

FOLDER = "lexical"


@cache
def space() -> str:
    """What a count depends on besides its text: the rules, the lists, and the library that matches the patterns."""
    return json_digest({"rules": file_digest(Path(lexical.__file__)), "lists": lexicon().write_csv(), "polars": pl.__version__})


def counted_texts(texts: pl.Series, *, cache_root: Path | None = None) -> tuple[pl.DataFrame, int]:
    """:func:`watertight.features.lexical.lexical_features` of ``texts``, and how many distinct ones were counted now.

    The others come from the cache, which is under ``cache_root``, by default as in ``watertight.core.caches``. A null text
    has null in all columns. Raises TypeError where ``texts`` are not strings, and CacheUnusable.
    """
    if texts.dtype not in (pl.String, pl.Null):
        raise TypeError(f"texts to count are strings, but {texts.name!r} is {texts.dtype}")
    asked = texts.cast(pl.String).to_frame("text")
    once = asked["text"].drop_nulls().unique(maintain_order=True)
    digests = [text_digest(text) for text in once]
    with VectorCache(cache_root or default_root(), space(), FOLDER) as stored:
        known = stored.read(digests)
        new = pl.Series([text for text, digest in zip(once, digests, strict=True) if digest not in known], dtype=pl.String)
        counts = lexical.lexical_features(new).to_numpy()
        added = dict(zip(map(text_digest, new), counts, strict=True))
        if added:
            stored.write(list(added), counts)
    rows = np.array([known.get(digest, added.get(digest)) for digest in digests], dtype=np.float32)
    told = pl.DataFrame(
        rows.reshape(len(digests), len(lexical.LEXICAL_COLUMNS)),
        schema=dict.fromkeys(lexical.LEXICAL_COLUMNS, pl.Float32),
        orient="row",
    )
    table = asked.join(told.with_columns(once.alias("text")), on="text", how="left", maintain_order="left")
    return table.select(lexical.LEXICAL_COLUMNS), len(new)
