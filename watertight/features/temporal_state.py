"""What the labels known so far say about an entity: labels in, state rows out.

The rules of time are told, with an example, in ``docs/point-in-time.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from watertight.core.time import AFTER_LABEL

INSTANT = pl.Datetime("us", "UTC")
TIMES = ("asked_at", "labelled_at", "created_at")
VERSION = ("key", "row_id", "created_at")
SHOWN = 5


def temporal_state(
    labels: pl.DataFrame, names: Sequence[str], *, last: int = 10, fast: float = 0.7, slow: float = 0.3
) -> pl.DataFrame:
    """Fold each entity's labels, in their order of arrival, into one state row per instant of news.

    A label is known at ``known_at = max(labelled_at, created_at)`` and may be used from a microsecond later.
    All labels of a key with one ``known_at`` enter together. A version of a row that comes after its first
    corrects it: it keeps the row's place in the order, and the state is folded anew from the correction's
    ``known_at`` on. State rows before it stay as they were. So the rows up to an instant depend on nothing
    that became known after it, not even in their last bit.

    Args:
        labels: ``key`` and ``row_id`` (strings), ``asked_at``, ``labelled_at`` and ``created_at``
            (Datetime("us", "UTC"), ``asked_at <= labelled_at``), and one number column per name. Rows
            without ``labelled_at`` are unlabelled and left out. A null value is a label that does not exist
            for that name (in a correction: one that exists no more). Several rows with one (key, row_id) are
            versions of one label; the latest ``created_at`` that is known holds. Row order is of no account.
        names: the label columns.
        last: how many of the latest labels a state keeps.
        fast: weight of the newest label in ``L_ema_fast``, in (0, 1].
        slow: the same in ``L_ema_slow``.

    Returns:
        One row per (key, known_at), sorted by (key, event_timestamp): ``key``; ``event_timestamp``,
        ``known_at`` + 1 µs; ``created_timestamp``, ``known_at``; and for each name L, over its labels in
        order of (known_at of the first version, asked_at, row_id):

        - ``L_count`` (Int64, 0 or more);
        - ``L_ema_fast``, ``L_ema_slow`` (Float32): e ← a·x + (1 - a)·e, begun with the first label;
        - ``L_mean`` (Float32) and ``L_var`` (Float32, sample variance, null below two labels);
        - ``L_last`` (List(Float32)), the last labels, oldest first, and ``L_last_at`` (List(Int64)), their
          ``asked_at`` in microseconds since 1970 (UTC); empty where there is no label of that name yet.

        Null means no label of that name. At the end stands ``source_at`` (Int64, microseconds since 1970):
        the newest ``known_at`` among the labels folded in, for a guard to compare with the instant of use.
        Arithmetic is Float64; numbers are rounded to Float32 once, at the end.

        Time and memory grow with labels * (1 + instants of correction), key by key.

    Raises:
        ValueError: a missing column, a time of another type, a null where none may be, a label that is not
            finite or older than its question, two versions created at once, a row whose ``asked_at`` changes,
            or a parameter out of its range. All faults of the data are told together, with row ids.
    """
    _check_parameters(names, last, fast, slow)
    folded = _fold(_timelines(_versions(labels, names)), names, fast, slow)
    news = folded.filter(pl.struct("timeline", "known_at").is_last_distinct())
    lists = [column for name in names for column in _last_labels(folded, news, name, last)]
    return news.with_columns(*lists).select(
        "key",
        (pl.col("known_at") + AFTER_LABEL).alias("event_timestamp"),
        pl.col("known_at").alias("created_timestamp"),
        *[column for name in names for column in _state_columns(name)],
        pl.col("source_at").dt.epoch("us"),
    )


def _versions(labels: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The labelled versions, with the instant each was known at and the one its row first arrived at."""
    _check_columns(labels, names)
    numbers = [pl.col(name).cast(pl.Float64) for name in names]
    labelled = labels.filter(pl.col("labelled_at").is_not_null()).select("key", "row_id", *TIMES, *numbers)
    _check_rows(labelled, names)
    return (
        labelled.with_columns(version_at=pl.max_horizontal("labelled_at", "created_at"))
        .sort("key", "version_at", "created_at")
        .with_columns(
            arrived_at=pl.col("version_at").first().over("key", "row_id"),
            corrects=pl.struct("key", "row_id").is_first_distinct().not_(),
        )
    )


def _timelines(versions: pl.DataFrame) -> pl.DataFrame:
    """The labels as they stood from each correction to the next, each such timeline in order of arrival.

    A key without corrections has one timeline. Each instant of correction begins another, in which the labels
    known before it appear as corrected, and all of them as known at that instant.
    """
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


def _fold(timelines: pl.DataFrame, names: Sequence[str], fast: float, slow: float) -> pl.DataFrame:
    """Each timeline's running state after each of its labels; ``L_stop`` counts over all timelines so far."""
    states = [state.over("timeline") for name in names for state in _running(name, fast, slow)]
    source = pl.col("version_at").cum_max().over("timeline").alias("source_at")
    stops = pl.col(names).cum_count().cast(pl.Int64).name.suffix("_stop")
    return timelines.with_columns(*states, source, stops)


def _running(name: str, fast: float, slow: float) -> Iterator[pl.Expr]:
    """Running figures of one label; the variance by Welford (1962), the mean about the first label."""
    value = pl.col(name)
    count = value.cum_count().cast(pl.Int64)
    first = value.drop_nulls().first()
    mean = pl.when(count > 0).then(first + (value - first).fill_null(0.0).cum_sum() / count)
    squares = ((value - mean.shift(1)) * (value - mean)).fill_null(0.0).cum_sum()
    yield count.alias(f"{name}_count")
    yield _ema(value, fast).alias(f"{name}_ema_fast")
    yield _ema(value, slow).alias(f"{name}_ema_slow")
    yield mean.alias(f"{name}_mean")
    yield pl.when(count > 1).then(squares / (count - 1)).alias(f"{name}_var")


def _ema(value: pl.Expr, alpha: float) -> pl.Expr:
    return value.ewm_mean(alpha=alpha, adjust=False, ignore_nulls=True).forward_fill()


def _last_labels(folded: pl.DataFrame, news: pl.DataFrame, name: str, last: int) -> Iterator[pl.Series]:
    """The last labels at each state row: a slice of the name's labels, laid end to end over all timelines."""
    there = folded.filter(pl.col(name).is_not_null())
    stops = news[f"{name}_stop"].to_numpy()
    lengths = np.minimum(news[f"{name}_count"].to_numpy(), last)
    yield _slices(there[name].cast(pl.Float32), stops, lengths).alias(f"{name}_last")
    yield _slices(there["asked_at"].dt.epoch("us"), stops, lengths).alias(f"{name}_last_at")


def _slices(flat: pl.Series, stops: np.ndarray, lengths: np.ndarray) -> pl.Series:
    """A list column of ``flat[stop - length : stop]``."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    index = np.arange(offsets[-1]) + np.repeat(stops - offsets[1:], lengths)
    lists = pa.LargeListArray.from_arrays(offsets, flat.to_numpy()[index])
    return pl.Series(values=pl.from_arrow(lists), dtype=pl.List(flat.dtype))


def _state_columns(name: str) -> Iterator[pl.Expr]:
    yield pl.col(f"{name}_count")
    yield pl.col(f"{name}_ema_fast", f"{name}_ema_slow", f"{name}_mean", f"{name}_var").cast(pl.Float32)
    yield pl.col(f"{name}_last", f"{name}_last_at")


def _check_parameters(names: Sequence[str], last: int, fast: float, slow: float) -> None:
    if isinstance(names, str) or not names or len(set(names)) != len(names):
        raise ValueError(f"names must be a list of distinct label columns, at least one; got {names!r}")
    if last < 1:
        raise ValueError(f"last must be at least 1, got {last}")
    if not (0 < fast <= 1 and 0 < slow <= 1):
        raise ValueError(f"fast and slow must lie in (0, 1], got {fast} and {slow}")


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
