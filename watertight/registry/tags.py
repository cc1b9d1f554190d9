"""The events of a model as git tags in the form of GTO (1.10.1), for tools that read those; the files stay what is true.

``judge@v1.2.0`` registers a version, ``judge#prod#7`` gives it a stage, ``judge@v1.2.0!`` takes a deprecated one back, each an
annotated tag on the commit that the version is of. The last number is the event's, so that two clones write the same tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from watertight.core.errors import Refusal
from watertight.registry.history import Registry
from watertight.registry.records import Event, VersionRecord
from watertight.registry.repository import git, succeeds

PERSON = re.compile(r"(?P<name>.*?)\s*<(?P<mail>.*)>")


@dataclass(frozen=True)
class _Tag:
    name: str
    event: Event


def write_tags(registry: Registry) -> list[str]:
    """Write the tags that the model's events lack, and tell their names; they are yours to push.

    A tag bears the name of who did it and the time of its event in whole seconds, but each at least one after the one before:
    GTO tells which came last by seconds alone. Raises Refusal where a commit is not here, or a tag of a version is on another.
    """
    there = dict(_there(registry))
    made, last = [], 0
    for tag in _wanted(registry):
        record = registry.version(tag.event.version)
        if tag.name in there:
            target, seconds = there[tag.name]
            _demand_same(tag.name, target, record.revision)
        else:
            seconds = max(int(tag.event.at.timestamp()), last + 1)
            _write(registry, tag, record, seconds)
            made.append(tag.name)
        last = max(last, seconds)
    return made


def demand_taggable(registry: Registry, record: VersionRecord, stage: str = "") -> None:
    """Raise Refusal where ``write_tags`` would, once ``record`` were put into ``stage`` (or, without one, deprecated) next.

    For a command to ask before it records anything; ``record`` need not be in the registry yet.
    """
    there = dict(_there(registry))
    wanted = {tag.name: registry.version(tag.event.version) for tag in _wanted(registry)}
    version = f"{record.model}@v{record.version}"
    wanted |= {version: record, _name(record.model, record.version, stage, len(registry.events()) + 1): record}
    for name, of in wanted.items():
        if name in there:
            _demand_same(name, there[name][0], of.revision)
    for of in {of.version: of for name, of in wanted.items() if name not in there}.values():
        _demand_here(registry, of)


def _name(model: str, version: str, stage: str, number: int) -> str:
    return f"{model}#{stage}#{number}" if stage else f"{model}@v{version}!"


def _wanted(registry: Registry) -> Iterator[_Tag]:
    """In the order of the events; a version's own tag before the first that uses it."""
    registered = set()
    for event in registry.events():
        version = f"{event.model}@v{event.version}"
        if version not in registered:
            yield _Tag(version, event)
            registered.add(version)
        yield _Tag(_name(event.model, event.version, event.stage, event.number), event)


def _there(registry: Registry) -> Iterator[tuple[str, tuple[str, int]]]:
    """The model's tags that are there: name → commit and time, in seconds; nothing and 0 for one without annotation."""
    patterns = [f"refs/tags/{registry.model}{mark}*" for mark in "@#"]
    told = git(registry.root, "for-each-ref", "--format=%(refname:strip=2) %(*objectname) %(taggerdate:unix)", *patterns)
    for line in told.splitlines():
        name, *facts = line.split()
        yield name, (facts[0], int(facts[1])) if len(facts) == 2 else ("", 0)


def _write(registry: Registry, tag: _Tag, record: VersionRecord, seconds: int) -> None:
    _demand_here(registry, record)
    event = tag.event
    found = PERSON.fullmatch(event.by)
    who = {"GIT_COMMITTER_NAME": found["name"], "GIT_COMMITTER_EMAIL": found["mail"]} if found else {}
    message = f"{event.kind} of {event.model} {event.version}{f' to {event.stage}' if event.stage else ''}, event {event.number}"
    written = ("tag", "--annotate", "--no-sign", "--message", f"{message}\n\n{event.reason}", tag.name, record.revision)
    git(registry.root, *written, **who, GIT_COMMITTER_DATE=f"{seconds} +0000")


def _demand_here(registry: Registry, record: VersionRecord) -> None:
    if not succeeds(registry.root, "cat-file", "-e", f"{record.revision}^{{commit}}"):
        raise Refusal(
            f"commit {record.revision[:12]} of {record.model} {record.version} is not here, so it cannot be tagged",
            next_step="git fetch --unshallow, or git fetch origin COMMIT",
        )


def _demand_same(name: str, target: str, commit: str) -> None:
    if target != commit:
        raise Refusal(
            f"the tag {name} is on commit {target[:12]}" if target else f"the tag {name} has no annotation",
            expected=f"an annotated tag on commit {commit[:12]}, which the version is of",
            next_step=f"git tag --delete {name}, unless somebody else's tools put it there",
        )
