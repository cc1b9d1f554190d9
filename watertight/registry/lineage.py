"""Where a version comes from: drops → views → training set → models → bundle → stages, each with its hash."""

from __future__ import annotations

from typing import Any

from watertight.registry.history import Registry
from watertight.registry.records import LockedStage, VersionRecord


def lineage(registry: Registry, record: VersionRecord) -> dict[str, Any]:
    """The chain of one version, from what came in to what happened to it; hashes are those of ``dvc.lock`` and of the record."""
    return {
        "model": f"{record.model} {record.version}",
        "drops": {name: {"rows": rows, **_sha(record.parts.get(name))} for name, rows in record.drops.items()},
        "source": {"name": record.source, **_outs(record, "ingest")},
        "views": {"service": record.service, "definition": record.signature, **record.views, "encoders": record.encoders},
        "features": _outs(record, "featurize"),
        "training set": _outs(record, "join"),
        "guard": {name: {"status": told.status, "sha256": told.digest} for name, told in record.verdicts.items()},
        "models": {"cell": record.cell, "families": list(record.families), **_outs(record, "train")},
        "bundle": {"md5": record.bundle.md5, "manifest": record.manifest, "revision": record.revision},
        "events": [_event(registry, number) for number in _numbers(registry, record.version)],
    }


def _outs(record: VersionRecord, stage: str) -> dict[str, str]:
    locked = record.stages.get(stage, LockedStage(cmd=""))
    return {place: stored.md5 for place, stored in locked.outs.items()}


def _sha(digest: str | None) -> dict[str, str]:
    return {"sha256": digest} if digest else {}


def _numbers(registry: Registry, version: str) -> list[int]:
    return [event.number for event in registry.events() if event.version == version]


def _event(registry: Registry, number: int) -> dict[str, Any]:
    event = registry.events()[number - 1]
    return event.model_dump(mode="json", include={"number", "kind", "stage", "at", "by", "reason", "digest"})
