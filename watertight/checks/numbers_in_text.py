"""The numbers that stand in a text: who scored something tends to write the score down."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

NUMBER = r"\d+(?:\.\d+)?"
PLACES = {"first": 0, "last": -1}


def numbers_in(rows: pl.DataFrame, texts: Sequence[str]) -> pl.DataFrame:
    """Of each text column the first and the last number in it, Float64, null where it says none: ``answer (last number)``."""
    found = {
        f"{text} ({place} number)": pl.col(text)
        .str.extract_all(NUMBER)
        .list.get(at, null_on_oob=True)
        .cast(pl.Float64, strict=False)
        for text in texts
        for place, at in PLACES.items()
    }
    return rows.select(**found)
