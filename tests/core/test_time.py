"""Reading timestamps against datetime and zoneinfo, which are slow and obvious."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watertight.core.time import AFTER_LABEL, UTC_MICROSECONDS, known_at, microseconds, to_utc

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
zones = st.sampled_from(ZONES)
moments = st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1))
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
nearly_iso = st.from_regex(
    r"[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2})?(\.[0-9]*)?(Z|z|[+-][0-9]{2}:?[0-9]{2})?)?",
    fullmatch=True,
)


def in_utc(naive: datetime, zone: str) -> datetime | None:
    """A wall-clock time, the earlier of two; None if no clock ever showed it."""
    moment = naive.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return moment if shown == naive else None


def read(text: str, zone: str) -> datetime | None:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else in_utc(found, zone)


def one(text: str | None, zone: str = "UTC") -> datetime | None:
    answer = to_utc(pl.Series("at", [text], dtype=pl.String), zone)
    assert answer.dtype == UTC_MICROSECONDS
    return answer[0]


@given(st.lists(moments, min_size=1), zones, st.sampled_from(["T", " "]))
def test_naive_strings_are_wall_clock_time_in_the_zone(naive: list[datetime], zone: str, between: str) -> None:
    texts = [moment.isoformat(between) for moment in naive]
    assert to_utc(pl.Series("at", texts), zone).to_list() == [in_utc(moment, zone) for moment in naive]


@given(moments, offsets, zones, st.sampled_from(["seconds", "milliseconds", "microseconds", "minutes"]))
def test_an_offset_wins_over_the_zone(naive: datetime, offset: timezone, zone: str, digits: str) -> None:
    text = naive.replace(tzinfo=offset).isoformat(timespec=digits)
    assert one(text, zone) == datetime.fromisoformat(text)
    assert one(text[:-3] + text[-2:], zone) == datetime.fromisoformat(text), "an offset may lack its colon"
    assert one(naive.isoformat() + "Z", zone) == naive.replace(tzinfo=UTC)


@given(st.dates(date(1975, 1, 1), date(2037, 1, 1)), zones)
def test_a_bare_date_is_its_midnight(day: date, zone: str) -> None:
    midnight = in_utc(datetime(day.year, day.month, day.day), zone)
    assert one(day.isoformat(), zone) == midnight
    assert to_utc(pl.Series("at", [day]), zone)[0] == midnight


@given(st.one_of(nearly_iso, st.text("0123456789-+:T Z.", max_size=30), st.text(max_size=12)), zones)
@example("25-05-03T00:00:00", "UTC")
@example("2025-05-03T23:59:60", "UTC")
@example("+12025-05-03T00:00:00", "UTC")
@example("2025-5-3", "UTC")
@example("٢٠٢٥-05-03", "UTC")
def test_what_is_read_is_read_as_datetime_reads_it(text: str, zone: str) -> None:
    found = one(text, zone)
    assert found is None or found == read(text.strip(), zone)


@pytest.mark.parametrize(
    "text",
    [None, "", "   ", "yesterday", "2025-13-01", "2025-02-29", "2025-05-03T24:00:00", "2025-05-03T09:30:00+25:00",
     "1746264600", "03.05.2025", "05/03/2025", "2025-05-03T09:30:00 tomorrow", "25-05-03", "2025-5-3", "2025-05-03T23:59:60",
     "NaT", "0000-00-00"],
)  # fmt: skip
def test_what_is_no_time_is_null(text: str | None) -> None:
    assert one(text, "Europe/Berlin") is None


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2025-03-30T02:30:00", "Europe/Berlin", None),
        ("2025-03-30T03:00:00", "Europe/Berlin", datetime(2025, 3, 30, 1, tzinfo=UTC)),
        ("2025-10-26T02:30:00", "Europe/Berlin", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ("2025-10-26T02:30:00+01:00", "Europe/Berlin", datetime(2025, 10, 26, 1, 30, tzinfo=UTC)),
        ("2025-03-09 02:00", "America/New_York", None),
        ("2025-11-02 01:59:59.999999", "America/New_York", datetime(2025, 11, 2, 5, 59, 59, 999999, tzinfo=UTC)),
        ("2011-12-30", "Pacific/Apia", None),
    ],
)
def test_clocks_set_forward_and_back(text: str, zone: str, moment: datetime | None) -> None:
    assert one(text, zone) == moment


@given(st.lists(moments, min_size=1), zones, st.sampled_from(["ms", "us", "ns"]))
def test_datetimes_of_every_unit(naive: list[datetime], zone: str, unit: str) -> None:
    whole = [moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in naive]
    values = pl.Series("at", whole, dtype=pl.Datetime(unit))
    assert to_utc(values, zone).to_list() == [in_utc(moment, zone) for moment in whole]
    zoned = values.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Kolkata")
    assert to_utc(zoned, zone).to_list() == [moment.replace(tzinfo=UTC) for moment in whole]


def test_order_nulls_and_name_are_kept() -> None:
    values = pl.Series("asked_at", ["2025-05-03", None, "no time", "2025-05-01T00:00:00Z"])
    answer = to_utc(values, "UTC")
    assert answer.name == "asked_at"
    assert answer.is_null().to_list() == [False, True, True, False]
    assert answer[3] < answer[0]


@pytest.mark.parametrize("values", [pl.Series([1746264600]), pl.Series([1.5]), pl.Series([True]), pl.Series([None])])
def test_a_number_is_no_time(values: pl.Series) -> None:
    answer = to_utc(values, "UTC")
    assert answer.dtype == UTC_MICROSECONDS
    assert answer.null_count() == 1


def test_microseconds_since_the_epoch() -> None:
    moment = datetime(2025, 5, 3, 9, 30, 0, 1, tzinfo=UTC)
    rows = pl.DataFrame({"at": [moment, None]}, schema={"at": UTC_MICROSECONDS})
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert rows.select(microseconds("at")).to_series().to_list() == [exact, None]


def test_a_label_is_known_from_the_later_of_its_two_times_and_usable_just_after() -> None:
    first, later = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 5, 2, tzinfo=UTC)
    cases = {"labelled_at": [first, later, first, None], "created_at": [later, first, None, later]}
    rows = pl.DataFrame(cases, schema=dict.fromkeys(cases, UTC_MICROSECONDS))
    found = rows.select(known=known_at(), usable=known_at() + AFTER_LABEL)
    assert found["known"].to_list() == [later, later, first, None]
    assert found["usable"][0] - found["known"][0] == timedelta(microseconds=1)
