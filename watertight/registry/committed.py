"""What git says of a registry's files: whether one was changed after it was recorded, and how to end a conflict."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from watertight.core.errors import Misuse
from watertight.registry.history import MODELS, Registry
from watertight.registry.records import VersionRecord
from watertight.registry.repository import git, shallow, succeeds, unclean

COMMIT = "commit "


@dataclass
class _Past:
    """A file's past, the newest first: the commit and the blob that it was added with, and the commits that changed it."""

    added: str = ""
    blob: str = ""
    changes: list[str] = field(default_factory=list)


def changed(registry: Registry, named: Container[str]) -> Iterator[tuple[str, str, str]]:
    """Records and looks that are not as they were first committed, or not committed at all: place, what is wrong, what helps.

    As far back as git has commits. A look that is not committed is a fault where it is ``named`` by an event: else the next
    promotion commits it. A version that was taken out is no fault here: where an event names it, it is missed.
    """
    root = registry.root
    folders = [f"{MODELS}/{registry.model}/{kind}" for kind in ("versions", "events", "looks")]
    open_ = [place for place in unclean(root) if place.startswith(tuple(f"{folder}/" for folder in folders))]
    now = dict(_blobs(registry, folders))
    for place in open_:
        tracked = (place, "it is not as committed", f"git diff HEAD -- {place}; git checkout HEAD -- {place}")
        if place in now:
            yield tracked
        elif "/looks/" not in place or PurePosixPath(place).stem in named:
            yield place, "it is not committed", not_ended(registry.model)
    for place, past in _pasts(registry, folders).items():
        gone = place not in now and "/versions/" not in place
        if place not in open_ and past.changes and (gone or now.get(place, past.blob) != past.blob):
            what = f"it was {'removed' if gone else 'changed'} after it was recorded, by commit {past.changes[0]}"
            yield place, what, f"git checkout {past.added} -- {place}"


def not_ended(model: str) -> str:
    """What ends a promotion that was cut off before its commit, or undoes it: version, event and looks stand or fall as one."""
    folder = f"{MODELS}/{model}"
    end = f"git add {folder} && git commit --message 'what was recorded of {model}' -- {folder}"
    return f"{end}\n    or, to do it again: git reset --quiet -- {folder} && git clean -d --force --quiet -- {folder}"


def unreachable(registry: Registry, records: Sequence[VersionRecord]) -> list[VersionRecord]:
    """The versions whose commit this clone does not have, though it has all that it should; none of a shallow clone."""
    if not records or shallow(registry.root):
        return []
    asked = {record.revision for record in records}
    here = set(git(registry.root, "rev-list", "--no-walk", "--ignore-missing", *asked).split())
    return [record for record in records if record.revision not in here]


def uncommitted(registry: Registry) -> set[int]:
    """The numbers of the events whose files are not as in git; one question, and none where git does not answer."""
    folder = f"{MODELS}/{registry.model}/events"
    try:
        told = git(registry.root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", folder)
    except Misuse:
        return set()
    stems = [PurePosixPath(line[3:]).stem for line in told.split("\0") if line]
    return {int(stem) for stem in stems if stem.isdecimal()}


def _blobs(registry: Registry, folders: list[str]) -> Iterator[tuple[str, str]]:
    for line in git(registry.root, "ls-tree", "-r", "-z", "HEAD", "--", *folders).split("\0"):
        if line:
            facts, _, place = line.partition("\t")
            yield place, facts.split()[2]


def _pasts(registry: Registry, folders: list[str]) -> dict[str, _Past]:
    """Of a merge only what is as in none of its parents counts as a change of that merge."""
    wanted = ("log", "-c", "--raw", "--no-abbrev", "--no-renames", f"--format={COMMIT}%h", "--relative", "--", *folders)
    found: dict[str, _Past] = {}
    commit = ""
    for line in git(registry.root, *wanted).splitlines():
        if line.startswith(COMMIT):
            commit = line.removeprefix(COMMIT)
        elif line.startswith(":"):
            facts, _, place = line.partition("\t")
            *_, blob, status = facts.split()
            past = found.setdefault(place, _Past())
            if status == "A":
                past.added, past.blob = commit, blob
            else:
                past.changes.append(commit)
    return found


def way_out(registry: Registry) -> str | None:
    """The commands that give up one's own unpushed records for those that were pushed first; looks at test sets stay.

    Null where git is in no merge and in no rebase, so that there is no theirs to keep.
    """
    folders = " ".join(f"{MODELS}/{registry.model}/{kind}" for kind in ("versions", "events"))
    for theirs, in_it, end in (
        ("MERGE_HEAD", "MERGE_HEAD", "git commit --no-edit"),
        ("HEAD", "REBASE_HEAD", "GIT_EDITOR=true git rebase --continue"),
    ):
        if succeeds(registry.root, "rev-parse", "--verify", "--quiet", in_it):
            kept = f"git rm -rfq --ignore-unmatch {folders} && git checkout {theirs} -- {folders} && {end}"
            return f"{kept}\n  then: watertight verify {registry.model}, and promote again on top of theirs"
    return None
