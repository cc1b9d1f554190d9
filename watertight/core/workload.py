"""What a workload declares in its section of ``params.yaml``, from its source to the gates of a promotion."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from watertight.core.cell import Cell
from watertight.core.cell_matrix import WHOLE, matrices, matrix_faults, ordinary
from watertight.core.correction import Correction, servable
from watertight.core.declare import Declaration, nearest
from watertight.core.treatment import Step


class SourceParams(Declaration):
    """Which source is read, and the options of each source that has any (by its name)."""

    name: str
    options: dict[str, dict[str, Any]] = {}

    @property
    def chosen(self) -> dict[str, Any]:
        """The options of the source that is read."""
        return self.options.get(self.name, {})


class DropParams(Declaration):
    """When a new drop is refused whole: more than ``most_quarantined`` of its rows fail a row-level check.

    ``days``: a row asked that long before the first row that is known, or after the last, fails: a clock was wrong.
    """

    most_quarantined: float = Field(default=0.1, ge=0, le=1)
    days: float = Field(default=1000.0, gt=0)


class TestGroups(Declaration):
    """Whole groups held out: ``share`` of the groups, in [0, 0.5]."""

    share: float = Field(ge=0, le=0.5)


class TestFuture(Declaration):
    """The last ``share`` of each remaining group's rows, at least ``gap_days`` after its last training row."""

    share: float = Field(ge=0, le=0.5)
    gap_days: float = Field(ge=0)


class SplitParams(Declaration):
    """How rows are assigned, once. ``strata`` names columns over which the groups of the first drop are balanced.

    ``folds_by: row`` deals rows into folds without regard to their group, which the guard refuses unless it is waived.
    ``folds_by: time`` makes folds contiguous blocks of time, each group in the block in which it begins; its rows outside that
    block, and those whose label was not known ``embargo_days`` (days, at least 0) before the next begins, are set aside.
    ``test_drops`` names drops of which every labelled row is a test row, ``test_drops``: a test set that somebody else made.
    """

    seed: int
    folds: int = Field(ge=2, le=50)
    folds_by: Literal["group", "row", "time"] = "group"
    embargo_days: float = Field(default=0.0, ge=0)
    strata: tuple[str, ...] = ()
    test_groups: TestGroups = TestGroups(share=0.0)
    test_future: TestFuture = TestFuture(share=0.0, gap_days=0.0)
    test_drops: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_hold_together(self) -> SplitParams:
        if self.test_groups.share + self.test_future.share > 0.8:
            raise ValueError("test_groups and test_future together would leave less than a fifth of the rows to train on")
        if self.test_future.gap_days and not self.test_future.share:
            raise ValueError("a gap before test_future needs a share for test_future")
        if self.embargo_days and self.folds_by != "time":
            raise ValueError("embargo_days lies between folds that are blocks of time: declare folds_by: time")
        never = {"row_id", "group_id"} & set(self.strata)
        if never:
            raise ValueError(f"{sorted(never)} cannot be balanced over folds: each value stands in one group only")
        return self


class FeaturizeParams(Declaration):
    """``encoder`` is the embedding model: all-MiniLM-L6-v2 as packaged, a folder, or a name on a hub.

    ``label_delay_us``: microseconds from the instant at which a label is known to the first at which it may be used. With 0
    a row that is labelled when it is asked sees its own label; the guard then refuses the training set.
    """

    encoder: str = "all-MiniLM-L6-v2"
    label_delay_us: int = Field(default=1, ge=0)


class JoinParams(Declaration):
    """``service`` is the Feast feature service whose features make the training set."""

    service: str


class TrainParams(Declaration):
    """Targets, seeds, options per family, treatments, and the cells; the grid targets × cells × seeds runs inside one stage.

    A cell that has a seed, or seeds, of its own is not fitted with those of the others. ``treatments``: by name, steps that
    leave out rows of those that a model is fitted on, make others of them, or weigh them.
    """

    targets: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    families: dict[str, dict[str, Any]] = {}
    treatments: dict[str, tuple[Step, ...]] = {}
    declared: dict[str, Cell] = Field(alias="cells", min_length=1)

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """The cells by name; in place of one that is declared as a matrix stand those that it stands for."""
        return ordinary(self.declared)

    @cached_property
    def matrices(self) -> dict[str, tuple[str, ...]]:
        """Of each cell that is declared as a matrix, the names of those that it stands for."""
        return matrices(self.declared)

    @model_validator(mode="after")
    def _options_are_used(self) -> TrainParams:
        used = {cell.family for cell in self.declared.values()}
        strange = [name for name in self.families if name not in used]
        if strange:
            hints = ", ".join(f"{name!r} ({nearest(name, used)})" for name in strange)
            raise ValueError(f"families gives options of a family that no cell uses: {hints}")
        return self

    @model_validator(mode="after")
    def _cells_stand_over_cells(self) -> TrainParams:
        faults = [fault for name, cell in self.declared.items() for fault in self._misspelt(name, cell)]
        faults += matrix_faults(self.declared, self.treatments)
        faults = faults or [fault for name, cell in self.cells.items() for fault in self._faults(name, cell)]
        if faults:
            raise ValueError("; ".join(dict.fromkeys(faults)))
        try:
            tuple(TopologicalSorter({name: cell.over for name, cell in self.cells.items()}).static_order())
        except CycleError as error:
            raise ValueError(f"cells stand over one another in a circle: {' → '.join(error.args[1])}") from error
        return self

    def _misspelt(self, name: str, cell: Cell) -> Iterator[str]:
        known = {*self.declared, *self.cells}
        yield from (
            f"cell {name!r} stands over {member!r}, which is no cell; {nearest(member, known)}"
            for member in cell.over
            if member not in known
        )
        for what, named, more in (("treatment", cell.treatments, ()), ("data", cell.data or (), (WHOLE,))):
            known = {*self.treatments, *more}
            yield from (
                f"cell {name!r} has {what} {one!r}, which is none; {nearest(one, known)}" for one in named if one not in known
            )

    def _faults(self, name: str, cell: Cell) -> Iterator[str]:
        if cell.over and cell.treatments:
            yield f"cell {name!r} stands over others and has treatments: what judges others is fitted on the rows as they are"
        bare = [target for target in self.targets_of(cell) if cell.over and not self.members_of(cell, target)]
        yield from (f"cell {name!r} stands over cells that have no {target!r}" for target in bare)
        loose = [member for member in cell.over if self.cells[member].seed is None]
        if cell.seed is not None and loose and len(self.seeds) > 1:
            yield f"cell {name!r} has a seed of its own and stands over {loose[0]!r}, which has {len(self.seeds)}"

    def targets_of(self, cell: Cell) -> tuple[str, ...]:
        """The declared targets that a cell is fitted for."""
        return self.targets if cell.targets is None else tuple(name for name in self.targets if name in cell.targets)

    def steps_of(self, cell: Cell) -> tuple[Step, ...]:
        """The steps of a cell's treatments, in their order."""
        return tuple(step for name in cell.treatments for step in self.treatments[name])

    def members_of(self, cell: Cell, target: str) -> tuple[str, ...]:
        """The cells that it stands over which are fitted for ``target``."""
        return tuple(member for member in cell.over if target in self.targets_of(self.cells[member]))


class IntervalParams(Declaration):
    """How intervals are drawn: ``resamples`` of whole groups, seeded; no interval of fewer than ``min_groups`` groups."""

    resamples: int = Field(default=1000, ge=100)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    min_groups: int = Field(default=10, ge=2)
    seed: int = Field(default=0, ge=0)


class EvaluateParams(Declaration):
    """``baselines`` are the cells that others are set beside; ``slices`` columns (with bin edges for numbers).

    Of vectors: ``galleries``, at least 2, sizes for which the figures are told too, and ``corrections`` for hubs, by name.
    """

    baselines: tuple[str, ...] = ()
    slices: dict[str, tuple[float, ...]] = {}
    intervals: IntervalParams = IntervalParams()
    galleries: tuple[Annotated[int, Field(ge=2)], ...] = ()
    corrections: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Correction] = {}

    @model_validator(mode="after")
    def _edges_rise(self) -> EvaluateParams:
        falling = [name for name, edges in self.slices.items() if list(edges) != sorted(set(edges))]
        if falling:
            raise ValueError(f"the edges of {', '.join(falling)} do not rise")
        return self

    @model_validator(mode="after")
    def _metrics_have_names_of_their_own(self) -> EvaluateParams:
        unclear = [name for name in self.corrections if name.startswith("at_") or name.endswith("transductive")]
        if unclear:
            raise ValueError(
                f"corrections {', '.join(unclear)}: at_ and transductive are put into a metric's name by what they say"
            )
        if len(set(self.galleries)) < len(self.galleries):
            raise ValueError("a size of galleries stands twice")
        return self


class RegisterParams(Declaration):
    """``cell`` is the one whose final models go into the bundle.

    ``correction`` names the one of ``evaluate.corrections``, inductive, by which a search is ordered; by cosine without it.
    """

    cell: str
    correction: str | None = None


Finite = Annotated[float, Field(allow_inf_nan=False)]
Confidence = Annotated[float, Field(ge=0.5, lt=1)]
Stage = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*[a-z0-9]$")]


class MetricGate(Declaration):
    """What a version must reach in one metric, over all rows of the test sets, to be promoted.

    ``better_by``: by more than this, in the metric's unit and the direction in which it gets better, it must surpass the
    version in the stage, at one-sided ``confidence`` (0.95 unless declared); below 0 it may be worse by less than that.
    ``at_most`` and ``at_least`` bound the figure itself. ``targets``: those that it is asked of; all that have the metric,
    unless declared.
    """

    better_by: Finite | None = None
    confidence: Confidence = 0.95
    at_most: Finite | None = None
    at_least: Finite | None = None
    targets: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _asks_something(self) -> MetricGate:
        if self.better_by is None and "confidence" in self.model_fields_set:
            raise ValueError("confidence is that of better_by, which is not declared")
        if self.better_by is None and self.at_most is None and self.at_least is None:
            raise ValueError("a gate declares better_by, at_most or at_least")
        if self.at_most is not None and self.at_least is not None and self.at_least > self.at_most:
            raise ValueError(f"nothing is at least {self.at_least:g} and at most {self.at_most:g}")
        return self


class MostGate(Declaration):
    """What may be at most ``at_most``, above 0."""

    at_most: float = Field(gt=0, allow_inf_nan=False)


class SlicesGate(Declaration):
    """No slice, and no test set by itself, may be worse by more than ``worse_by``, in a metric that has ``better_by``.

    ``worse_by`` is at least 0, in the metric's unit; ``confidence`` is of all slices, test sets, targets and metrics together.
    """

    worse_by: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    confidence: Confidence = 0.95


class GatesParams(Declaration):
    """What a version must show to be promoted to one of ``stages``. Every further key is a metric's name, and its gate.

    Fewer than ``min_groups`` groups judge nothing. ``latency_ms``: milliseconds; ``size_mb``: the bundle's files, in millions
    of bytes.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, MetricGate] = Field(init=False)

    stages: tuple[Stage, ...] = Field(default=("prod",), min_length=1)
    min_groups: int = Field(default=20, ge=2)
    latency_ms: MostGate | None = None
    size_mb: MostGate | None = None
    slices: SlicesGate | None = None

    @model_validator(mode="before")
    @classmethod
    def _other_keys_are_gates(cls, given: Any) -> Any:
        named = given if isinstance(given, dict) else {}
        bare = [str(key) for key, gate in named.items() if key not in cls.model_fields and not isinstance(gate, dict)]
        if bare:
            told = (f"{key!r} is neither an option nor the gate of a metric; {nearest(key, cls.model_fields)}" for key in bare)
            raise ValueError("; ".join(told))
        return given

    @model_validator(mode="after")
    def _hold_together(self) -> GatesParams:
        if len(set(self.stages)) < len(self.stages):
            raise ValueError("a stage stands twice")
        if self.slices and not any(gate.better_by is not None for gate in self.metrics.values()):
            raise ValueError("slices judges the metrics that have better_by, and none has")
        return self

    @property
    def metrics(self) -> dict[str, MetricGate]:
        """The gate of each metric, by its name."""
        return self.__pydantic_extra__


class WorkloadParams(Declaration):
    """A workload's whole section.

    ``waive`` names types of check that may fail in split, guard and evaluate, to measure what a leak would be worth. They
    are run and told all the same, and what was trained in such a run is not registered.
    """

    waive: tuple[str, ...] = ()
    source: SourceParams
    drops: DropParams = DropParams()
    split: SplitParams
    featurize: FeaturizeParams = FeaturizeParams()
    join: JoinParams
    train: TrainParams
    evaluate: EvaluateParams = EvaluateParams()
    register_: RegisterParams = Field(alias="register")
    gates: GatesParams = GatesParams()

    @model_validator(mode="after")
    def _cells_exist(self) -> WorkloadParams:
        named = {*self.evaluate.baselines, self.register_.cell}
        missing = sorted(named - set(self.train.cells))
        if missing:
            many = {name: self.train.matrices[name] for name in missing if name in self.train.matrices}
            hint = "".join(f"; {name!r} stands for {', '.join(cells)}: name one" for name, cells in many.items())
            raise ValueError(f"no cell is called {missing}; cells: {sorted(self.train.cells)}{hint}")
        return self

    @model_validator(mode="after")
    def _correction_can_serve(self) -> WorkloadParams:
        name, known = self.register_.correction, self.evaluate.corrections
        if name is not None and name not in known:
            raise ValueError(
                f"register.correction: {name!r} is none of evaluate.corrections: {', '.join(sorted(known)) or 'none'}"
            )
        if name is not None:
            servable(name, known[name])
        return self

    @model_validator(mode="after")
    def _gates_are_of_targets(self) -> WorkloadParams:
        faults = [
            f"gates.{metric}.targets: {name!r} is no target of train; {nearest(name, self.train.targets)}"
            for metric, gate in self.gates.metrics.items()
            for name in gate.targets or ()
            if name not in self.train.targets
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self
