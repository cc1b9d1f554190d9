"""Feast's retrieval job: what was asked, worked out each time that it is read."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.saved_dataset import SavedDatasetStorage

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.destinations import Destination, batches_of, saved_in

ROWS_IN_A_FILE = 1_000_000


@dataclass(frozen=True)
class Answers:
    """Where the rows of a job come from: a ``table`` at once, or ``batches`` of at most so many rows; ``count`` once known.

    ``schema`` is theirs, for an answer without rows, which may have no batch at all.
    """

    schema: Callable[[], pa.Schema]
    table: Callable[[], pa.Table]
    batches: Callable[[int], Iterator[pa.RecordBatch]]
    count: Callable[[], int | None] = lambda: None


def of_table(table: Callable[[], pa.Table]) -> Answers:
    """Rows that are worked out as one table."""
    return Answers(lambda: table().schema, table, lambda rows: iter(table().to_batches(max_chunksize=rows)))


def of_batches(
    schema: pa.Schema, batches: Callable[[int], Iterator[pa.RecordBatch]], count: Callable[[], int | None] = lambda: None
) -> Answers:
    """Rows that come batch by batch."""
    return Answers(lambda: schema, lambda: pa.Table.from_batches(batches(ROWS_IN_A_FILE), schema), batches, count)


class WatertightRetrievalJob(RetrievalJob):
    """A job over Answers; ``record_batches`` streams what has no on-demand views on top."""

    def __init__(
        self,
        answers: Answers,
        repo_path: str | None,
        metadata: RetrievalMetadata | None = None,
        on_demand: tuple[OnDemandFeatureView, ...] = (),
        full_names: bool = False,
        staging: str | None = None,
    ) -> None:
        self.answers, self.repo_path, self.staging = answers, repo_path, staging
        self._metadata, self._on_demand, self._full_names = metadata, list(on_demand), full_names

    @property
    def full_feature_names(self) -> bool:
        """Whether features are named with their view."""
        return self._full_names

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        """The views that Feast works out on top."""
        return self._on_demand

    @property
    def metadata(self) -> RetrievalMetadata | None:
        """What was asked for, and for which span of time."""
        return self._metadata

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        return self.answers.table()

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._to_arrow_internal().to_pandas()

    def record_batches(self, max_rows: int = ROWS_IN_A_FILE) -> Iterator[pa.RecordBatch]:
        """The rows in batches of at most ``max_rows``; with on-demand views these are worked out on all rows first."""
        if self._on_demand:
            yield from self.to_arrow().to_batches(max_chunksize=max_rows)
        else:
            yield from self.answers.batches(max_rows)

    def row_count(self) -> int | None:
        """How many rows ``record_batches`` has in all: known from its first batch on, where it can be; None before."""
        return self.answers.count()

    def persist(self, storage: SavedDatasetStorage, allow_overwrite: bool = False, timeout: int | None = None) -> None:
        """Write the rows to a Parquet file, or into a folder where the path does not end in ``.parquet``; what exists is replaced
        by its like, a file by a file and a folder by a folder. An answer without rows is a file without rows.

        Raises Feast's SavedDatasetLocationAlreadyExists where something is there, unless it may be overwritten.
        """
        saved_in(storage, self.repo_path).write(self._at_least_one(), allow_overwrite)

    def supports_remote_storage_export(self) -> bool:
        """Whether the store has a ``staging_location``."""
        return self.staging is not None

    def to_remote_storage(self) -> list[str]:
        """Write the rows below the store's ``staging_location`` and answer the files; raises Misuse where it has none."""
        if self.staging is None:
            raise Misuse("the offline store has no staging_location", expected="offline_store: {staging_location: …}")
        folder = Destination.at(f"{self.staging.rstrip('/')}/{uuid.uuid4().hex}", self.repo_path)
        return folder.write(self._at_least_one(), overwrite=False)

    def _at_least_one(self) -> Iterator[pa.RecordBatch]:
        """The rows in batches; one empty batch of an answer without rows."""
        batches = self.record_batches()
        first = next(batches, None)
        if first is None:
            yield from batches_of(self._schema().empty_table())
        else:
            yield first
            yield from batches

    def _schema(self) -> pa.Schema:
        return self.to_arrow().schema if self._on_demand else self.answers.schema()
