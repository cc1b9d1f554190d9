"""Feast's compute engine, faster: what ``materialize`` and ``materialize_incremental`` run on.

In ``feature_store.yaml``::

    batch_engine:
      type: watertight.stores.compute_engine.WatertightComputeEngine

It writes into every online store of Feast's: as Arrow into one that takes it, in bulk and in Feast's own layout into
Redis and PostgreSQL, and by ``online_write_batch`` into any other. Rows are read, converted and written in batches of
at most 8 MB and 10,000 rows, or ``materialization.online_write_batch_size`` rows.

Nothing is kept about how far a run came. Writing is idempotent and newest wins, so that a run that was killed is simply
run again: what is there is confirmed or replaced, whatever became of the source in between.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Literal

from feast.infra.common.materialization_job import MaterializationJobStatus, MaterializationTask
from feast.infra.compute_engines.dag.context import ColumnInfo
from feast.infra.compute_engines.local.compute import LocalComputeEngine
from feast.infra.compute_engines.local.feature_builder import LocalFeatureBuilder
from feast.infra.compute_engines.local.job import LocalMaterializationJob
from feast.infra.offline_stores.offline_store import OfflineStore
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel, RepoConfig

from watertight.stores.bulk.fast_path import obstacle
from watertight.stores.bulk.pulled import pull
from watertight.stores.bulk.tally import Tally
from watertight.stores.bulk.target import Target
from watertight.stores.bulk.telling import telling
from watertight.stores.bulk.writers import writer_for

logger = logging.getLogger(__name__)


class WatertightComputeEngineConfig(FeastConfigBaseModel):
    """``backend`` (``pandas`` or ``polars``) is for the views that Feast's own engine does: those with transformations."""

    type: Literal["watertight.stores.compute_engine.WatertightComputeEngine"] = (
        "watertight.stores.compute_engine.WatertightComputeEngine"
    )
    backend: str | None = None


class WatertightComputeEngine(LocalComputeEngine):
    """Materialises plain views column-wise, and hands every other one to Feast's local engine."""

    def __init__(
        self,
        *,
        repo_config: RepoConfig,
        offline_store: OfflineStore,
        online_store: OnlineStore,
        type: str = "",
        backend: str | None = None,
    ) -> None:
        super().__init__(backend, repo_config=repo_config, offline_store=offline_store, online_store=online_store)

    def _materialize_one(self, registry: BaseRegistry, task: MaterializationTask, **kwargs: Any) -> LocalMaterializationJob:
        reason = obstacle(task)
        if reason:
            logger.info("view %s is materialised by Feast's own engine: %s", task.feature_view.name, reason)
            return super()._materialize_one(registry, task, **kwargs)
        name = f"{task.feature_view.name}-{task.start_time}-{task.end_time}"
        try:
            self._write(registry, task)
        except Exception as error:  # Feast's contract: a job that failed carries its error, and Feast raises it.
            return LocalMaterializationJob(name, MaterializationJobStatus.ERROR, error)
        return LocalMaterializationJob(name, MaterializationJobStatus.SUCCEEDED)

    def _write(self, registry: BaseRegistry, task: MaterializationTask) -> None:
        view = task.feature_view
        target = Target(self.repo_config, self.online_store, view)
        pulled = pull(target, self.offline_store, self._columns(registry, task), task)
        with telling(task, pulled.total) as tell:
            tally = Tally(view.name, tell)
            writer_for(self.online_store, self.repo_config.online_store)(target, tally.reading(pulled), tally)
            tally.demand_all()

    def _columns(self, registry: BaseRegistry, task: MaterializationTask) -> ColumnInfo:
        """How the source calls the view's columns. Feast would map them as the stream source does, which is not read."""
        backend = self._get_backend(self.get_execution_context(registry, task))
        view: Any = task.feature_view
        columns = LocalFeatureBuilder(registry, task, backend).get_column_info(view)
        return replace(columns, field_mapping=view.batch_source.field_mapping)
