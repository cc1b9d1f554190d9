"""Labels as they stood at each instant: versions, late arrivals, corrections. What every kernel over labels begins with.

The rules of time are told, with an example, in ``docs/point-in-time.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from watertight.core.time import AFTER_LABEL

INSTANT = pl.Datetime("us", "UTC")
TIMES = ("asked_at", "labelled_at", "created_at")
VERSION = ("key", "row_id", "created_at")
SHOWN = 5

STAMPS = (
    pl.col("key"),
    (pl.col("known_at") + AFTER_LABEL).alias("event_timestamp"),
    pl.col("known_at").alias("created_timestamp"),
)
"""The first columns of a view over labels: news may be used from a microsecond after it is known."""


def timelines(labels: pl.DataFrame, names: Sequence[str], *, carry: Sequence[str] = ()) -> pl.DataFrame:
    """The labels as they stood from each correction to the next, each such timeline in order of arrival.

    A key without corrections has one timeline. Each instant of correction begins another, in which the labels
    known before it appear as corrected, and all of them as known at that instant.

    Args:
        labels: as :func:`watertight.features.temporal_state.temporal_state` takes them.
        names: the label columns.
        carry: further columns, taken from the very version of a row that holds.

    Returns:
        One row per label and timeline, timelines one after another, sorted by key and beginning: ``key``,
        ``row_id``, the times, the names (Float64), ``carry``; ``version_at`` and ``arrived_at``, when the version
        and the row's first one became known; ``timeline`` (its number); ``known_at``, when this timeline says it.

    Raises:
        ValueError: labels that cannot be placed in time, all faults told together, with row ids.
    """
    versions = _versions(labels, names, carry)
    begins = versions.filter("corrects").select("key", begin="version_at").unique()
    always = versions.select("key").unique().with_columns(begin=pl.lit(None, INSTANT))
    following = pl.col("begin").shift(-1).over("key")
    spans = pl.concat([always, begins]).sort("key", "begin").with_columns(end=following)
    in_time = pl.col("end").is_null() | (pl.col("version_at") < pl.col("end"))
    newest = pl.col("created_at") == pl.col("created_at").max().over("key", "begin", "row_id")
    return (
        versions.join(spans, on="key")
        .filter(in_time)
        .filter(newest)
        .sort("key", "begin", "arrived_at", "asked_at", "row_id")
        .with_columns(
            timeline=pl.struct("key", "begin").rle_id(),
            known_at=pl.max_horizontal("arrived_at", "begin"),
        )
    )


def news_of(folded: pl.DataFrame) -> pl.DataFrame:
    """Of each timeline the last row of each instant: what is known once all that comes at that instant has come."""
    return folded.filter(pl.struct("timeline", "known_at").is_last_distinct())


def count_so_far(name: str) -> pl.Expr:
    """``<name>_count`` (Int64) over one timeline: the labels so far."""
    return pl.col(name).cum_count().cast(pl.Int64).alias(f"{name}_count")


def mean_so_far(name: str) -> pl.Expr:
    """``<name>_mean`` (Float64) over one timeline: summed about the first label; null before it."""
    value, count = pl.col(name), count_so_far(name)
    first = value.drop_nulls().first()
    return pl.when(count > 0).then(first + (value - first).fill_null(0.0).cum_sum() / count).alias(f"{name}_mean")


def source_so_far() -> pl.Expr:
    """``source_at`` over one timeline: the newest instant at which any of it became known."""
    return pl.col("version_at").cum_max().alias("source_at")


def check_names(names: Sequence[str]) -> None:
    """Raise ValueError unless ``names`` is a list of distinct label columns, at least one."""
    if isinstance(names, str) or not names or len(set(names)) != len(names):
        raise ValueError(f"names must be a list of distinct label columns, at least one; got {names!r}")


def _versions(labels: pl.DataFrame, names: Sequence[str], carry: Sequence[str]) -> pl.DataFrame:
    """The labelled versions, with the instant each was known at and the one its row first arrived at."""
    _check_columns(labels, names)
    numbers = [pl.col(name).cast(pl.Float64) for name in names]
    labelled = labels.filter(pl.col("labelled_at").is_not_null()).select("key", "row_id", *TIMES, *numbers, *carry)
    _check_rows(labelled, names)
    return (
        labelled.with_columns(version_at=pl.max_horizontal("labelled_at", "created_at"))
        .sort("key", "version_at", "created_at")
        .with_columns(
            arrived_at=pl.col("version_at").first().over("key", "row_id"),
            corrects=pl.struct("key", "row_id").is_first_distinct().not_(),
        )
    )


def _check_columns(labels: pl.DataFrame, names: Sequence[str]) -> None:
    missing = [column for column in ("key", "row_id", *TIMES, *names) if column not in labels.columns]
    if missing:
        raise ValueError(f"labels lack the columns {missing}; they have {labels.columns}")
    wrong = {column: str(labels.schema[column]) for column in TIMES if labels.schema[column] != INSTANT}
    if wrong:
        raise ValueError(f"times must be {INSTANT}, got {wrong}; cast them where the rows are read")


def _check_rows(labelled: pl.DataFrame, names: Sequence[str]) -> None:
    found = labelled.select(fault.alias(text) for text, fault in _faults(names))
    rows = {text: labelled["row_id"].filter(found[text]) for text in found.columns}
    told = [_tell(text, row_ids) for text, row_ids in rows.items() if len(row_ids)]
    if told:
        raise ValueError("labels that cannot be placed in time:\n" + "\n".join(told))


def _faults(names: Sequence[str]) -> Iterator[tuple[str, pl.Expr]]:
    for column in ("key", "row_id", "asked_at", "created_at"):
        yield f"{column} is null in a labelled row", pl.col(column).is_null()
    for name in names:
        yield f"{name} is neither finite nor null", pl.col(name).is_finite().not_().fill_null(False)
    yield "labelled_at is before asked_at", (pl.col("labelled_at") < pl.col("asked_at")).fill_null(False)
    yield "two versions with one created_at (which one holds?)", pl.struct(VERSION).is_duplicated()
    varies = pl.col("asked_at").n_unique().over("key", "row_id") > 1
    yield "asked_at differs between versions of one row", varies


def _tell(text: str, row_ids: pl.Series) -> str:
    shown = row_ids.head(SHOWN).to_list()
    return f"- {text}: {len(row_ids)} rows, the first are {shown}"
