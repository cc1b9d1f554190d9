"""The bytes that a registry stands on, on the DVC remote: of every version its bundle; of one that holds a stage, what the next
candidate is judged by as well: its kept answers, and the training set that proves which rows it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from watertight.core.errors import Misuse
from watertight.registry.history import MODELS, Registry
from watertight.registry.records import Stored, VersionRecord

Missing = Callable[..., list[str]]
PUSH = "where it was made: dvc push {}, with its commit checked out"


@dataclass(frozen=True)
class Needed:
    """Bytes that the file at ``place`` needs, what they are, and what brings them back to the remote."""

    place: str
    stored: Stored
    what: str
    step: str


def needed(registry: Registry, versions: Mapping[str, VersionRecord], held: Mapping[str, str]) -> Iterator[Needed]:
    """Bundles, and the training sets of those that hold a stage. ``held``: by version a stage that it holds."""
    for version, record in versions.items():
        place = registry.place_of(version).relative_to(registry.root).as_posix()
        yield Needed(place, record.bundle, "its bundle", PUSH.format(f"artifacts/{registry.model}/bundle"))
        out = f"data/{registry.model}/training_set"
        for stage in record.stages.values() if version in held else ():
            if out in stage.outs:
                yield Needed(place, stage.outs[out], "the training set that it was fitted on", PUSH.format(out))


def answers(
    registry: Registry, versions: Mapping[str, VersionRecord], held: Mapping[str, str], looks: Mapping[str, Mapping[str, Any]]
) -> Iterator[Needed]:
    """The answers, kept by looks, of versions that hold a stage; but as of a drop, which no candidate is set beside."""
    stages = {versions[version].manifest: stage for version, stage in held.items() if version in versions}
    for name, look in looks.items():
        stage = stages.get(str(look.get("bundle")))
        if stage and "predictions" in look and "as_of" not in look:
            place = f"{MODELS}/{registry.model}/looks/{name}.json"
            step = f"watertight rescore {registry.model}#{stage}"
            yield Needed(place, Stored(**look["predictions"]), f"what the version in {stage} answered", step)


def out_of_reach(registry: Registry, wanted: Iterable[Needed], missing: Missing) -> Iterator[tuple[str, str, str]]:
    """What is not whole on the remote: place, what is wrong, what helps. One question for all, as long as nothing lacks."""
    listed = list(wanted)
    try:
        if not missing(*(one.stored for one in listed)):
            return
        lacking = [(one, names) for one in listed if (names := missing(one.stored))]
    except Misuse as error:
        yield f"{MODELS}/{registry.model}", error.what, error.next_step or ""
        return
    for one, names in lacking:
        yield one.place, f"{one.what} {one.stored.md5} is not whole on the DVC remote: {len(names)} object(s) lack", one.step
