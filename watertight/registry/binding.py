"""Whether the stages of a revision were run on the very data, params and code that stand in it: what dvc.lock says, checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import plan_repro
from dvc_data.hashfile.build import build
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from watertight.core.errors import Misuse
from watertight.registry.objects import Objects, is_folder
from watertight.registry.records import LockedStage, Stored
from watertight.registry.revisions import stages_of

SHORT = 8
SHOWN = 5
Files = Mapping[str, str]


def unbound(tree: Path, workload: str, stage: str, objects: Objects) -> list[str]:
    """Every fault that breaks the binding of a workload's ``stage`` and of the stages that it rests on, in their order.

    ``tree`` is the project as it is in a revision (see ``checkout``); ``objects`` those of the project that it is of, where
    folders among the outputs are looked up, and where the files are looked for that a run has read and git does not have.
    A fault names stage and place: a stage that is not in ``dvc.lock`` or had another command; code or data that is not what
    it read; a param with another value; another stage's output with another hash; what ``dvc.yaml`` does not list any more.
    Raises Misuse where DVC cannot read the graph or has no such stage, and what ``Objects.files`` raises.
    """
    try:
        with Repo(str(tree)) as repo, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # DVC's own use of pygtrie; Feast has them shown
            wanted = repo.stage.load_one(str(tree / "dvc.yaml"), f"{stage}@{workload}")
            lock = {f"{name}@{workload}": told for name, told in stages_of(tree, workload).items()}
            revision = _Revision(repo, lock, {_place(repo, out): _stored(out) for out in repo.index.outs}, objects)
            return [fault for one in plan_repro(repo.index.graph, [wanted]) if one.cmd for fault in _faults(one, revision)]
    except DvcException as error:
        raise Misuse(f"DVC cannot read the graph: {error}", expected=f"a stage {stage}@{workload} in dvc.yaml") from error


@dataclass(frozen=True)
class _Revision:
    """What stands in a revision: the files of git, and ``outs``, what DVC made or tracks, by place as ``lock`` says."""

    repo: Any
    lock: Mapping[str, LockedStage]
    outs: dict[str, Stored | None]
    objects: Objects

    def md5(self, place: str) -> str | None:
        """The md5 of a file or folder as DVC takes it; null where nothing is."""
        stored = self.outs.get(place)
        return stored.md5 if stored else _md5(self.files(place))

    def files(self, place: str) -> dict[str, str]:
        """The md5 of each file of a folder, by its place in it; that of a file stands under an empty name."""
        for above in map(str, PurePosixPath(place).parents):
            if stored := self.outs.get(above):
                return _below(self.objects.files(stored), PurePosixPath(place).relative_to(above).as_posix())
        inside = {
            out: stored for out, stored in self.outs.items() if stored and PurePosixPath(place) in PurePosixPath(out).parents
        }
        found = _on_disk(self.repo, place)
        for out, stored in inside.items():
            within = PurePosixPath(out).relative_to(place)
            listed = self.objects.files(stored) if is_folder(stored) else {"": stored.md5}
            found |= {(within / name).as_posix(): md5 for name, md5 in listed.items()}
        return found

    def made(self, place: str) -> bool:
        """Whether it is, or lies in, what DVC made or tracks."""
        return any(str(above) in self.outs for above in (PurePosixPath(place), *PurePosixPath(place).parents))


def _faults(stage: Any, revision: _Revision) -> Iterator[str]:
    """What is wrong with one stage."""
    if not any(item.hash_info for item in [*stage.deps, *stage.outs]):
        yield f"{stage.name}: the stage is not in dvc.lock"
        return
    if stage.cmd_changed:
        yield f"{stage.name}: dvc.lock has another command than dvc.yaml"
    for dep in stage.deps:
        yield from _params(stage.name, dep) if isinstance(dep, ParamsDependency) else _dep(stage.name, dep, revision)
    for out in stage.outs:
        if not out.hash_info:
            yield f"{stage.name}: its output {_place(revision.repo, out)} is not in dvc.lock"
    if told := revision.lock.get(stage.name):
        yield from _no_longer_listed(stage, told)


def _no_longer_listed(stage: Any, told: LockedStage) -> Iterator[str]:
    """What the stage read or made by its lock, and dvc.yaml does not say so any more; DVC does not look at that again."""
    params = [dep for dep in stage.deps if isinstance(dep, ParamsDependency)]
    listed = {item.def_path for item in [*stage.deps, *stage.outs]} | {name for dep in params for name in dep.params}
    for name in [*told.deps, *told.outs, *(told.params if all(dep.params for dep in params) else ())]:
        if name not in listed:
            yield f"{stage.name}: dvc.lock has {name}, which dvc.yaml does not list any more; dvc commit if that is meant"


def _params(stage: str, dep: ParamsDependency) -> Iterator[str]:
    recorded: dict[str, Any] = dict(dep.hash_info.value or {})  # type: ignore[arg-type]
    actual = dep.read_params()
    for name in dep.params or sorted({*recorded, *actual}):
        if name not in recorded:
            yield f"{stage}: the param {name} is not in dvc.lock"
        elif name not in actual or actual[name] != recorded[name]:
            yield f"{stage}: the param {name} has another value than the stage was run with"


def _dep(stage: str, dep: Any, revision: _Revision) -> Iterator[str]:
    place, recorded = _place(revision.repo, dep), dep.hash_info.value if dep.hash_info else None
    actual = revision.md5(place)
    if recorded is None:
        yield f"{stage}: {place}, which it reads, is not in dvc.lock"
    elif actual != recorded:
        what = "is not there" if actual is None else f"is {actual[:SHORT]}, not the {recorded[:SHORT]} that it was run with"
        yield f"{stage}: {place} {what}{'' if revision.made(place) else _unknown_to_git(place, dep, revision)}"


def _unknown_to_git(place: str, dep: Any, revision: _Revision) -> str:
    """Which files of the working tree the stage was run with, or may have been, that are not in the revision."""
    there, here = revision.files(place), _on_disk(revision.objects.repo, place)
    if _md5(here) == dep.hash_info.value:
        other = [name for name in here if here[name] != there.get(name)]
        return f": it was run with {_told(place, other)} as in the working tree, not as in git"
    strange = [name for name in here if name not in there]
    counted = dep.meta.nfiles not in (None, len(there))
    counts = f" ({dep.meta.nfiles} files when it was run, {len(there)} in git)" if counted else ""
    return counts + (f"; not in git: {_told(place, strange)}" if strange else "")


def _on_disk(repo: Any, place: str) -> dict[str, str]:
    """The files of a place as DVC sees them, without those that it ignores; empty where nothing is."""
    path = Path(repo.root_dir, place)
    if not path.exists():
        return {}
    _, _, found = build(repo.cache.local, str(path), repo.fs, "md5", ignore=repo.dvcignore, dry_run=True)
    if isinstance(found, Tree):
        return {"/".join(key): str(info.value) for key, _, info in found if info}
    return {"": str(found.hash_info.value)}


def _md5(files: Files) -> str | None:
    """The md5 of a file, or of a folder as DVC computes it."""
    if not files or "" in files:
        return files.get("")
    folder = Tree()
    for name, md5 in files.items():
        folder.add(tuple(name.split("/")), None, HashInfo("md5", md5))
    folder.digest()
    return str(folder.hash_info.value)


def _below(files: Files, within: str) -> dict[str, str]:
    """The part of a folder's files that is ``within``, a file or a folder of it."""
    if within in files:
        return {"": files[within]}
    return {name.removeprefix(f"{within}/"): md5 for name, md5 in files.items() if name.startswith(f"{within}/")}


def _place(repo: Any, item: Any) -> str:
    """From the project's root on; as it is declared where it lies elsewhere."""
    path = Path(item.fs_path)
    return path.relative_to(repo.root_dir).as_posix() if path.is_relative_to(repo.root_dir) else str(item)


def _stored(out: Any) -> Stored | None:
    return Stored(md5=str(out.hash_info.value), size=out.meta.size or 0, nfiles=out.meta.nfiles) if out.hash_info else None


def _told(place: str, names: list[str]) -> str:
    told = [f"{place}/{name}" if name else place for name in sorted(names)]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return f"{', '.join(told[:SHOWN])}{more}"
