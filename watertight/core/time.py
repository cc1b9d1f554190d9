"""The time contract: UTC, microseconds, and the first instant at which a fact may be used.

A row is asked at ``asked_at``. Content may be used from the instant it was written. A label may be used, by other
rows, from one microsecond after it was known, so that the inclusive join of a feature store never shows a row its
own label. See ``docs/point-in-time.md``.
"""

from __future__ import annotations

import polars as pl

UTC_MICROSECONDS = pl.Datetime("us", "UTC")
AFTER_LABEL = pl.duration(microseconds=1)
_TIME = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_ISO = rf"^[1-9][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}(?:{_TIME}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)?$"
_NO_SECONDS = r"^(.{10}T.{5})(Z|[+-].*)?$"
_OFFSET = r"T.*(?:Z|[+-].*)$"


def known_at(labelled_at: str = "labelled_at", created_at: str = "created_at") -> pl.Expr:
    """When a label was known: the later of its labelling and of the record's creation. Null where unlabelled."""
    return pl.when(pl.col(labelled_at).is_not_null()).then(pl.max_horizontal(labelled_at, created_at))


def to_utc(values: pl.Series, zone: str) -> pl.Series:
    """Timestamps as UTC microseconds; what cannot be read becomes null.

    ``values`` may be strings (ISO 8601 of the years 1000 to 9999, with or without seconds and an offset, with ``T`` or a
    blank, or a bare date), dates, or datetimes of any unit. Naive ones are wall-clock time in ``zone`` (an IANA name);
    where the clock was set back the earlier instant is meant, and a wall-clock time that never was becomes null.
    """
    if values.dtype == pl.String:
        return _from_strings(values, zone)
    if values.dtype == pl.Date:
        return _localised(values.cast(pl.Datetime("us")), zone)
    if isinstance(values.dtype, pl.Datetime):
        in_us = values.dt.cast_time_unit("us")
        return _localised(in_us, zone) if values.dtype.time_zone is None else in_us.dt.convert_time_zone("UTC")
    return pl.Series(values.name, [None] * len(values), dtype=UTC_MICROSECONDS)


def microseconds(column: str) -> pl.Expr:
    """A UTC timestamp column as Int64 microseconds since the epoch; null stays null."""
    return pl.col(column).dt.timestamp("us")


def _localised(naive: pl.Series, zone: str) -> pl.Series:
    placed = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _from_strings(values: pl.Series, zone: str) -> pl.Series:
    text = values.str.strip_chars()
    text = text.set(~text.str.contains(_ISO), None)
    text = text.str.replace(" ", "T", literal=True).str.replace(_NO_SECONDS, "${1}:00${2}")
    zoned = text.str.replace("Z$", "+00:00").str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False
    )
    naive = text.set(text.str.contains(_OFFSET).fill_null(True), None)
    plain = naive.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    dates = naive.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    frame = pl.DataFrame({"zoned": zoned, "naive": _localised(plain.fill_null(dates), zone)})
    return frame.select(pl.coalesce("zoned", "naive").alias(values.name)).to_series()
