"""A side of a comparison: a cell, with the rows, figures and declarations that belong to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.gates import PREDICTIONS, TRAINING_SET, demand_judged
from watertight.core.contract import SourceContract
from watertight.core.declare import parse
from watertight.core.errors import Refusal
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table

CONTRACT = ("rows", "contract.json")
SERVED = ("training_set", "training_set.json")
EVALUATION = ("evaluate", "evaluation.json")
FIGURES = ("evaluate", "figures.parquet")


@dataclass(frozen=True)
class Side:
    """``name`` as it was asked for, ``cell`` the one whose predictions count, ``params`` the workload's own section.

    ``work`` says where its outputs lie: in the working tree, or in a folder that is laid out like one. ``revision`` is the
    commit, empty for the working tree. ``absent`` gives, by place from that folder on, why an output could not be had. What
    reads an output that is not there raises Refusal.
    """

    name: str
    cell: str
    params: Mapping[str, Any]
    work: Workload
    revision: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def contract(self) -> SourceContract:
        """The column contract that its rows were read by."""
        return parse(SourceContract, read_json(self._there(self.work.data(*CONTRACT))), f"the contract of {self.name}")

    @cached_property
    def features(self) -> dict[str, Any]:
        """What its training set says of its features: their columns, the service's canonical form, and the encoders."""
        told: dict[str, Any] = read_json(self._there(self.work.data(*SERVED)))
        return told

    @cached_property
    def predictions(self) -> pl.DataFrame:
        """Its cell's out-of-fold predictions; raises Refusal where evaluate has not judged them."""
        places = [self._there(self.work.artifacts(*parts)) for parts in (PREDICTIONS, EVALUATION)]
        demand_judged(self.work, "nothing is compared")
        return read_table(places[0]).filter(cell=self.cell)

    @cached_property
    def evaluated(self) -> pl.DataFrame:
        """The figures that evaluate found for its cell, of all rows of each target."""
        found = read_table(self._there(self.work.artifacts(*FIGURES)))
        return found.filter((pl.col("cell") == self.cell) & (pl.col("slice") == ""))

    def rows(self, columns: Iterable[str]) -> pl.DataFrame:
        """Those of ``columns`` that its training set has, a row per row that was known."""
        place = self._there(self.work.data(*TRAINING_SET))
        known = pl.read_parquet_schema(place)
        return read_table(place, [name for name in dict.fromkeys(columns) if name in known])

    def _there(self, place: Path) -> Path:
        if place.is_file():
            return place
        within = place.relative_to(self.work.project.root).as_posix()
        why = next((why for part, why in self.absent.items() if within.startswith(part)), "")
        raise Refusal(
            f"{self.name} has no {within}{f': {why}' if why else ''}",
            expected="the outputs of its own stages",
            next_step="dvc push, where it was made; compare fetches it by itself" if why else "dvc repro, or dvc pull",
        )
