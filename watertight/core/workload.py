"""What a workload declares in its section of ``params.yaml``: source, split, featurize, join, train, evaluate, register."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from watertight.core.declare import Declaration, nearest


class SourceParams(Declaration):
    """Which source is read, and the options of each source that has any (by its name)."""

    name: str
    options: dict[str, dict[str, Any]] = {}

    @property
    def chosen(self) -> dict[str, Any]:
        """The options of the source that is read."""
        return self.options.get(self.name, {})


class TestGroups(Declaration):
    """Whole groups held out: ``share`` of the groups, in [0, 0.5]."""

    share: float = Field(ge=0, le=0.5)


class TestFuture(Declaration):
    """The last ``share`` of each remaining group's rows, at least ``gap_days`` after its last training row."""

    share: float = Field(ge=0, le=0.5)
    gap_days: float = Field(ge=0)


class SplitParams(Declaration):
    """How rows are assigned, once. ``strata`` names columns over which the groups of the first drop are balanced."""

    seed: int
    folds: int = Field(ge=2, le=50)
    strata: tuple[str, ...] = ()
    test_groups: TestGroups = TestGroups(share=0.0)
    test_future: TestFuture = TestFuture(share=0.0, gap_days=0.0)

    @model_validator(mode="after")
    def _can_hold_together(self) -> SplitParams:
        if self.test_groups.share + self.test_future.share > 0.8:
            raise ValueError("test_groups and test_future together would leave less than a fifth of the rows to train on")
        if self.test_future.gap_days and not self.test_future.share:
            raise ValueError("a gap before test_future needs a share for test_future")
        never = {"row_id", "group_id"} & set(self.strata)
        if never:
            raise ValueError(f"{sorted(never)} cannot be balanced over folds: each value stands in one group only")
        return self


class FeaturizeParams(Declaration):
    """``encoder`` is the embedding model: all-MiniLM-L6-v2 as packaged, a folder, or a name on a hub."""

    encoder: str = "all-MiniLM-L6-v2"


class JoinParams(Declaration):
    """``service`` is the Feast feature service whose features make the training set."""

    service: str


class Cell(Declaration):
    """One idea to fit: a family of models over the features of some views (``all`` for every view of the service).

    ``options`` override the family's own; ``targets`` limits the cell to some targets.
    """

    family: str
    views: tuple[str, ...] | Literal["all"] = ()
    options: dict[str, Any] = {}
    targets: tuple[str, ...] | None = None


class TrainParams(Declaration):
    """Targets, seeds, options per family, and the cells; the grid targets × cells × seeds runs inside one stage."""

    targets: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    families: dict[str, dict[str, Any]] = {}
    cells: dict[str, Cell] = Field(min_length=1)

    @model_validator(mode="after")
    def _options_are_used(self) -> TrainParams:
        used = {cell.family for cell in self.cells.values()}
        strange = [name for name in self.families if name not in used]
        if strange:
            hints = ", ".join(f"{name!r} ({nearest(name, used)})" for name in strange)
            raise ValueError(f"families gives options of a family that no cell uses: {hints}")
        return self


class EvaluateParams(Declaration):
    """``baselines`` are the cells that others are set beside; ``slices`` columns (with bin edges for numbers)."""

    baselines: tuple[str, ...] = ()
    slices: dict[str, tuple[float, ...]] = {}

    @model_validator(mode="after")
    def _edges_rise(self) -> EvaluateParams:
        falling = [name for name, edges in self.slices.items() if list(edges) != sorted(set(edges))]
        if falling:
            raise ValueError(f"the edges of {', '.join(falling)} do not rise")
        return self


class RegisterParams(Declaration):
    """``cell`` is the one whose final models go into the bundle."""

    cell: str


class WorkloadParams(Declaration):
    """A workload's whole section."""

    source: SourceParams
    split: SplitParams
    featurize: FeaturizeParams = FeaturizeParams()
    join: JoinParams
    train: TrainParams
    evaluate: EvaluateParams = EvaluateParams()
    register_: RegisterParams = Field(alias="register")

    @model_validator(mode="after")
    def _cells_exist(self) -> WorkloadParams:
        named = {*self.evaluate.baselines, self.register_.cell}
        missing = sorted(named - set(self.train.cells))
        if missing:
            raise ValueError(f"no cell is called {missing}; cells: {sorted(self.train.cells)}")
        return self
