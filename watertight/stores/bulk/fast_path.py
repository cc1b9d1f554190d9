"""What can be materialised column-wise: rows of one source as they stand, into the online store alone."""

from __future__ import annotations

from typing import Any

from feast.infra.common.materialization_job import MaterializationTask

from watertight.stores.wire.takes_arrow import CREATED_TIMESTAMP, EVENT_TIMESTAMP


def obstacle(task: MaterializationTask) -> str | None:
    """Why Feast's own engine has to do a task; None if there is no reason."""
    view: Any = task.feature_view
    taken = {EVENT_TIMESTAMP, CREATED_TIMESTAMP} & {field.name for field in [*view.features, *view.entity_columns]}
    reasons = {
        "it has no features": not view.features,
        "it is made of other views": bool(view.source_views) or view.batch_source is None,
        "it has a transformation": bool(getattr(view, "feature_transformation", None) or getattr(view, "udf", None)),
        "it has aggregations": bool(getattr(view, "aggregations", None)),
        "it has a filter": bool(getattr(view, "filter", None)),
        "it is validated while it is written": view.enable_validation,
        "it is not written to the online store alone": view.offline or not view.online,
        "all rows are asked for, not the newest": not task.only_latest,
        f"it has a column named {sorted(taken)}": bool(taken),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)
