"""A project on disk: its root, its declarations, and where each stage reads and writes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from watertight.core.contract import SourceContract
from watertight.core.declare import nearest, parse, read_yaml
from watertight.core.dimensions import as_found, is_open
from watertight.core.errors import Misuse
from watertight.core.ledger import Section, read_ledger
from watertight.core.root import MARK, find_root
from watertight.core.tables import json_text, read_json
from watertight.core.workload import WorkloadParams

TOP_LEVEL = ("raw_root", "workloads")


@dataclass(frozen=True)
class Project:
    """A folder with ``params.yaml``, ``feature_repo/``, ``expectations/`` and ``pipelines/`` in it."""

    root: Path

    @cached_property
    def params(self) -> dict:
        """The parsed ``params.yaml``; raises Misuse where it names no workloads, or has a key that is none of them."""
        data = read_yaml(self.root / MARK)
        if not isinstance(data, dict) or not isinstance(data.get("workloads"), list):
            raise Misuse("params.yaml names no workloads", expected="workloads: [name, …] and a section per name")
        _refuse_unknown_keys(data)
        return data

    @property
    def raw_root(self) -> Path:
        """Where raw files lie: ``WATERTIGHT_RAW``, else ``raw_root`` of ``params.yaml``, relative to the root."""
        return self.root / os.environ.get("WATERTIGHT_RAW", self.params.get("raw_root", "data/raw"))

    def workload(self, name: str) -> Workload:
        """The declared workload; raises Misuse with the nearest name if there is none, or with every error in it."""
        known = self.params["workloads"]
        if name not in known:
            raise Misuse(f"no workload is called {name!r}; {nearest(name, known)}")
        if name not in self.params:
            raise Misuse(f"params.yaml lists the workload {name!r} but has no section of that name", expected=f"{name}: …")
        return Workload(self, name, parse(WorkloadParams, self.params[name], f"params.yaml, section {name!r},"))


@dataclass(frozen=True)
class Workload:
    """A workload's declarations and places."""

    project: Project
    name: str
    params: WorkloadParams

    @property
    def contract(self) -> SourceContract:
        """The column contract of the source that is read, with the dimensions that ingest found where it leaves them open."""
        place = self.data("rows", "contract.json")
        if not is_open(self.declared_contract) or not place.is_file():
            return self.declared_contract
        return as_found(self.declared_contract, _as_written(json_text(read_json(place)), place.name))

    @cached_property
    def declared_contract(self) -> SourceContract:
        """The column contract of the source that is read, as it is written."""
        path = self.source_folder / f"{self.params.source.name}.yaml"
        if not path.is_file():
            known = [file.stem for file in sorted(self.source_folder.glob("*.yaml"))]
            raise Misuse(f"{self.name} has no source {self.params.source.name!r}; {nearest(self.params.source.name, known)}")
        return parse(SourceContract, read_yaml(path), path.relative_to(self.project.root).as_posix())

    @property
    def source_folder(self) -> Path:
        """The queries, simulators and contracts of this workload's sources."""
        return self.project.root / "pipelines" / "sources" / self.name

    @property
    def feature_module(self) -> Path:
        """The Feast module with this workload's views."""
        return self.project.root / "feature_repo" / f"{self.name}.py"

    @property
    def expectations(self) -> Path:
        """The Great Expectations suites of this workload, one per gate."""
        return self.project.root / "expectations" / f"{self.name}.yaml"

    @property
    def ledger(self) -> Section:
        """What was let in after the source's own drops, and the reference profile."""
        return read_ledger(self.drops_folder / "ledger.json").get(self.params.source.name, Section())

    @property
    def drops_folder(self) -> Path:
        """The ledger of drops, and the parts that it names."""
        return self.project.root / "drops" / self.name

    def data(self, *parts: str) -> Path:
        """A place under ``data/<workload>/``."""
        return self.project.root.joinpath("data", self.name, *parts)

    def artifacts(self, *parts: str) -> Path:
        """A place under ``artifacts/<workload>/``."""
        return self.project.root.joinpath("artifacts", self.name, *parts)

    @property
    def quarantine_folder(self) -> Path:
        """Where rows that failed a row-level check lie, with their reasons: a Parquet file per drop.

        Below it ``check`` for the source's own drops, written anew by each run of the stage, and ``drops`` for those that were
        let in, which are kept.
        """
        return self.project.root / "data" / "quarantine" / self.name


def find_project(start: Path | None = None) -> Project:
    """The project around ``start`` (default: the working directory); raises Misuse where there is none."""
    return Project(find_root(start))


@lru_cache(maxsize=16)
def _as_written(text: str, name: str) -> SourceContract:
    """By its text, not by its place: ingest may write another in the same process. To parse one takes milliseconds."""
    return parse(SourceContract, json.loads(text), name)


def _refuse_unknown_keys(params: dict) -> None:
    known = [*TOP_LEVEL, *map(str, params["workloads"])]
    unknown = [str(key) for key in params if str(key) not in known]
    if unknown:
        lines = "\n".join(f"  - {key}: unknown key; {nearest(key, known)}" for key in unknown)
        raise Misuse(f"{MARK} has {len(unknown)} error(s)\n{lines}", expected="every section's name in workloads")
