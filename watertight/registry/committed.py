"""What git says of a registry's files: whether one was changed after it was recorded, and how to end a conflict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watertight.registry.history import MODELS, Registry
from watertight.registry.repository import git, succeeds, unclean

COMMIT = "commit "


@dataclass
class _Past:
    """A file's past, the newest first: the commit and the blob that it was added with, and the commits that changed it."""

    added: str = ""
    blob: str = ""
    changes: list[str] = field(default_factory=list)


def changed(registry: Registry) -> Iterator[tuple[str, str, str]]:
    """Records that are not as they were first committed, or not committed at all: place, what is wrong, what helps.

    As far back as git has commits. A version that was taken out is no fault here: where an event names it, it is missed.
    """
    root = registry.root
    folders = [f"{MODELS}/{registry.model}/{kind}" for kind in ("versions", "events")]
    open_ = [place for place in unclean(root) if place.startswith(tuple(f"{folder}/" for folder in folders))]
    now = dict(_blobs(registry, folders))
    for place in open_:
        tracked = (place, "it is not as committed", f"git diff HEAD -- {place}; git checkout HEAD -- {place}")
        yield tracked if place in now else (place, "it is not committed", f"git add {place}; git commit, or remove it")
    for place, past in _pasts(registry, folders).items():
        gone = place not in now and "/events/" in place
        if place not in open_ and past.changes and (gone or now.get(place, past.blob) != past.blob):
            what = f"it was {'removed' if gone else 'changed'} after it was recorded, by commit {past.changes[0]}"
            yield place, what, f"git checkout {past.added} -- {place}"


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
