"""The gate `serving`: a sample of rows gets the same features from the online store as from the join, at one instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
from feast import FeatureStore

from pipelines.features import Features
from watertight.checks.columns import OFFLINE, ONLINE
from watertight.checks.suite import declared, judge
from watertight.checks.verdict import Verdict
from watertight.core.digests import unit_interval
from watertight.core.tables import read_table
from watertight.core.time import microseconds
from watertight.core.view_spec import REQUEST_TIME
from watertight.stores.join import historical_features
from watertight.stores.online import EPOCH, online_features

SAMPLE = 200
SEED = 0


def judge_online(features: Features, store: FeatureStore) -> Verdict:
    """The verdict on ``store``, whose online side was filled: features of up to 200 rows, online beside offline.

    Both are asked at one instant after everything that the feature tables know, so that the newest state of each entity
    is due. On-demand views are computed on either side.
    """
    work = features.work
    asked = sampled(read_table(work.data("checked", "rows.parquet")), features.join_keys)
    asked = asked.with_columns(asked_at=pl.lit(_after_all(features), dtype=pl.Datetime("us", "UTC")))
    offline = historical_features(store, features.service, asked, features.join_keys)
    online = _online(features, store, asked)
    frame = pl.DataFrame(
        {
            "row_id": asked["row_id"],
            **{f"{OFFLINE}{name}": offline[name] for name in features.columns},
            **{f"{ONLINE}{name}": online[name] for name in features.columns},
        }
    )
    return judge("serving", frame, declared("serving", work.expectations))


def sampled(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Up to 200 rows that have every key, by a seeded hash, those of groups not yet drawn first: row_id and ``keys``."""
    rows = rows.drop_nulls(keys)
    drawn = pl.Series([unit_interval(SEED, "serving", row) for row in rows["row_id"]], dtype=pl.Float64)
    ordered = rows.with_columns(drawn=drawn).sort("drawn").with_columns(nth=pl.int_range(pl.len()).over("group_id"))
    return ordered.sort("nth", "drawn").head(SAMPLE).select("row_id", *keys)


def _online(features: Features, store: FeatureStore, asked: pl.DataFrame) -> dict[str, pl.Series]:
    at = asked.select(microseconds("asked_at")).to_series()
    keys = asked.select(features.join_keys).with_columns(at.alias(REQUEST_TIME)).to_dicts()
    answer: dict[str, list[Any]] = online_features(store, features.service, keys)
    return {name: pl.Series(name, answer[name], strict=False) for name in features.columns}


def _after_all(features: Features) -> datetime:
    """A second after the newest event and the newest creation in any feature table."""
    tables = [features.work.data("features", f"{name}.parquet") for name in features.specs]
    times = ["event_timestamp", "created_timestamp"]
    known = [pl.scan_parquet(table).select(pl.max_horizontal(pl.col(times).max())).collect().item() for table in tables]
    return max((at for at in known if at is not None), default=EPOCH) + timedelta(seconds=1)
