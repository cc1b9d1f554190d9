"""What is refused before anything is guessed: a name that cannot be, columns that are not there."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import yaml

from pipelines.new.wanted import Wanted
from watertight.core.declare import nearest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import TOP_LEVEL, Project

NAME = r"[a-z][a-z0-9]*(_[a-z0-9]+)*"


def demand_name(name: str) -> None:
    """Raise Misuse where ``name`` cannot be a Python module, a key of YAML and the start of column names."""
    plain = re.fullmatch(NAME, name) and not keyword.iskeyword(name)
    if not plain or name in TOP_LEVEL or yaml.safe_load(name) != name:
        raise Misuse(
            f"a workload cannot be called {name!r}",
            expected="a Python identifier of small letters, digits and single underscores, such as tickets",
            next_step="choose another name; nothing was changed",
        )


def demand_free(project: Project, name: str, places: Iterable[Path]) -> None:
    """Raise Misuse where there is a workload, or any file or folder, of that name."""
    taken = [place.relative_to(project.root).as_posix() for place in places if place.exists()]
    if name in project.params["workloads"] or name in project.params or taken:
        raise Misuse(
            f"the name {name!r} is taken by {', '.join(taken) or 'a section of params.yaml'}",
            expected="a name that no workload has",
            next_step="choose another name, or remove what bears it; nothing was changed",
        )


def demand_columns(raw: pl.DataFrame, wanted: Wanted) -> None:
    """Raise Refusal for a sample without rows, Misuse where a named column is not there, or is named twice."""
    if raw.is_empty():
        raise Refusal(f"{wanted.file.name} holds no rows", expected="at least one row", next_step="bring a sample with rows")
    absent = [f"{option} {name!r}: {nearest(name, raw.columns)}" for option, name in wanted.named() if name not in raw.columns]
    if absent:
        raise Misuse(
            f"{wanted.file.name} has not every column that is named\n" + "\n".join(f"  - {line}" for line in absent),
            expected=f"columns of the file: {', '.join(raw.columns)}",
            next_step="mend the options; nothing was changed",
        )
    counts = Counter(name for _, name in wanted.named())
    twice = [name for name, count in counts.items() if count > 1]
    # The row's own column may be the group's: each row is a group of its own then.
    if [name for name in twice if {name} != {wanted.group, wanted.row_id} or counts[name] > 2]:
        raise Misuse(f"{', '.join(twice)}: named for two things", expected="a column for each option")
    _demand_apart(raw.columns)


def _demand_apart(names: list[str]) -> None:
    """SQL takes names for the same that differ in small and large letters alone."""
    counts = Counter(name.lower() for name in names)
    alike = [name for name in names if counts[name.lower()] > 1]
    if alike:
        raise Refusal(
            f"the columns {', '.join(alike)} differ in small and large letters alone",
            column=", ".join(alike),
            expected="names that SQL can tell apart",
            next_step="rename them in the file; nothing was changed",
        )
