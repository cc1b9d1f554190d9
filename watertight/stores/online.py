"""The online store: the newest state of every entity, and its features at an instant."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feast import FeatureService, FeatureStore

from watertight.core.errors import Misuse
from watertight.stores.online_store import CLASS_PATH, WatertightOnlineStore
from watertight.stores.packed.search.embeddings import Embeddings

EPOCH = datetime(1970, 1, 2, tzinfo=UTC)


def materialize(store: FeatureStore, views: Sequence[str], until: datetime) -> None:
    """Write, of each view, every entity's newest row with an event timestamp up to ``until`` into the online store."""
    # Feast prints a page of its own; the stage tells what it wrote.
    with contextlib.redirect_stdout(io.StringIO()):
        store.materialize(start_date=EPOCH, end_date=until, feature_views=list(views))


def online_features(
    store: FeatureStore, features: FeatureService | Sequence[str], keys: Sequence[dict[str, Any]]
) -> dict[str, list[Any]]:
    """The features of each key, ``<view>__<feature>``, as lists in the order of ``keys``; unknown is None.

    ``features`` are a service's, under the names by which it serves them, or named ones (``view:feature``). ``keys``
    carry the join keys and what on-demand views ask for, such as ``asked_at_us``.
    """
    asked = features if isinstance(features, FeatureService) else list(features)
    return store.get_online_features(features=asked, entity_rows=list(keys), full_feature_names=True).to_dict()


@dataclass(frozen=True)
class Near:
    """An entity by its join ``key``, the ``cosine`` of its vector to the query, and its ``features`` by name."""

    key: dict[str, Any]
    cosine: float
    features: dict[str, Any]


def nearest(store: FeatureStore, view: str, features: Sequence[str], vector: Sequence[float], top: int) -> list[Near]:
    """The ``top`` entities of ``view`` nearest to ``vector`` by cosine, nearest first, with at least one of their features.

    The view has one field with ``vector_index=True``; an entity without a vector is not found.
    """
    asked = [f"{view}:{name}" for name in features]
    answer = store.retrieve_online_documents_v2(features=asked, query=list(vector), top_k=top, distance_metric="cosine").to_dict()
    distances = answer.pop("distance")
    columns = {name: answer.pop(name) for name in features}
    return [
        Near(
            {name: values[place] for name, values in answer.items()},
            1 - distance,
            {name: columns[name][place] for name in columns},
        )
        for place, distance in enumerate(distances)
    ]


def embeddings(store: FeatureStore, view: str, wide: int) -> Embeddings:
    """Every vector of ``view``, of ``wide`` numbers, with its entity, in the order of the join keys.

    The view has one field with ``vector_index=True``; an entity without a vector is left out. Feast has no call for it that
    does not build an answer of Python objects. Raises Misuse where the online store is not the embedded one.
    """
    online = store.provider.online_store
    if not isinstance(online, WatertightOnlineStore):
        raise Misuse(
            f"the online store {type(online).__name__} does not give out every vector of a view",
            expected="the embedded online store",
            next_step=f"online_store: {{type: {CLASS_PATH}}} in feature_store.yaml",
        )
    return online.embeddings(store.config, store.get_feature_view(view), wide)
