"""new: a sample file becomes a workload, all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.new.columns import profiled
from pipelines.new.demands import demand_columns, demand_free, demand_name
from pipelines.new.guesses import Guesses, guessed
from pipelines.new.params_text import with_workload
from pipelines.new.render import rendered
from pipelines.new.wanted import Wanted
from pipelines.raw_file import read_raw
from pipelines.source import rows_of_file
from watertight.checks.suite import declared
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse
from watertight.core.known_names import demand_known_names
from watertight.core.project import MARK, Project
from watertight.core.rows import typed_rows
from watertight.core.tables import replacing
from watertight.core.versions import merged

REVIEW = "review: "


def new_workload(project: Project, name: str, wanted: Wanted) -> dict[str, Any]:
    """Write the declarations of ``name`` and copy the sample under the raw root, where it is not there yet.

    Answers what it ``wrote``, the lines to ``review``, what to know (``notes``) and what comes ``next``. Raises Misuse or
    Refusal, and changes nothing, where the name, the options or the sample are not what a workload can be made of.
    """
    demand_name(name)
    demand_free(project, name, _places(project, name).values())
    raw = read_raw(wanted.file)
    demand_columns(raw, wanted)
    guesses = guessed(name, profiled(raw, name), wanted)
    path = _raw_path(project, name, wanted.file)
    texts = rendered(guesses, wanted, path.as_posix(), file_digest(wanted.file))
    files = _files(project, guesses, texts)
    _rehearse(files, name, wanted.file)
    copied = _write(project, name, files, wanted.file, project.raw_root / path)
    return {
        "wrote": [*files, *([copied] if copied else [])],
        "review": list(_marks(files, name)),
        "notes": list(_notes(guesses, copied)),
        "next": [
            f"dvc repro report@{name} register@{name}",
            f"watertight metrics {name}",
            f"git add {MARK} dvc.lock {' '.join(_tracked(name))}",
        ],
    }


def as_text(answer: Mapping[str, list[str]]) -> str:
    """The answer for a terminal: a heading a part, a line an item."""
    return "\n".join(line for part, items in answer.items() if items for line in (f"{part}:", *(f"  {item}" for item in items)))


def _places(project: Project, name: str) -> dict[str, Path]:
    return {place: project.root / place for place in _tracked(name)}


def _tracked(name: str) -> list[str]:
    return [f"feature_repo/{name}.py", f"expectations/{name}.yaml", f"pipelines/sources/{name}", f"drops/{name}"]


def _files(project: Project, guesses: Guesses, texts: Mapping[str, str]) -> dict[str, str]:
    """The text of every file by its place in the project."""
    name, source = guesses.workload, f"pipelines/sources/{guesses.workload}/{guesses.source}"
    params = (project.root / MARK).read_text(encoding="utf-8")
    return {
        MARK: with_workload(params, name, texts["section.yaml"]),
        f"feature_repo/{name}.py": texts["features.py"],
        f"expectations/{name}.yaml": texts["suite.yaml"],
        f"{source}.sql": texts["query.sql"],
        f"{source}.yaml": texts["contract.yaml"],
        f"drops/{name}/ledger.json": "{}\n",
    }


def _raw_path(project: Project, name: str, sample: Path) -> Path:
    """The sample's place under the raw root: where it is, or where it is to be copied."""
    root = project.raw_root.resolve()
    if sample.resolve().is_relative_to(root):
        return sample.resolve().relative_to(root)
    path = Path(name, sample.name)
    place = root / path
    if place.exists() and not (place.is_file() and file_digest(place) == file_digest(sample)):
        raise Misuse(
            f"another {path} lies under the raw root already",
            expected=f"nothing, or the very same file, at {place}",
            next_step="rename the sample, or give it from there; nothing was changed",
        )
    return path


def _rehearse(files: Mapping[str, str], name: str, sample: Path) -> None:
    """Read the declarations and the sample as the stages will, in a folder of their own; raises what they raise."""
    with tempfile.TemporaryDirectory() as folder:
        for place, text in files.items():
            _put(Path(folder, place), text)
        work = Project(Path(folder)).workload(name)
        demand_known_names(work)
        declared("rows", work.expectations)
        merged([typed_rows(rows_of_file(work, sample), work.contract, "sample")], work.contract)


def _write(project: Project, name: str, files: Mapping[str, str], sample: Path, raw: Path) -> str | None:
    """Put everything in its place at the end, the sample first and ``params.yaml`` last; answers the copy, if there is one."""
    copied = None if raw.exists() else raw
    try:
        _put_in_place(project, [*_places(project, name).values(), project.root / MARK], files, (sample, copied))
    except OSError as error:
        raise Misuse(f"not everything can be written: {error}", expected="folders that can be written to") from error
    return _told(copied, project) if copied else None


def _put_in_place(project: Project, places: list[Path], files: Mapping[str, str], copy: tuple[Path, Path | None]) -> None:
    sample, copied = copy
    finals = [*([copied] if copied else []), *places]
    with replacing(*finals) as drafts:
        drafted = dict(zip(finals, drafts, strict=True))
        if copied:
            shutil.copyfile(sample, drafted[copied])
        for file, text in files.items():
            path = project.root / file
            final = next(final for final in places if path.is_relative_to(final))
            _put(drafted[final] / path.relative_to(final), text)


def _told(path: Path, project: Project) -> str:
    return str(path.relative_to(project.root) if path.is_relative_to(project.root) else path)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _marks(files: Mapping[str, str], name: str) -> Iterator[str]:
    """``file:line: the declaration, and what to look at`` of each guess."""
    for place, text in files.items():
        lines = text.splitlines()
        first = lines.index(f"{name}:") if place == MARK else 0
        for number, line in enumerate(lines[first:], start=first + 1):
            told, mark, why = line.rpartition(REVIEW)
            if mark:
                yield f"{place}:{number}: {told.rstrip(' #-').strip()}   ({why})"


def _notes(guesses: Guesses, copied: str | None) -> Iterator[str]:
    if copied:
        yield f"{copied} is a copy of the sample; git does not keep it, and the contract pins its sha256"
    if guesses.grouping.alone:
        yield f"each row is a group of its own by {guesses.group.raw}: nothing is held together"
    if not guesses.history:
        yield f"no history: {'classes have none' if not guesses.scalars else 'few rows of a group, or all at one time'}"
