"""Online and offline answer the same question alike, at every instant of a small timeline with late labels and ties."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from feast import FeatureStore
from project_copies import REPOSITORY

from pipelines.features import Features
from watertight.core.project import find_project
from watertight.core.tables import write_table
from watertight.stores.join import historical_features
from watertight.stores.online import materialize, online_features

Both = tuple[pl.DataFrame, pl.DataFrame]
VIEW = "timeline_history"
MODULE = """
from feast import Entity, FeatureService, ValueType

from watertight.features.views import now_view, scalars, temporal_view

LABELS = ["valence", "arousal"]
author = Entity(name="author", join_keys=["author_id"], value_type=ValueType.STRING)
history = temporal_view("timeline", entity=author, labels=LABELS)
now = now_view("timeline", state=history, labels=LABELS)
timeline = FeatureService(name="timeline", features=[history[scalars(history)], now])
"""
PARAMS = """
workloads: [timeline]
timeline:
  source: {name: made}
  split: {seed: 1, folds: 2}
  join: {service: timeline}
  train: {targets: [valence], cells: {mean: {family: mean}}}
  register: {cell: mean}
"""
AUTHORS = ["ana", "ben", "cleo", "nobody"]
# Ana's second text is labelled after her third, her fourth and fifth at one instant, the fourth at the very instant at
# which Ben's first is; the sixth is asked when the seventh is labelled. Cleo's label lacks arousal; her second text has none.
ROWS = [
    ("a1", "ana", "2025-03-03 09:00:00", "2025-03-03 18:00:00", 0.5, 0.25),
    ("a2", "ana", "2025-03-04 09:00:00", "2025-03-06 09:00:00.5", -1.25, 1.0),
    ("a3", "ana", "2025-03-05 09:00:00", "2025-03-05 09:00:00", 0.1, None),
    ("a4", "ana", "2025-03-06 10:00:00", "2025-03-07 12:00:00", 1.75, 0.3),
    ("a5", "ana", "2025-03-06 10:00:00", "2025-03-07 12:00:00", -0.4, 0.7),
    ("a6", "ana", "2025-03-08 08:00:00", "2025-03-09 08:00:00.000001", 0.9, 2.0),
    ("a7", "ana", "2025-03-07 23:59:59.999999", "2025-03-08 08:00:00", -2.0, 0.0),
    ("b1", "ben", "2025-03-05 00:00:00", "2025-03-07 12:00:00", 0.2, 0.1),
    ("b2", "ben", "2025-03-20 00:00:00", "2025-03-20 00:00:01", -0.2, 0.4),
    ("c1", "cleo", "2025-03-06 09:00:00.5", "2025-03-06 09:00:00.5", 1.0, None),
    ("c2", "cleo", "2025-03-10 00:00:00", None, None, None),
]


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Features]:
    """The features of the timeline, with the history's table filled."""
    root = tmp_path_factory.mktemp("timeline")
    (root / "feature_repo").mkdir()
    (root / "params.yaml").write_text(PARAMS)
    (root / "feature_repo" / "timeline.py").write_text(MODULE)
    (root / "feature_repo" / "feature_store.yaml").write_text((REPOSITORY / "feature_repo" / "feature_store.yaml").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        features = Features(find_project().workload("timeline"))
        rows = _rows()
        write_table(features.fill(VIEW, rows, features.kitchen()), features.work.data("features", f"{VIEW}.parquet"))
        yield features


def _rows() -> pl.DataFrame:
    names = ["row_id", "author_id", "asked_at", "labelled_at", "valence", "arousal"]
    rows = pl.DataFrame(ROWS, schema=names, orient="row")
    times = [pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC") for name in names[2:4]]
    return rows.with_columns(times).with_columns(created_at=pl.coalesce("labelled_at", "asked_at"), synthetic=pl.lit(False))


def _events() -> list[datetime]:
    """The instants at which something may be used for the first time."""
    known = _rows()["labelled_at"].drop_nulls().unique().sort().to_list()
    return [instant + timedelta(microseconds=1) for instant in known]


def _instants() -> list[datetime]:
    """Every event, the microsecond before it (when it is known), the middle to the next, long before and long after."""
    events = _events()
    between = [before + (after - before) / 2 for before, after in pairwise(events)]
    known = [event - timedelta(microseconds=1) for event in events]
    ends = [events[0] - timedelta(days=400), events[-1] + timedelta(days=7), events[-1] + timedelta(days=400)]
    return sorted({*events, *known, *between, *ends})


def _offline(features: Features, store: FeatureStore) -> pl.DataFrame:
    asked = [(f"{author}@{instant.isoformat()}", author, instant) for instant in _instants() for author in AUTHORS]
    schema = {"row_id": pl.String, "author_id": pl.String, "asked_at": pl.Datetime("us", "UTC")}
    rows = pl.DataFrame(asked, schema=schema, orient="row")
    return historical_features(store, features.service, rows, features.join_keys)


def _online(features: Features, store: FeatureStore) -> pl.DataFrame:
    """The same, each instant answered by what was materialised up to it; instants ascend, so that no older row comes late."""
    parts = []
    for instant in _instants():
        materialize(store, [VIEW], instant)
        at = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        keys = [{"author_id": author, "asked_at_us": at} for author in AUTHORS]
        answer = online_features(store, features.service, keys)
        ids = [f"{author}@{instant.isoformat()}" for author in AUTHORS]
        parts.append(pl.DataFrame({"row_id": ids, **{name: answer[name] for name in features.columns}}, strict=False))
    return pl.concat(parts, how="vertical_relaxed")


@pytest.fixture(scope="module")
def both(features: Features, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Offline and online answers for every author at every instant, the online ones in the offline types."""
    with features.store(tmp_path_factory.mktemp("online") / "online.db") as store:
        offline, online = _offline(features, store), _online(features, store)
    return offline, online.cast(dict(offline.schema))


def test_the_timeline_is_worth_asking(features: Features, both: Both) -> None:
    offline, _ = both
    assert offline.height == len(AUTHORS) * len(_instants()) > 80
    assert [name for name in features.columns if offline[name].n_unique() < 2] == []
    counts = offline.filter(pl.col("row_id").str.starts_with("ana@"))["timeline_history__valence_count"]
    assert counts.unique().sort().to_list() == [None, 1, 2, 3, 5, 6, 7]
    assert counts.is_sorted()


def test_online_equals_offline_in_every_feature_at_every_instant(features: Features, both: Both) -> None:
    offline, online = both
    assert online["row_id"].equals(offline["row_id"])
    unlike = {name: offline["row_id"].filter(offline[name].ne_missing(online[name])).to_list() for name in features.columns}
    assert {name: rows for name, rows in unlike.items() if rows} == {}


def test_a_label_is_seen_one_microsecond_after_it_is_known(both: Both) -> None:
    for answers in both:
        seen = dict(answers.select("row_id", "timeline_now__history").iter_rows())
        assert seen["ana@2025-03-03T18:00:00+00:00"] == 0
        assert seen["ana@2025-03-03T18:00:00.000001+00:00"] == 1
        assert seen["ana@2025-03-07T12:00:00+00:00"] == 3
        assert seen["ana@2025-03-07T12:00:00.000001+00:00"] == 5
        assert seen["nobody@2025-03-07T12:00:00.000001+00:00"] == 0


def test_nothing_is_seen_that_was_known_too_late(both: Both) -> None:
    for answers in both:
        asked = answers["row_id"].str.split("@").list.last().str.to_datetime(time_unit="us", time_zone="UTC").dt.timestamp("us")
        assert answers.filter(pl.col("timeline_history__source_at") >= asked)["row_id"].to_list() == []
