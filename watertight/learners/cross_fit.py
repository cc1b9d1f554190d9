"""Cross-fitting: each model is known by its cell and the folds that were left out when it was fitted.

A cell may stand over others: it then reads their predictions as features. It is *nested*: the model of such a cell that
leaves out the folds S is fitted on predictions of each fold j by models that leave out S and j. So nothing of S has come
near it, and no row that it was fitted on was known to the model that predicted it (Wolpert 1992; van der Laan et al. 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from watertight.core.contract import Target
from watertight.core.digests import json_digest
from watertight.core.errors import Refusal
from watertight.core.witness import Witness, united, with_made, witness
from watertight.learners.family import Learner, Outputs
from watertight.learners.matrix import MEMBER, Matrix, feature_matrix, list_widths
from watertight.learners.members import beside, read_of
from watertight.learners.search import Searching
from watertight.learners.treatments.filtered import Kept, Mask, kept_places
from watertight.learners.treatments.treatment import MADE, Treatment

Folds = frozenset[int]
NONE: Folds = frozenset()


@dataclass(frozen=True)
class Task:
    """A cell for one target: the features and texts it reads, the cells it stands over, and how a model is built.

    ``treatment``: what is done to the rows of each fit before the model sees them.

    ``build`` takes options that override the declared ones: what ``search`` chose, or none. ``seed``: its own; None: the grid's.
    """

    cell: str
    columns: tuple[str, ...]
    build: Callable[[Mapping[str, Any]], Learner]
    texts: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    search: Searching | None = None
    treatment: Treatment = field(default_factory=Treatment)
    seed: int | None = None


@dataclass(frozen=True)
class Input:
    """Rows that a model over other cells was fitted on, ``predicted`` by a model of ``member`` that saw ``fitted_on``."""

    member: str
    fitted_on: Witness
    predicted: Witness


@dataclass(frozen=True)
class Fitted:
    """A model, the witness of every row that it or a model below it was fitted on, and what it read of other cells.

    ``made``: the rows that were made for it, and of which; they are in the witness as children of these. ``kept``: the rows
    that its filters left; the others are in the witness too, since what scored them saw them. ``learner`` is None once the
    model has said all that is asked of it.
    """

    learner: Learner | None
    names: tuple[str, ...]
    witness: Witness
    chosen: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    made: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MADE))
    kept: Kept = field(default_factory=lambda: Kept(pl.Series(dtype=pl.String), 0))

    @property
    def answering(self) -> Learner:
        """The model; raises RuntimeError where it was let go."""
        if self.learner is None:
            raise RuntimeError("a model was asked after it had been let go")
        return self.learner


@dataclass(frozen=True)
class Held:
    """Predictions of one fold's rows (in the table's order) by a model that left the fold out."""

    outputs: Outputs
    witness: Witness


class CrossFit:
    """Every model of one target and seed, fitted when it is first asked for, and once. Safe to ask from several threads."""

    def __init__(
        self, table: pl.DataFrame, name: str, target: Target, tasks: Iterable[Task], seed: int, first: CrossFit | None = None
    ) -> None:
        """``table``: a training set with row_id, parent_id, group_id, synthetic, weight, split, fold and the features.

        Its rows of train that have the target are used; synthetic ones by cells that stand over no others alone, since a
        blend or a calibrator judges what its members say, and is to judge it of real rows. ``first``: the same for another
        seed, which has the models of the cells whose seed is their own; they are not fitted twice. Raises Refusal where the
        target is known in so few folds that a cell could not be fitted.
        """
        self.name, self.target, self.seed, self.first = name, target, seed, first
        self.tasks = {task.cell: task for task in tasks}
        self.rows = table.filter((pl.col("split") == "train") & pl.col(name).is_not_null())
        self.folds = sorted(self.rows["fold"].unique())
        self._demand_folds()
        self._demand_weight()
        self._fits: dict[tuple[str, Folds], Fitted] = {}
        self._held: dict[tuple[str, Folds, int], Held] = {}
        self._matrices: dict[Any, Matrix] = {}
        self._kept: dict[Any, Mask] = {}
        self._locks: dict[Any, Lock] = {}
        self._door = Lock()

    def owner(self, cell: str) -> CrossFit:
        """Who has the cell's models: the first, where their seed is the cell's own."""
        return self.first if self.first is not None and self.tasks[cell].seed is not None else self

    def seed_of(self, cell: str) -> int:
        """The seed that the cell is fitted with."""
        own = self.tasks[cell].seed
        return self.seed if own is None else own

    def fits(self) -> list[tuple[str, Folds]]:
        """Every (cell, folds left out) that out-of-fold predictions and final models need, cells below others first."""
        needed: dict[str, set[Folds]] = {cell: {NONE, *(frozenset([fold]) for fold in self.folds)} for cell in self.tasks}
        for cell in reversed(self.cells):
            for member in self.tasks[cell].over:
                needed[member] |= {left | {fold} for left in needed[cell] for fold in self.folds} | needed[cell]
        return [(cell, left) for cell in self.cells for left in sorted(needed[cell], key=sorted)]

    def settle(self, cell: str, left_out: Folds) -> None:
        """Fit a model, predict each fold that it left out, and let it go: what is asked later is known, but of final ones."""
        if self.owner(cell) is not self:
            return
        for fold in left_out:
            self.held(cell, left_out, fold)
        fitted = self.model(cell, left_out)
        if left_out:
            self._fits[cell, left_out] = replace(fitted, learner=None)

    def model(self, cell: str, left_out: Folds = NONE) -> Fitted:
        """The cell's model fitted on the folds that are not left out."""
        if (owner := self.owner(cell)) is not self:
            return owner.model(cell, left_out)
        return self._once(self._fits, (cell, left_out), lambda: self._fit(self.tasks[cell], left_out))

    def held(self, cell: str, left_out: Folds, fold: int) -> Held:
        """What the cell's model that left out ``left_out`` says of the rows of ``fold``, one of those."""
        if (owner := self.owner(cell)) is not self:
            return owner.held(cell, left_out, fold)
        return self._once(self._held, (cell, left_out, fold), lambda: self._hold(self.tasks[cell], left_out, fold))

    def rows_of(self, fold: int) -> pl.DataFrame:
        """The fold's rows, in the table's order, synthetic ones among them."""
        return self.rows.filter(self._fold == fold)

    def widths(self, cell: str) -> dict[str, int]:
        """The length of each list column that the cell reads, other cells' predictions among them."""
        task = self.tasks[cell]
        wide = {"class": len(self.target.classes or ()), "vector": self.target.dimension or 0}.get(self.target.kind)
        members = {f"{MEMBER}{member}": wide for member in task.over if wide is not None}
        return {**members, **list_widths(self.rows, task.columns)}

    def _fit(self, task: Task, left_out: Folds) -> Fitted:
        kept = ~np.isin(self._fold, list(left_out)) & self._used(task)
        x, inputs = self._inputs(task, left_out, kept)
        rows = self.rows.select(*dict.fromkeys((*task.treatment.reads, "weight"))).filter(kept)
        stay, seed = self._stay(task, left_out, rows, x, self._truth[kept]), self.seed_of(task.cell)
        left, y = rows.filter(stay), self._truth[kept][stay]
        treated, made = task.treatment.of(left, x if stay.all() else x.at(stay), y, left["weight"].to_numpy(), seed)
        given = (treated.x, treated.y, treated.weight)
        chosen = task.search.best(task.build, *given, self.target.kind, seed) if task.search else {}
        learner = task.build(chosen).fit(*given, seed=seed)
        seen = united([witness(with_made(rows, made)), *(read.fitted_on for read in inputs)])
        return Fitted(learner, x.names, seen, chosen, inputs, made, Kept(left["row_id"], rows.height))

    def _stay(self, task: Task, left_out: Folds, rows: pl.DataFrame, x: Matrix, y: npt.NDArray[Any]) -> Mask:
        """Which rows of a fit the cell's filters leave: found once for all cells that filter alike and read the same."""
        steps = task.treatment.filters
        if not steps:
            return np.ones(rows.height, dtype=bool)
        alike = json_digest([step.model_dump(mode="json") for step in steps])
        score = lambda: kept_places(steps, rows, x, y, rows["weight"].to_numpy(), self.name, self.target)  # noqa: E731
        return self._once(self._kept, (alike, task.columns, task.texts, left_out), score)

    def _hold(self, task: Task, left_out: Folds, fold: int) -> Held:
        fitted = self.model(task.cell, left_out)
        below = {member: self.held(member, left_out, fold) for member in task.over}
        read = {name: values for member, held in below.items() for name, values in self._told(member, held).items()}
        x = beside(self._matrix(task).at(self._fold == fold), read)
        return Held(self._told_by(fitted.answering, x), united([fitted.witness, *(held.witness for held in below.values())]))

    def _told_by(self, learner: Learner, x: Matrix) -> Outputs:
        """A model's outputs; vectors in single precision, as they are read and stored: there are many of them."""
        return {name: told.astype(np.float32) if name == "vector" else told for name, told in learner.predict(x).items()}

    def _inputs(self, task: Task, left_out: Folds, kept: npt.NDArray[np.bool_]) -> tuple[Matrix, tuple[Input, ...]]:
        """What a model is fitted on: its features, and of each cell below it out-of-fold predictions, fold by fold."""
        parts = {(member, fold): self._input(member, left_out, fold) for member in task.over for fold in self._rest(left_out)}
        inputs = tuple(Input(member, held.witness, self._read(task, fold)) for (member, fold), held in parts.items())
        read = {name: laid[kept] for member in task.over for name, laid in self._laid(parts, member).items()}
        x = beside(self._matrix(task).at(kept), read)
        return replace(x, folds=self._fold[kept] if task.over else None), inputs

    def _used(self, task: Task) -> npt.NDArray[np.bool_]:
        return ~self._synthetic if task.over else np.ones(self.rows.height, dtype=bool)

    def _read(self, task: Task, fold: int) -> Witness:
        """The rows of a fold whose predictions by other cells the cell is fitted on."""
        return witness(self.rows.filter((self._fold == fold) & self._used(task)))

    def _input(self, member: str, left_out: Folds, fold: int) -> Held:
        """Predictions of a fold to fit on: by a model that left out this fold too."""
        return self.held(member, left_out | {fold}, fold)

    def _laid(self, parts: Mapping[tuple[str, int], Held], member: str) -> dict[str, npt.NDArray[np.float64]]:
        """What is read of a member, each fold's in its rows' places; NaN in the folds left out."""
        told = {fold: self._told(member, held) for (name, fold), held in parts.items() if name == member}
        laid = {name: np.full((self.rows.height, *of.shape[1:]), np.nan) for name, of in next(iter(told.values())).items()}
        for fold, columns in told.items():
            for name, values in columns.items():
                laid[name][self._fold == fold] = values
        return laid

    def _told(self, member: str, held: Held) -> dict[str, npt.NDArray[np.float64]]:
        return read_of(member, held.outputs, self.target.output)

    def _rest(self, left_out: Folds) -> Iterator[int]:
        return (fold for fold in self.folds if fold not in left_out)

    def _matrix(self, task: Task) -> Matrix:
        """The cell's features of all rows."""
        make = lambda: feature_matrix(self.rows, task.columns, list_widths(self.rows, task.columns), task.texts)  # noqa: E731
        return self._once(self._matrices, (task.columns, task.texts), make)

    def _once(self, made: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
        """``made[key]``, made by one thread while others that ask for it wait."""
        with self._door:
            lock = self._locks.setdefault((id(made), key), Lock())
        with lock:
            if key not in made:
                made[key] = make()
            return made[key]

    @cached_property
    def _fold(self) -> npt.NDArray[np.int64]:
        return self.rows["fold"].to_numpy()

    @cached_property
    def _synthetic(self) -> npt.NDArray[np.bool_]:
        return self.rows["synthetic"].to_numpy()

    @cached_property
    def _truth(self) -> npt.NDArray[Any]:
        return target_values(self.rows[self.name], self.target)

    @cached_property
    def cells(self) -> list[str]:
        """The cells, each after those that it stands over."""
        return sorted(self.tasks, key=lambda cell: (self._depth(cell), list(self.tasks).index(cell)))

    def _depth(self, cell: str) -> int:
        return max((1 + self._depth(member) for member in self.tasks[cell].over), default=0)

    def _demand_weight(self) -> None:
        for fold in self.folds:
            if not self.rows.filter(self._fold != fold)["weight"].sum() > 0:
                raise Refusal(
                    f"no row of {self.name} outside fold {fold} has a weight above 0",
                    column="weight",
                    expected="rows that count in every part that a model is fitted on",
                )

    def _demand_folds(self) -> None:
        deepest = max(self.tasks, key=self._depth)
        needed = self._depth(deepest) + 2
        if len(self.folds) < needed:
            raise Refusal(
                f"{self.name} is known in {len(self.folds)} fold(s) of train",
                column=self.name,
                expected=f"at least {needed}, so that cell {deepest!r} can be predicted by a model fitted on another",
                next_step="leave the target out of the cell, declare more folds, or bring rows of more groups that carry it",
            )


def target_values(values: pl.Series, target: Target) -> npt.NDArray[Any]:
    """A target column as a learner takes it: numbers, class indices in declared order, or a matrix of vectors.

    Raises polars.exceptions.ComputeError where a vector has not the target's dimension.
    """
    if target.kind == "class":
        order = list(target.classes or ())
        return values.replace_strict(order, list(range(len(order))), return_dtype=pl.Int64).to_numpy()
    if target.kind == "vector":
        return values.cast(pl.Array(pl.Float64, target.dimension or 0)).to_numpy()
    return values.cast(pl.Float64).to_numpy()
