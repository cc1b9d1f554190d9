"""answers: what final models say of rows, each cell after those that it stands over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from watertight.learners.catalogue import load
from watertight.learners.family import Outputs
from watertight.learners.matrix import feature_matrix
from watertight.learners.members import read_of
from watertight.learners.out_of_fold import output_columns
from watertight.registry.bundle import Model

Key = tuple[str, str, int]


def answers(places: Iterable[tuple[Model, Path]], table: pl.DataFrame) -> Iterator[tuple[Model, Outputs]]:
    """Each model's outputs for the rows of ``table``, in the given order, which has cells below others first.

    ``table`` has the joined features and the texts that the models read.
    """
    told: dict[Key, Outputs] = {}
    for model, folder in places:
        read: Outputs = {}
        for cell in model.over:
            read |= read_of(cell, told[model.target, cell, model.seed], model.output)
        x = feature_matrix(table.with_columns(output_columns(read)), (*read, *model.columns), model.widths, model.texts)
        told[model.target, model.cell, model.seed] = load(model.family, folder).predict(x)
        yield model, told[model.target, model.cell, model.seed]
