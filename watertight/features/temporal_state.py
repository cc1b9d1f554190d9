"""What the labels known so far say about an entity: labels in, state rows out.

The rules of time are told, with an example, in ``docs/point-in-time.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from watertight.features.timelines import STAMPS, check_names, count_so_far, mean_so_far, news_of, source_so_far, timelines


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
    check_names(names)
    _check_parameters(last, fast, slow)
    folded = _fold(timelines(labels, names), names, fast, slow)
    news = news_of(folded)
    lists = [column for name in names for column in _last_labels(folded, news, name, last)]
    return news.with_columns(*lists).select(
        *STAMPS,
        *[column for name in names for column in _state_columns(name)],
        pl.col("source_at").dt.epoch("us"),
    )


def _fold(known: pl.DataFrame, names: Sequence[str], fast: float, slow: float) -> pl.DataFrame:
    """Each timeline's running state after each of its labels; ``L_stop`` counts over all timelines so far."""
    states = [state.over("timeline") for name in names for state in _running(name, fast, slow)]
    stops = pl.col(names).cum_count().cast(pl.Int64).name.suffix("_stop")
    return known.with_columns(*states, source_so_far().over("timeline"), stops)


def _running(name: str, fast: float, slow: float) -> Iterator[pl.Expr]:
    """Running figures of one label; the variance by Welford (1962), the mean about the first label."""
    value, count, mean = pl.col(name), count_so_far(name), mean_so_far(name)
    squares = ((value - mean.shift(1)) * (value - mean)).fill_null(0.0).cum_sum()
    yield count
    yield _ema(value, fast).alias(f"{name}_ema_fast")
    yield _ema(value, slow).alias(f"{name}_ema_slow")
    yield mean
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


def _check_parameters(last: int, fast: float, slow: float) -> None:
    if last < 1:
        raise ValueError(f"last must be at least 1, got {last}")
    if not (0 < fast <= 1 and 0 < slow <= 1):
        raise ValueError(f"fast and slow must lie in (0, 1], got {fast} and {slow}")
