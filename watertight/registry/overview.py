"""The models of a project, and the versions of one, a row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from watertight.registry.headlines import headline_text, headlines
from watertight.registry.history import Registry, registries
from watertight.registry.moments import age
from watertight.registry.records import Event


def models(root: Path) -> list[dict[str, Any]]:
    """A row per model and stage, or per model where nothing holds one: model, number of versions, newest, stage, version,
    ``since`` (when it got there, ISO 8601; null), headline figures.
    """
    return [row for registry in registries(root) for row in _of_model(registry)]


def _of_model(registry: Registry) -> Iterator[dict[str, Any]]:
    versions, held = registry.versions(), registry.holders()
    known = {"model": registry.model, "versions": len(versions), "newest": versions[-1] if versions else None}
    for stage, event in sorted(held.items()):
        yield {**known, "stage": stage, **_version(registry, event.version, event)}
    if not held and versions:
        yield {**known, "stage": None, **_version(registry, versions[-1], None)}


def _version(registry: Registry, version: str, event: Event | None) -> dict[str, Any]:
    figures = headlines(registry.version(version).figures)
    return {"version": version, "since": event.at.isoformat() if event else None, "figures": figures}


def versions(registry: Registry) -> list[dict[str, Any]]:
    """A row per version, the newest first: version, because, stages that it holds, whether deprecated, since, figures."""
    held, deprecated = registry.holders(), registry.deprecated()
    first: dict[str, Event] = {}
    for event in registry.events():
        first.setdefault(event.version, event)
    records = [registry.version(version) for version in reversed(registry.versions())]
    return [
        {
            "version": record.version,
            "stages": sorted(stage for stage, event in held.items() if event.version == record.version),
            "deprecated": record.version in deprecated,
            "since": first[record.version].at.isoformat() if record.version in first else None,
            "because": list(record.because),
            "figures": headlines(record.figures),
        }
        for record in records
    ]


def as_text(rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Rows for a terminal: figures in a line, and how long ago."""
    return [_row(row, now) for row in rows]


def _row(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    told = {name: ", ".join(value) if isinstance(value, list) else value for name, value in row.items() if name != "figures"}
    if "deprecated" in row:
        told["deprecated"] = "deprecated" if row["deprecated"] else ""
    told["age"] = age(datetime.fromisoformat(row["since"]), now) if row["since"] else ""
    del told["since"]
    return {**told, "figures": headline_text(row["figures"])}
