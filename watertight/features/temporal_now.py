"""What the clock alone changes: (state, t) in, features out. The same function serves training and serving.

The rules of time are told, with an example, in ``docs/point-in-time.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import polars as pl
from numpy.typing import NDArray

HOUR = 3_600 * 10**6
DAY = 24 * HOUR
WEEK = 7 * DAY
MONDAY = 4 * DAY  # 1970-01-05, the first Monday of the epoch
NEVER = np.iinfo(np.int64).max

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def temporal_now(state: pl.DataFrame, at: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """Features of each row's state as seen from the row's own instant t.

    A pure function of one row's state and t: it reads no clock and no other row, and a row gets the same
    bits alone as in a batch. Windows are open at both ends: a label asked at t, or at t - 7 d, is outside.
    And they see only what the state keeps: its last labels, ten unless ``temporal_state`` was told otherwise.

    Args:
        state: n rows with ``L_count``, ``L_mean``, ``L_last`` and ``L_last_at`` for each name L, as made by
            ``temporal_state`` and joined as of t. Null means no history.
        at: n instants t, Datetime in UTC, none null.
        names: the labels.

    Returns:
        n rows in the given order. For each name L, over its last labels asked before t (Float32):

        - ``L_var_7d``: sample variance of those in (t - 7 d, t); null below two;
        - ``L_shift``: their mean, weighted by exp(-(t - asked_at) / 7 d), less ``L_mean``; null without
          labels;
        - ``L_gap_hours``: hours from the newest ``asked_at`` to t, above 0; null without labels;
        - ``L_density_7d``: labels a day in (t - 7 d, t): their number / 7; 0 without labels.

        Then ``hour_sin``, ``hour_cos`` (t within its UTC day), ``weekday_sin``, ``weekday_cos`` (t within its
        UTC week, from Monday 00:00), all with fractions (Float32), and ``history`` (Int64): the largest
        ``L_count``, 0 without history. Arithmetic is Float64, rounded to Float32 once, at the end.

    Raises:
        ValueError: ``state`` and ``at`` of unlike length, a null ``at`` or one not in UTC, or a state whose
            two lists do not match.
    """
    now = _microseconds(at, state.height)
    columns: dict[str, Floats] = {}
    for name in names:
        columns |= _label_features(state, name, now)
    columns |= _cycle("hour", now, DAY) | _cycle("weekday", now - MONDAY, WEEK)
    features = pl.DataFrame(columns, nan_to_null=True).cast(pl.Float32)
    counts = pl.max_horizontal(f"{name}_count" for name in names).fill_null(0).cast(pl.Int64)
    return features.with_columns(state.select(history=counts).to_series())


def _microseconds(at: pl.Series, rows: int) -> Ints:
    if len(at) != rows:
        raise ValueError(f"{rows} state rows but {len(at)} instants; each row needs its own")
    if not isinstance(at.dtype, pl.Datetime) or at.dtype.time_zone != "UTC" or at.has_nulls():
        raise ValueError(f"instants must be Datetime in UTC, got {at.dtype} with {at.null_count()} nulls")
    return at.dt.epoch("us").to_numpy()


def _label_features(state: pl.DataFrame, name: str, now: Ints) -> dict[str, Floats]:
    values, asked, there = _last_labels(state, name)
    age = now[:, None] - asked
    past = there & (age > 0)
    week = past & (age < WEEK)
    mean = state[f"{name}_mean"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return {
        f"{name}_var_7d": _variance(values, week),
        f"{name}_shift": _recent_mean(values, age, past) - mean,
        f"{name}_gap_hours": np.where(past.any(axis=1), _youngest(age, past) / HOUR, np.nan),
        f"{name}_density_7d": week.sum(axis=1) / 7,
    }


def _last_labels(state: pl.DataFrame, name: str) -> tuple[Floats, Ints, Bools]:
    """The lists as matrices, one row each, as wide as the longest list, and where in them a label stands."""
    values = state[f"{name}_last"].cast(pl.List(pl.Float64))
    asked = state[f"{name}_last_at"].cast(pl.List(pl.Int64))
    lengths = values.list.len().fill_null(0).to_numpy()
    if not np.array_equal(lengths, asked.list.len().fill_null(0).to_numpy()):
        raise ValueError(f"{name}_last and {name}_last_at differ in length; take both from one state row")
    there = np.arange(lengths.max(initial=0)) < lengths[:, None]
    return _padded(values, there).astype(np.float64), _padded(asked, there).astype(np.int64), there


def _padded(lists: pl.Series, there: Bools) -> np.ndarray:
    flat = lists.explode().drop_nulls().to_numpy()
    matrix = np.zeros(there.shape, flat.dtype)
    matrix[there] = flat
    return matrix


def _row_sums(matrix: Floats) -> Floats:
    """Sums from left to right; NumPy's ``sum`` may choose its order, and so the bits, by the batch."""
    return reduce(np.add, matrix.T, np.zeros(len(matrix)))


def _variance(values: Floats, inside: Bools) -> Floats:
    """Sample variance of each row's marked values in two passes, NaN below two."""
    count = inside.sum(axis=1)
    mean = _row_sums(values * inside) / np.maximum(count, 1)
    squares = _row_sums(inside * (values - mean[:, None]) ** 2)
    return np.where(count > 1, squares / np.maximum(count - 1, 1), np.nan)


def _recent_mean(values: Floats, age: Ints, past: Bools) -> Floats:
    """Mean with weights exp(-age / 7 d), NaN without labels.

    Ages are counted from the youngest: that scales all weights alike, and keeps old ones from all being zero.
    """
    older = age - _youngest(age, past)[:, None]
    weights = np.where(past, np.exp(np.where(past, -older, 0) / WEEK), 0.0)
    total = _row_sums(weights)
    return _row_sums(weights * values) / np.where(total > 0, total, np.nan)


def _youngest(age: Ints, past: Bools) -> Ints:
    youngest: Ints = np.where(past, age, NEVER).min(axis=1, initial=NEVER)
    return youngest


def _cycle(name: str, since: Ints, period: int) -> dict[str, Floats]:
    angle = 2 * np.pi * (since % period) / period
    return {f"{name}_sin": np.sin(angle), f"{name}_cos": np.cos(angle)}
