"""An online store that is written from Arrow, without a protobuf message a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa
from feast import FeatureView, RepoConfig

EVENT_TIMESTAMP = "event_timestamp"
CREATED_TIMESTAMP = "created_timestamp"


@runtime_checkable
class TakesArrow(Protocol):
    """What whoever materialises asks of an online store before it converts rows one by one."""

    def online_write_arrow(self, config: RepoConfig, table: FeatureView, rows: pa.Table, progress: Callable[[int], Any]) -> None:
        """Write ``rows`` of a view; newest event wins, ties go to the newest created.

        ``rows`` has the join keys by join-key name, the features by feature name, ``event_timestamp``
        (``timestamp[us, tz=UTC]``, not null) and, where the source has one, ``created_timestamp`` (the same type, null
        is unknown and older than any). Any number of chunks, any order, and keys may repeat. ``progress`` is told
        how many of ``rows`` were written since it was last told.
        """
        ...
