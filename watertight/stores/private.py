"""A Feast store of one's own: the registry is rebuilt from the declarations by whoever needs it, then thrown away."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from feast import FeatureStore, RepoConfig

from watertight.core.declare import read_yaml
from watertight.stores.definitions import Definitions
from watertight.stores.online_store import CLASS_PATH


@contextmanager
def private_store(definitions: Definitions, config: Path, online: Path | None = None) -> Iterator[FeatureStore]:
    """A Feast store with exactly these definitions applied.

    ``config`` is a ``feature_store.yaml``; its registry is replaced by a SQLite one in a temporary folder, because a
    registry's bytes change at every apply and two processes must not share one. ``online`` replaces the path of an
    embedded online store; without it the online store is an empty one in the temporary folder, because to apply
    definitions is to write to the online store, and whoever only joins has no business there.
    """
    with tempfile.TemporaryDirectory(prefix="watertight-registry-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store = FeatureStore(config=_config(config, Path(folder), online))
        store.apply(definitions.objects())
        logging.getLogger("feast").setLevel(logging.WARNING)
        try:
            yield store
        finally:
            # With the connection goes the write-ahead log: what was written is one file.
            asyncio.run(store.close())


def _config(path: Path, folder: Path, online: Path | None) -> RepoConfig:
    declared: dict[str, Any] = dict(read_yaml(path))
    declared["registry"] = {"registry_type": "sql", "path": f"sqlite:///{folder / 'registry.db'}"}
    if online is None:
        declared["online_store"] = {"type": CLASS_PATH, "path": str(folder / "online.db")}
    elif "path" in declared.get("online_store", {}) or declared.get("online_store", {}).get("type") == CLASS_PATH:
        declared["online_store"] = {**declared["online_store"], "path": str(online)}
    return RepoConfig(**declared, repo_path=path.parent)
