"""answers: what final models say of rows, each cell after those that it stands over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from watertight.core.ensembles import averaged
from watertight.learners.catalogue import load
from watertight.learners.family import Learner, Outputs
from watertight.learners.matrix import Matrix, feature_matrix
from watertight.learners.members import beside, read_of
from watertight.learners.out_of_fold import output_columns
from watertight.registry.bundle import Model

Key = tuple[str, str, int]
Fitted = tuple[Model, Learner]


def fitted(places: Iterable[tuple[Model, Path]]) -> Iterator[Fitted]:
    """Each model with its learner, read from its folder when its turn comes."""
    for model, folder in places:
        yield model, load(model.family, folder)


def answers(models: Iterable[Fitted], table: pl.DataFrame) -> Iterator[tuple[Model, Outputs]]:
    """Each model's outputs for the rows of ``table``, in the given order, which has cells below others first.

    ``table`` has the joined features and the texts that the models read.
    """
    told: dict[Key, Outputs] = {}
    inputs = _Inputs(table)
    for model, learner in models:
        read: Outputs = {}
        for cell in model.over:
            read |= read_of(cell, _below(told, model, cell), model.output)
        told[model.target, model.cell, model.seed] = learner.predict(beside(inputs.of(model), read))
        yield model, told[model.target, model.cell, model.seed]


def _below(told: Mapping[Key, Outputs], model: Model, cell: str) -> Outputs:
    """What a cell below says: its model of the same seed, or its only one, where its seed is its own."""
    known = {seed: outputs for (target, name, seed), outputs in told.items() if (target, name) == (model.target, cell)}
    return known[model.seed] if model.seed in known else next(iter(known.values()))


class _Inputs:
    """The matrices of one table, each column turned into numbers once, however many models read it."""

    def __init__(self, table: pl.DataFrame) -> None:
        self.table = table
        self.whole = feature_matrix(table, ())
        self.kept: dict[tuple[str, int | None], Matrix] = {}
        self.texts: dict[str, Sequence[str | None]] = {}

    def of(self, model: Model) -> Matrix:
        """What ``feature_matrix`` makes of the model's columns and texts."""
        parts = [self.whole, *(self._column(name, model.widths.get(name)) for name in model.columns)]
        values = np.ascontiguousarray(np.hstack([part.values for part in parts]))
        texts = {name: self._text(name) for name in model.texts}
        return replace(self.whole, values=values, names=tuple(name for part in parts for name in part.names), texts=texts)

    def _column(self, name: str, width: int | None) -> Matrix:
        if (name, width) not in self.kept:
            self.kept[name, width] = feature_matrix(self.table, (name,), {} if width is None else {name: width})
        return self.kept[name, width]

    def _text(self, name: str) -> Sequence[str | None]:
        if name not in self.texts:
            self.texts[name] = self.table[name].to_list()
        return self.texts[name]


def mean_of_seeds(models: Iterable[Fitted], cell: str, table: pl.DataFrame) -> list[pl.Series]:
    """Per target the named outputs of ``cell``, each row's mean over its seeds; numbers as Float64, vectors as
    lists of Float32, other lists of Float64.

    A target's mean has the name of the target, every other output ``<target>_<output>``.
    """
    found: dict[str, list[Outputs]] = {}
    for model, told in answers(models, table):
        if model.cell == cell:
            found.setdefault(model.target, []).append(told)
    columns = [(target, column) for target, seeds in found.items() for column in output_columns(averaged(seeds))]
    return [column.rename(_name(target, column.name)) for target, column in columns]


def _name(target: str, output: str) -> str:
    return target if output == "mean" else f"{target}_{output}"
