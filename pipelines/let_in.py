"""Let a drop in: its good rows become a part of the history, its bad ones wait in quarantine, the ledger says so last."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from pipelines.drop import Drop
from pipelines.quarantine import place
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse
from watertight.core.ledger import Part, Section, read_ledger, write_ledger
from watertight.core.project import Workload
from watertight.core.tables import replacing, write_table


@contextmanager
def alone(work: Workload) -> Iterator[None]:
    """Wait until no other process lets a drop of this workload in; the lock of a process ends with it, however it ends."""
    file = work.data(".drops.lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def let_in(drop: Drop) -> Part:
    """Write the part, track it by DVC, set the bad rows aside, and enter the drop in the ledger.

    All but the ledger is named by content, so a process that dies in between leaves nothing that counts, and running it
    again ends the work.
    """
    digest = _tracked(drop)
    _set_aside(drop)
    entered = Part(name=drop.name, of=drop.of, part=digest, **drop.summary)
    enter(drop.work, lambda section: section.model_copy(update={"drops": (*section.drops, entered)}))
    return entered


def enter(work: Workload, change: Callable[[Section], Section]) -> None:
    """Change the section of the workload's source in the ledger."""
    ledger, source = work.drops_folder / "ledger.json", work.params.source.name
    sections = read_ledger(ledger)
    write_ledger({**sections, source: change(sections.get(source, Section()))}, ledger)


def _tracked(drop: Drop) -> str:
    """The sha256 of the drop's part, which lies in the workload's folder of drops under this name and is DVC's."""
    draft = drop.work.data(".part.draft")
    write_table(drop.part, draft)
    digest = file_digest(draft)
    part = drop.work.drops_folder / f"{digest}.parquet"
    part.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(part)
    _dvc_add(drop.work, part)
    return digest


def _dvc_add(work: Workload, part: Path) -> None:
    # What to add to git is told at the end of the command.
    logging.getLogger("dvc").setLevel(logging.WARNING)
    try:
        with Repo(str(work.project.root)) as repo:
            repo.add(str(part))
    except DvcException as error:
        part.unlink()
        raise Misuse(
            f"DVC does not take the part: {error}",
            expected="a DVC repository that nothing else is working in",
            next_step="mend that, and give the same command again; the drop is not in the ledger yet",
        ) from error


def _set_aside(drop: Drop) -> None:
    if not drop.aside.is_empty():
        with replacing(place(drop.work, drop.name, drop.of)) as [draft]:
            write_table(drop.aside, draft)
