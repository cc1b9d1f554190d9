"""The model registry: what there is, what held which stage when and why, taking back, barring, checking it all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watertight.cli.running import Json, run_at_root

Selector = Annotated[str, typer.Argument(help="MODEL, MODEL@VERSION or MODEL#STAGE; a model alone: its prod, else the newest.")]
Model = Annotated[str, typer.Argument(help="A model of the registry.")]
Tag = Annotated[bool, typer.Option("--tag", help="Write the model's events as git tags too, in the form of GTO.")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]


def models(
    model: Annotated[str | None, typer.Argument(help="List the versions of this model; default: all models.")] = None,
    as_json: Json = False,
) -> None:
    """List models with what holds each stage, or the versions of one; with headline figures and age."""

    def work(root: Path) -> Any:
        from datetime import UTC, datetime

        from watertight.registry import overview
        from watertight.registry.history import registry_of

        rows = overview.versions(registry_of(root, model)) if model else overview.models(root)
        return rows if as_json else overview.as_text(rows, datetime.now(UTC)) or "no model has a version yet"

    run_at_root(model or "", "models", work, as_json)


def show(selector: Selector, as_json: Json = False) -> None:
    """Print a version: what it is and holds, why it was promoted, and the card of its bundle."""

    def work(root: Path) -> Any:
        from watertight.registry.bundle_card import card_of  # DVC behind it
        from watertight.registry.shown import shown, shown_text

        registry, record = _selected(root, selector)
        tell = shown if as_json else shown_text
        return tell(registry, record, lambda record: card_of(root, record))

    run_at_root(selector, "show", work, as_json)


def history(
    model: Model,
    at: Annotated[str | None, typer.Option(help="Only what held a stage on this day, or at this moment (ISO 8601, UTC).")] = None,
    as_json: Json = False,
) -> None:
    """Tell who held which stage from when to when, and why, with the evidence."""

    def work(root: Path) -> Any:
        from watertight.registry.diary import diary, diary_text
        from watertight.registry.history import registry_of
        from watertight.registry.moments import span

        tell = diary if as_json else diary_text
        return tell(registry_of(root, model), span(at) if at else None)

    run_at_root(model, "history", work, as_json)


def lineage(selector: Selector, as_json: Json = False) -> None:
    """Print where a version comes from: drops, views, training set, models, bundle, events, each with its hash."""

    def work(root: Path) -> Any:
        from watertight.registry.lineage import lineage as told

        return told(*_selected(root, selector))

    run_at_root(selector, "lineage", work, as_json)


def deprecate(
    selector: Annotated[str, typer.Argument(help="MODEL@VERSION, which holds no stage.")],
    reason: Reason,
    tag: Tag = False,
    as_json: Json = False,
) -> None:
    """Bar a version from every stage for ever; committed, and yours to push."""

    def work(root: Path) -> Any:
        from datetime import UTC, datetime

        from watertight.core.errors import Misuse
        from watertight.registry.changes import deprecated  # DVC behind it
        from watertight.registry.history import parse_selector

        model, version, _ = parse_selector(selector)
        if not version:
            raise Misuse(f"{selector!r} names no version", expected="MODEL@VERSION, such as judge@1.2.0")
        return deprecated(root, model, version, reason, datetime.now(UTC), tag) | _tagged(root, model, tag)

    run_at_root(selector, "deprecate", work, as_json)


def rollback(
    model: Model,
    reason: Reason,
    stage: Annotated[str, typer.Option("--to", help="The stage that is taken back.")] = "prod",
    version: Annotated[str | None, typer.Option(help="The version it goes back to; default: the one before.")] = None,
    tag: Tag = False,
    as_json: Json = False,
) -> None:
    """Give a stage back to the version that held it before; committed, and yours to push."""

    def work(root: Path) -> Any:
        from datetime import UTC, datetime

        from watertight.registry.changes import rolled_back  # DVC behind it

        return rolled_back(root, model, stage, version, reason, datetime.now(UTC), tag) | _tagged(root, model, tag)

    run_at_root(model, "rollback", work, as_json)


def verify(
    model: Annotated[str | None, typer.Argument(help="A model of the registry; default: all.")] = None, as_json: Json = False
) -> None:
    """Check every file of the registry, and that every bundle is on the DVC remote; exit 1 with every fault."""
    found: list[Any] = []

    def work(root: Path) -> Any:
        from watertight.registry.history import registries, registry_of
        from watertight.registry.objects import Objects  # DVC behind it
        from watertight.registry.verified import verified, verified_text

        asked = [registry_of(root, model)] if model else registries(root)
        missing = Objects(root).missing
        told = {registry.model: verified(registry, missing) for registry in asked}
        found.extend(fault for faults in told.values() for fault in faults)
        return {name: [vars(fault) for fault in faults] for name, faults in told.items()} if as_json else verified_text(told)

    run_at_root(model or "", "verify", work, as_json)
    if found:
        raise typer.Exit(1)


def _selected(root: Path, selector: str) -> tuple[Any, Any]:
    """The registry and the version's record that a selector means."""
    from watertight.registry.history import parse_selector, registry_of

    model, version, stage = parse_selector(selector)
    registry = registry_of(root, model)
    return registry, registry.resolve(version, stage)


def _tagged(root: Path, model: str, asked: bool) -> dict[str, Any]:
    from watertight.registry.history import Registry
    from watertight.registry.tags import write_tags

    return {"tags": write_tags(Registry(root, model))} if asked else {}
