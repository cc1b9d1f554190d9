"""The join: a feature service as of the moment each row was asked; every row comes back, in its order."""

from __future__ import annotations

import polars as pl
from feast import FeatureService, FeatureStore

from watertight.core.errors import Refusal
from watertight.core.time import microseconds
from watertight.core.view_spec import REQUEST_TIME
from watertight.stores.definitions import feature_columns, projections


def historical_features(store: FeatureStore, service: FeatureService, rows: pl.DataFrame, join_keys: list[str]) -> pl.DataFrame:
    """The features of ``service`` for each of ``rows``, as of its ``asked_at``: row_id and ``<view>__<feature>``.

    ``rows`` holds row_id, asked_at and every join key. A value is taken if its event timestamp *and* its creation are
    not later than ``asked_at``. A missing feature is null. Raises Refusal if a row is lost, added or doubled.
    """
    asked = rows.select("row_id", *join_keys, event_timestamp="asked_at", **{REQUEST_TIME: microseconds("asked_at")})
    job = store.get_historical_features(
        entity_df=asked.to_pandas(),
        features=service,
        full_feature_names=True,
        filter_by_created_timestamp=True,
    )
    answer = pl.from_arrow(job.to_arrow())
    if not isinstance(answer, pl.DataFrame):
        raise TypeError(f"the offline store answered {type(answer).__name__}, not a table")
    return in_order(rows["row_id"], answer.select("row_id", *feature_columns(service)))


def in_order(asked: pl.Series, answer: pl.DataFrame) -> pl.DataFrame:
    """``answer`` in the order of ``asked``; raises Refusal unless its row_ids are exactly those, each once."""
    lost = asked.filter(~asked.is_in(answer["row_id"].to_list()))
    surplus = answer.filter(pl.col("row_id").is_duplicated() | ~pl.col("row_id").is_in(asked.to_list()))["row_id"]
    if len(lost) or len(surplus):
        raise Refusal(
            f"the join lost {len(lost)} row(s) and added or doubled {len(surplus)}",
            rows=[*lost.to_list(), *surplus.unique(maintain_order=True).to_list()],
            expected=f"the {len(asked)} rows that were asked, each once",
        )
    return asked.to_frame("row_id").join(answer, on="row_id", how="left", maintain_order="left")


def join_keys(service: FeatureService, keys: dict[str, list[str]]) -> list[str]:
    """The rows' columns that a service joins on, given each view's own join keys; aliases give their own names."""
    named = [view["keys"].get(key, key) for view in projections(service).values() for key in keys.get(view["view"], [])]
    return list(dict.fromkeys(named))
