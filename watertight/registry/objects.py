"""The bytes behind a hash of ``dvc.lock``: in DVC's cache, on its default remote, and copied from there, always checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from dvc.config import NoRemoteError
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.build import build
from dvc_data.hashfile.tree import Tree
from dvc_objects.fs.local import localfs

from watertight.core.errors import Misuse, Refusal, WatertightError
from watertight.core.tables import replacing
from watertight.registry.records import Stored

FOLDER = ".dir"
SHOWN = 5


class Objects:
    """What DVC keeps for the project at ``root``; raises Misuse where DVC does not know the folder.

    An object is named by its md5, that of a folder ends with ``.dir``. Corrupted objects count as absent from the cache.
    """

    def __init__(self, root: Path) -> None:
        try:
            self.repo = Repo(str(root))
        except DvcException as error:
            raise Misuse(f"{root} is no project of DVC: {error}", next_step="dvc init") from error

    @cached_property
    def _remote(self) -> Any:
        """The default remote's objects."""
        try:
            return self.repo.cloud.get_remote_odb()
        except NoRemoteError as error:
            raise Misuse(
                "DVC has no default remote, so there is no place that others can fetch from",
                expected="a default remote in .dvc/config",
                next_step="dvc remote add --default storage FOLDER-OR-URL",
            ) from error
        except (DvcException, ImportError) as error:
            raise Misuse(f"DVC cannot use its default remote: {error}", next_step=_REMOTE_HELP) from error

    @property
    def _cache(self) -> Any:
        return self.repo.cache.local

    def keep(self, path: Path) -> Stored:
        """Put a file or folder into the cache as it is; raises Misuse where there is none, Refusal where it changes meanwhile."""
        if not path.exists():
            raise Misuse(f"{path} is not there, so it cannot be kept")
        staged, meta, found = build(self._cache, str(path.resolve()), localfs, "md5")
        stored = Stored(md5=str(found.hash_info.value), size=meta.size or 0, nfiles=meta.nfiles)
        parts = {str(info.value) for _, _, info in found if info} if isinstance(found, Tree) else set()
        self._copy(self._broken({*parts, stored.md5}), staged, self._cache, verify=True)
        if self._broken({*parts, stored.md5}):
            raise Refusal(f"{path} changed while it was read", next_step="try again when nothing writes to it")
        return stored

    def missing(self, *stored: Stored) -> list[str]:
        """The md5 of everything that is not on the default remote, in order; the files of folders too.

        Nothing is remembered: the remote is asked each time. Of a folder that neither the cache nor the remote has, only its
        own md5 is told. Raises Misuse where there is no remote or it does not answer.
        """
        wanted: set[str] = set()
        for one in stored:
            if is_folder(one):
                self._take([one.md5])
            wanted |= {one.md5} if self._broken([one.md5]) else {*self._parts(one)}
        with self._reached():
            return sorted(wanted - set(self._remote.oids_exist(list(wanted))))

    def push(self, *stored: Stored) -> None:
        """Put everything on the default remote that is not there, a folder's files before the folder.

        Raises Refusal where the cache lacks or has corrupted what is to be pushed, before anything is; Misuse where the remote
        is not there or takes not all of it: what it has taken is whole, and pushing again ends the work.
        """
        lacking = self.missing(*stored)
        self._demand(lacking)
        with self._reached():
            self._copy(lacking, self._cache, self._remote, verify=False)
        left = self.missing(*stored)
        if left:
            raise Misuse(
                f"the remote {self._place} did not take {_told(left)}", next_step="look at its space and rights; then again"
            )

    def fetch(self, *stored: Stored) -> None:
        """Bring into the cache, from the default remote, what is not in it whole; the remote is asked for nothing else.

        Raises Refusal where the remote does not have it either, or has it corrupted; Misuse where the remote does not answer.
        """
        for one in stored:
            self._bring([one.md5])
            self._bring(self._parts(one))

    def files(self, stored: Stored) -> dict[str, str]:
        """The md5 of each file of a folder, by its place in it; what it is made of is fetched where the cache does not know it.

        Raises what ``fetch`` raises.
        """
        self._bring([stored.md5])
        told = json.loads(self._path(stored.md5).read_bytes())
        strange = [entry["relpath"] for entry in told if not _inside(entry["relpath"])]
        if strange:
            raise Refusal(f"the folder {stored.md5} names files outside of it: {', '.join(strange)}")
        return {entry["relpath"]: entry["md5"] for entry in told}

    def write(self, stored: Stored, to: Path) -> None:
        """Copy from the cache to ``to``, where nothing is, and check every byte; never a link, so that it may be edited.

        Raises Refusal where the cache does not have it whole (see ``fetch``), Misuse where there is something at ``to``.
        """
        if to.exists() and not (to.is_dir() and not any(to.iterdir())):
            raise Misuse(f"{to} is there already", expected="a place where nothing is", next_step="name another, or remove it")
        self._demand([stored.md5])
        self._demand(self._parts(stored))
        with replacing(to) as [draft]:
            if is_folder(stored):
                draft.mkdir()
            for place, name in self.files(stored).items() if is_folder(stored) else [("", stored.md5)]:
                self._write_file(name, draft / place)

    def _write_file(self, name: str, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        with self._path(name).open("rb") as source, to.open("wb") as copy:
            while block := source.read(2**20):
                copy.write(block)
        if not _is(to, name):
            raise Refusal(
                f"{to.name} is not what was to be copied", expected=f"md5 {name}", next_step="try again; is the disk full?"
            )

    def _path(self, name: str) -> Path:
        return Path(self._cache.oid_to_path(name))

    def _parts(self, stored: Stored) -> list[str]:
        """A folder's files and the folder, or the file."""
        return [*sorted(set(self.files(stored).values())), stored.md5] if is_folder(stored) else [stored.md5]

    def _broken(self, names: Iterable[str]) -> list[str]:
        """Which of these the cache does not have with the bytes of their names; DVC believes any file that is read-only."""
        return [name for name in names if not _is(self._path(name), name.removesuffix(FOLDER))]

    def _demand(self, names: Iterable[str]) -> None:
        broken = self._broken(names)
        if broken:
            spoilt = [name for name in broken if self._path(name).is_file()]
            raise Refusal(
                f"DVC's cache does not have {_told(broken)}{f', of which {len(spoilt)} corrupted' if spoilt else ''}",
                expected="every object, with the bytes that its md5 says",
                next_step="dvc fetch, or, where the outputs are still in place, dvc commit",
            )

    def _bring(self, names: list[str]) -> None:
        self._take(names)
        left = self._broken(names)
        if left:
            raise Refusal(
                f"neither DVC's cache nor the remote {self._place} has {_told(left)} as it was kept",
                next_step="dvc push, where it was made",
            )

    def _take(self, names: list[str]) -> None:
        """Bring into the cache what it lacks of these, as far as the remote has it."""
        wanted = self._broken(names)
        if wanted:
            with self._reached():
                self._copy(wanted, self._remote, self._cache, verify=True)

    def _copy(self, names: Iterable[str], source: Any, target: Any, verify: bool) -> None:
        """Copy what ``source`` has of these; folders last, so that a remote which knows a folder has its files."""
        failed: dict[str, BaseException] = {}
        for folders in (False, True):
            some = [name for name in names if name.endswith(FOLDER) is folders]
            if some and not failed:
                held = [source.get(name) for name in some]
                paths = [one.path for one in held]
                target.add(paths, held[0].fs, some, on_error=failed.__setitem__, check_exists=False, verify=verify)
        for error in failed.values():
            if not isinstance(error, FileNotFoundError):
                raise error

    @property
    def _place(self) -> str:
        return self._remote.fs.unstrip_protocol(self._remote.path).removesuffix("/files/md5")

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Whatever a remote's library raises where it cannot work becomes a Misuse: each has errors of its own."""
        try:
            yield
        except WatertightError:
            raise
        except Exception as error:
            raise Misuse(
                f"the remote {self._place} does not answer: {error or type(error).__name__}", next_step=_REMOTE_HELP
            ) from error


_REMOTE_HELP = "dvc remote list, and dvc config --list; credentials are its library's (for S3, AWS_PROFILE and the like)"


def _inside(place: str) -> bool:
    path = PurePosixPath(place)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in place


def is_folder(stored: Stored) -> bool:
    """Whether it is a folder; else a file."""
    return stored.md5.endswith(FOLDER)


def _is(path: Path, md5: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest() == md5


def _told(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
