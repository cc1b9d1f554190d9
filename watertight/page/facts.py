"""What a page is told about a run: the outputs of its stages, read and not recomputed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from watertight.core.contract import Target
from watertight.core.workload import WorkloadParams
from watertight.page.sought import Sought

NULL = "(null)"
"""The value of the slice of rows without one."""


@dataclass(frozen=True)
class MetricFact:
    """``better``: lower, higher, or level. ``headline``: whether a chart is drawn of it."""

    better: str
    headline: bool


@dataclass(frozen=True)
class Judged:
    """The ``verdict`` of a gate as its stage wrote it to ``place``.

    ``target``, ``cell`` and ``seed`` say of which train cell it is; empty where it is of none.
    """

    verdict: Mapping[str, Any]
    place: str
    target: str = ""
    cell: str = ""
    seed: int = 0

    @property
    def where(self) -> str:
        """The gate, and what it judged."""
        gate, seed = f"gate {self.verdict['gate']}", f", seed {self.seed}" if self.seed else ""
        return f"{gate}, {self.target}, cell {self.cell}{seed}" if self.cell else gate


@dataclass(frozen=True)
class Run:
    """A run of the workload ``name``.

    ``targets`` and ``metrics`` (by kind of target, in the order in which they are told) say what was predicted. ``figures``:
    target, cell, slice, value (both empty for all rows), metric, figure, low, high (null where there is none), rows, groups,
    row_set; one record per cell. ``slices``: row_id, slice, value. ``weights``: row_id, target, cell and the list ``weights``;
    empty where no cell gives any. ``calibration``: target, cell, predicted, observed, rows. ``importance``: target, cell,
    seed, column, share. The rest are the JSON summaries of the stages; ``drift`` is None where no drift was judged.
    ``sought``: of each vector target, what its queries find.
    """

    name: str
    params: WorkloadParams
    about: str
    targets: Mapping[str, Target]
    metrics: Mapping[str, Mapping[str, MetricFact]]
    figures: pl.DataFrame
    slices: pl.DataFrame
    weights: pl.DataFrame
    calibration: pl.DataFrame
    importance: pl.DataFrame
    joined: Mapping[str, Any]
    trained: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    split: Mapping[str, Any]
    guard: Mapping[str, Any]
    checked: Mapping[str, Any]
    online: Mapping[str, Any]
    drift: Mapping[str, Any] | None = None
    sought: Mapping[str, Sought] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        """The registered cell."""
        return self.params.register_.cell

    @property
    def gates(self) -> list[Judged]:
        """The verdict of every gate of the run, in the order in which rows pass them; those on train cells stand apart."""
        guard, evaluated = (f"artifacts/{self.name}/{place}" for place in ("guard", "evaluate/evaluation.json"))
        return [
            Judged(self.checked, f"data/{self.name}/checked/verdict.json"),
            Judged(self.split, f"data/{self.name}/split/split.json"),
            Judged(self.guard, f"{guard}/verdict.json"),
            *([Judged(self.drift, f"{guard}/drift.json")] if self.drift else []),
            *(Judged(told, evaluated) for told in self.evaluation["verdicts"]),
            Judged(self.online, f"artifacts/{self.name}/online/verdict.json"),
        ]

    @property
    def models(self) -> list[Judged]:
        """The verdicts of the gate `model`, those on the registered cell first."""
        place = f"artifacts/{self.name}/evaluate/evaluation.json"
        told = self.evaluation["models"]
        found = [Judged(one["verdict"], place, one["target"], one["cell"], one["seed"]) for one in told]
        return sorted(found, key=lambda judged: judged.cell != self.cell)

    @property
    def predicted(self) -> list[str]:
        """The targets that have figures, in the order in which they were evaluated."""
        return self.figures["target"].unique(maintain_order=True).to_list()

    def metrics_of(self, target: str) -> Mapping[str, MetricFact]:
        """The metrics of a target's kind."""
        return self.metrics[self.targets[target].kind]

    def first_metric(self, target: str) -> str:
        """The metric by which cells are set beside one another: the first that has a figure."""
        known, told = self.metrics_of(target), set(self.of(target).drop_nulls("figure")["metric"])
        return next((name for name in known if name in told), next(iter(known)))

    def headlines(self, target: str) -> list[str]:
        """The metrics that are drawn."""
        return [name for name, metric in self.metrics_of(target).items() if metric.headline]

    def of(self, target: str, **equal: str) -> pl.DataFrame:
        """The figures of a target; ``equal`` limits cell, slice, value, metric or row_set."""
        return self.figures.filter(target=target, **equal)

    def cells(self, target: str) -> list[str]:
        """The cells that predicted a target."""
        return self.of(target)["cell"].unique(maintain_order=True).to_list()

    def baselines(self, target: str) -> list[str]:
        """The declared baselines that predicted a target, in declared order."""
        return [name for name in self.params.evaluate.baselines if name in self.cells(target)]

    def role(self, cell: str) -> str:
        """``registered``, ``baseline`` or nothing."""
        return "registered" if cell == self.cell else "baseline" if cell in self.params.evaluate.baselines else ""

    def row_set(self, target: str) -> str:
        """The digest of all rows of a target that the registered cell predicted, or else its first cell."""
        overall = self.of(target, slice="")
        mine = overall.filter(cell=self.cell)
        return (overall if mine.is_empty() else mine).row(0, named=True)["row_set"]

    def below(self, target: str) -> list[str]:
        """The registered cell, where it predicted the target, and the cells on which it stands, directly or not."""
        found = [self.cell] if self.cell in self.cells(target) else []
        for cell in found:  # which grows
            found += [member for member in self.members(target, cell) if member not in found]
        return found

    def members(self, target: str, cell: str) -> Sequence[str]:
        """The cells over which a cell stands, in the order of its ``weights``."""
        return next(told["over"] for told in self.trained["cells"] if (told["target"], told["cell"]) == (target, cell))

    def in_order(self, places: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Slices (column and value) as they are declared: all rows first, ranges upwards, the nulls of a column last."""
        return sorted(dict.fromkeys(places), key=self._place)

    def _place(self, place: tuple[str, str]) -> tuple[int, int, str]:
        column, value = place
        declared = self.params.evaluate.slices
        edges = [f"≤ {edge:.12g}" for edge in declared.get(column, ())]
        rank = edges.index(value) if value in edges else len(edges)
        return (1 + list(declared).index(column) if column else 0), rank + (value == NULL), value


def slice_name(column: str, value: str) -> str:
    """A slice for a person."""
    return f"{column}: {value}" if column else "all rows"
