"""Which writer suits the online store that is configured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import pyarrow as pa

from watertight.stores.bulk import into_arrow_store, into_feast_store
from watertight.stores.bulk.tally import Tally
from watertight.stores.bulk.target import Target
from watertight.stores.wire.takes_arrow import TakesArrow

Writer = Callable[[Target, Iterable[pa.RecordBatch], Tally], None]

REDIS = "feast.infra.online_stores.redis.RedisOnlineStore"
POSTGRES = "feast.infra.online_stores.postgres_online_store.postgres.PostgreSQLOnlineStore"


def writer_for(store: Any, options: Any) -> Writer:
    """How rows get into ``store`` fastest; ``options`` are its configuration.

    Only Feast's very own classes have Feast's layout; whoever inherits from them may have changed it. A Redis cluster
    (keys on many servers) and vectors in PostgreSQL (a type of pgvector's) go by Feast's own writer.
    """
    if isinstance(store, TakesArrow):
        return into_arrow_store.write
    kind = f"{type(store).__module__}.{type(store).__qualname__}"
    if kind == REDIS and options.redis_type != "redis_cluster":
        return _optional("into_redis")
    if kind == POSTGRES and not options.vector_enabled:
        return _optional("into_postgres")
    return into_feast_store.write


def _optional(module: str) -> Writer:
    """A writer whose libraries are there only where its store is."""
    write: Writer = import_module(f"watertight.stores.bulk.{module}").write
    return write
