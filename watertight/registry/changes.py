"""What a person does to a model's stages without new evidence: take one back, bar a version. A git commit of one file each."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from watertight.core.errors import Misuse, Refusal
from watertight.registry.history import MODELS, Registry, registry_of
from watertight.registry.objects import Objects
from watertight.registry.periods import came_before
from watertight.registry.records import VersionRecord
from watertight.registry.repository import commit, demand_branch, person, unclean
from watertight.registry.tags import demand_taggable


def rolled_back(
    root: Path, model: str, stage: str, version: str | None, reason: str, now: datetime, tag: bool = False
) -> dict[str, Any]:
    """Give ``stage`` to ``version``, by default to what it held before; record and commit it. ``tag``: it is to be tagged then.

    Raises Refusal where the version never held the stage, is deprecated or holds it now, where its bundle cannot be had, or where
    files of the registry are not committed or HEAD is on no branch; Misuse where nothing was held before.
    """
    demand_reason(reason)
    registry = _ready(root, model)
    held = registry.holders().get(stage)
    if not held:
        registry.resolve(stage=stage)
    to = version or _before(registry, stage)
    if held and held.version == to:
        raise Refusal(f"{model} {to} holds {stage} already", next_step=f"watertight history {model}")
    record = registry.version(to)
    _demand_usable(registry, to)
    _demand_held(registry, stage, record)
    if tag:
        demand_taggable(registry, record, stage)
    Objects(root).fetch(record.bundle)
    path = registry.append("rollback", to, stage=stage, at=now, by=person(root), reason=reason)
    made = _committed(root, path, f"roll {model} {stage} back to {to}: {reason}")
    return {"model": model, "stage": stage, "version": to, "instead of": held.version if held else None, "commit": made}


def deprecated(root: Path, model: str, version: str, reason: str, now: datetime, tag: bool = False) -> dict[str, Any]:
    """Bar ``version`` from every stage for ever; record and commit it. Raises Refusal where it holds one, or is barred.

    ``tag``: it is to be tagged then, so that what stands against that is told before anything is recorded.
    """
    demand_reason(reason)
    registry = _ready(root, model)
    record = registry.version(version)
    stages = [stage for stage, event in registry.holders().items() if event.version == version]
    if stages:
        raise Refusal(
            f"{model} {version} holds {', '.join(stages)}",
            expected="a version that holds no stage",
            next_step=f"watertight rollback {model} --to {stages[0]} --reason …, or promote another",
        )
    _demand_usable(registry, version)
    if tag:
        demand_taggable(registry, record)
    path = registry.append("deprecation", version, at=now, by=person(root), reason=reason)
    made = _committed(root, path, f"deprecate {model} {version}: {reason}")
    return {"model": model, "version": version, "deprecated": reason, "commit": made}


def _ready(root: Path, model: str) -> Registry:
    """The registry, on a branch and every file of it committed: what is recorded next stands on what others will see."""
    registry = registry_of(root, model)
    demand_branch(root)
    folders = tuple(f"{MODELS}/{model}/{kind}/" for kind in ("versions", "events"))
    loose = [place for place in unclean(root) if place.startswith(folders)]
    if loose:
        raise Refusal(
            f"the registry of {model} is not what is committed: {', '.join(loose)}", next_step=f"watertight verify {model}"
        )
    return registry


def _before(registry: Registry, stage: str) -> str:
    barred = registry.deprecated()
    found = next((version for version in came_before(registry.events(), stage) if version not in barred), None)
    if found is None:
        raise Misuse(
            f"{registry.model} held nothing else in {stage} before that may be used",
            next_step=f"watertight promote {registry.model} --rev REVISION --to {stage}",
        )
    return found


def demand_reason(reason: str) -> None:
    """Raise Misuse where nothing is said: the reason is all that those who come later have."""
    if not reason.strip():
        raise Misuse("the reason is empty", expected="why, in words; it is recorded for ever", next_step="--reason WHY")


def _demand_held(registry: Registry, stage: str, record: VersionRecord) -> None:
    """Raise Refusal where the version never was in the stage: nothing was ever shown that would let it in."""
    if record.version not in {event.version for event in registry.events() if event.stage == stage}:
        raise Refusal(
            f"{registry.model} {record.version} never held {stage}, so there is nothing to go back to",
            expected=f"a version that held {stage} before; another is promoted, on evidence",
            next_step=f"watertight promote {registry.model} --rev {record.revision[:12]} --to {stage}",
        )


def _demand_usable(registry: Registry, version: str) -> None:
    if version in registry.deprecated():
        raise Refusal(f"{registry.model} {version} is deprecated", next_step=f"watertight history {registry.model}: who, and why")


def _committed(root: Path, path: Path, message: str) -> str:
    """The commit of one new file, which does not stay where git does not take it."""
    try:
        return commit(root, [path], message)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
