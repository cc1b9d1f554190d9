"""What Feast's answer says of each value: there, null, not there, or too old. The clock is the machine's, as in production."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Float64, UnixTimestamp
from packed_store import Packed, feast_store, item, numbers, statuses, view_of

from watertight.core.errors import Misuse
from watertight.stores.packed import times

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def test_each_value_has_its_status(tmp_path: Path) -> None:
    view = view_of({"a": Float64, "b": Float64, "at": UnixTimestamp}, ttl=HOUR)
    store = feast_store(tmp_path, view)
    online = store._get_provider().online_store
    no_time = Value(unix_timestamp_val=-(2**63))
    data = [
        (item(1), {**numbers(a=1, b=2), "at": Value(unix_timestamp_val=5)}, now(), None),
        (item(2), {"a": Value(), **numbers(b=2), "at": no_time}, now(), None),
        (item(3), {**numbers(a=3, b=3), "at": no_time}, now() - 2 * HOUR, None),
    ]
    online.online_write_batch(store.config, view, data, None)
    rows = [{"item": key} for key in (3, 1, 4, 2, 1)]
    response = store.get_online_features(features=["view:a", "view:at"], entity_rows=rows)
    told = statuses(response)
    assert told["a"] == ["OUTSIDE_MAX_AGE", "PRESENT", "NOT_FOUND", "NULL_VALUE", "PRESENT"]
    assert told["at"] == ["OUTSIDE_MAX_AGE", "PRESENT", "NOT_FOUND", "NULL_VALUE", "PRESENT"]
    assert response.to_dict()["a"] == [None, 1.0, None, None, 1.0]


def test_a_row_leaves_when_it_is_older_than_the_ttl(tmp_path: Path) -> None:
    """Written just inside the TTL, read at once and again when it has passed."""
    view, packed = view_of({"a": Float64}, ttl=HOUR), Packed(tmp_path)
    event = now() - HOUR + timedelta(seconds=2)
    packed.write(view, 1, numbers(a=1), event)
    assert packed.read(view, 1) == [(event, numbers(a=1))]
    while now() <= event + HOUR:
        pass
    assert packed.read(view, 1) == [(event, None)]


def test_the_ttl_includes_its_last_microsecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times.time, "time_ns", lambda: 7_200_000_000_999)
    assert times.oldest_served(HOUR) == 3_600_000_000
    assert times.oldest_served(timedelta(0)) is None and times.oldest_served(None) is None


def test_an_event_in_the_future_is_answered(tmp_path: Path) -> None:
    view, packed = view_of({"a": Float64}, ttl=HOUR), Packed(tmp_path)
    event = now() + HOUR
    packed.write(view, 1, numbers(a=1), event)
    assert packed.read(view, 1) == [(event, numbers(a=1))]


def test_a_view_without_a_ttl_answers_what_is_old(tmp_path: Path) -> None:
    view, packed = view_of({"a": Float64}), Packed(tmp_path)
    event = datetime(1990, 1, 1, tzinfo=UTC)
    packed.write(view, 1, numbers(a=1), event)
    assert packed.read(view, 1) == [(event, numbers(a=1))]


def test_a_request_without_a_join_key_is_told_which(tmp_path: Path) -> None:
    store = feast_store(tmp_path, view_of({"a": Float64}))
    with pytest.raises(Misuse, match="was asked without 'item'"):
        store.get_online_features(features=["view:a"], entity_rows=[{"items": 1}])
