"""Let a drop in: its good rows become a part of the history, its bad ones wait in quarantine, the ledger says so last."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from pipelines.drop import Drop
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse
from watertight.core.ledger import Part, Section, read_ledger, write_ledger
from watertight.core.project import Workload
from watertight.core.tables import replacing, write_table


@contextmanager
def alone(work: Workload) -> Iterator[None]:
    """Wait until no other process lets a drop of this workload in; the lock of a process ends with it, however it ends."""
    place = work.data(".drops.lock")
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def let_in(drop: Drop) -> Part:
    """Write the part, track it by DVC, set the bad rows aside, and enter the drop in the ledger.

    All but the ledger is named by content, so a process that dies in between leaves nothing that counts, and running it
    again ends the work.
    """
    _set_aside(drop)
    digest = _tracked(drop)
    entered = Part(name=drop.name, of=drop.of, part=digest, **drop.summary)
    enter(drop.work, lambda section: section.model_copy(update={"drops": (*section.drops, entered)}))
    return entered


def enter(work: Workload, change: Callable[[Section], Section]) -> None:
    """Change the section of the workload's source in the ledger."""
    place, source = work.drops_folder / "ledger.json", work.params.source.name
    sections = read_ledger(place)
    write_ledger({**sections, source: change(sections.get(source, Section()))}, place)


def _tracked(drop: Drop) -> str:
    """The sha256 of the drop's part, which lies in the workload's folder of drops under this name and is DVC's."""
    draft = drop.work.data(".part.draft")
    write_table(drop.part, draft)
    digest = file_digest(draft)
    place = drop.work.drops_folder / f"{digest}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(place)
    _dvc_add(drop.work, place)
    return digest


def _dvc_add(work: Workload, place: Path) -> None:
    try:
        # What DVC would tell is told at the end of the command.
        with redirect_stdout(StringIO()), Repo(str(work.project.root)) as repo:
            repo.add(str(place))
    except DvcException as error:
        raise Misuse(
            f"DVC does not take the part: {error}",
            expected="a DVC repository that nothing else is working in",
            next_step="mend that, and give the same command again; the drop is not in the ledger yet",
        ) from error


def _set_aside(drop: Drop) -> None:
    if not drop.aside.is_empty():
        with replacing(drop.work.quarantine_folder / "drops" / f"{drop.name}-{drop.of[:8]}.parquet") as [draft]:
            write_table(drop.aside, draft)
