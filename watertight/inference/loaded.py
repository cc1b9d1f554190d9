"""A bundle in memory: its models are read once, and asked about rows as often as one likes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa

from watertight.core.errors import Misuse, Refusal
from watertight.inference.answers import Fitted, mean_of_seeds
from watertight.inference.corrected import Corrected, corrected
from watertight.inference.inputs import Input, inputs_of, read_inputs
from watertight.learners.catalogue import load
from watertight.registry.bank import read_bank
from watertight.registry.bundle import Bundle, Manifest

Rows: TypeAlias = pl.DataFrame | pa.Table | pd.DataFrame
CARD = "card.md"
NULL_AS = {"number": pl.Float32(), "vector": pl.List(pl.Float32), "text": pl.String()}


class Loaded:
    """The models of a bundle. ``manifest`` says what they are, ``inputs`` which columns they read, ``card`` is for a person.

    Every model is read, and asked once about a row that has nothing, when this is made: raises Refusal where one of them
    cannot be read or cannot answer. Asking changes nothing, so that several threads may ask at once.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.manifest: Manifest = bundle.manifest
        self.inputs: tuple[Input, ...] = inputs_of(bundle.manifest.models)
        self.folder: Path = bundle.folder
        self._models = _read(bundle)
        self._banks = read_bank(bundle)
        with _refusing(f"the models of {bundle.manifest.workload!r} do not answer"):
            self._answers(_nothing_known(self.inputs))

    @cached_property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / CARD).read_text(encoding="utf-8")

    def predict(self, rows: Rows) -> pl.DataFrame:
        """One row of answers per row, in the order given: ``row_id`` where ``rows`` has it, then per target its outputs.

        A scalar's mean has the target's name, every other output ``<target>_<output>``: Float64, lists of Float64 for
        probabilities, lists of Float32 for vectors. ``rows`` has the columns of ``inputs``, and may have others, which are not
        looked at. A null, or pandas' NaN, is what the models were taught that it is: not known. Raises Refusal with every
        column that is missing, is of another type or has lists of another length; Misuse where ``rows`` is no table.
        """
        table = as_table(rows)
        asked = read_inputs(table, self.inputs)
        named = [table["row_id"]] if "row_id" in table.columns else []
        return pl.DataFrame([*named, *self._answers(asked)])

    def corrected(self, vectors: npt.NDArray[np.floating[Any]], target: str | None = None) -> Corrected:
        """A gallery of ``vectors``, (N, d), corrected for hubs as the bundle declares; ``scores`` of it orders them for queries.

        ``target`` may be left out where one is searched for. Raises Misuse where the bundle declares no correction, or where
        these are no vectors of the target's dimension.
        """
        return corrected(self.manifest.correction, self._banks, vectors, target)

    def _answers(self, table: pl.DataFrame) -> list[pl.Series]:
        return mean_of_seeds(self._models, self.manifest.cell, table)


def as_table(rows: Rows) -> pl.DataFrame:
    """The rows in Polars; raises Misuse where they are no table."""
    if isinstance(rows, pl.DataFrame):
        return rows
    if not isinstance(rows, pa.Table | pd.DataFrame):
        raise Misuse(f"{type(rows).__name__} is no table of rows", expected="a Polars or pandas DataFrame, or a pyarrow Table")
    try:
        return pl.DataFrame(rows) if isinstance(rows, pa.Table) else pl.from_pandas(rows)
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise Misuse(
            f"the rows are no plain table: {error}", expected="columns of one type each, with different names"
        ) from error


def _read(bundle: Bundle) -> list[Fitted]:
    models = []
    for model, folder in bundle.places():
        with _refusing(f"the model of {model.target!r} in {model.folder} cannot be read as family {model.family!r}"):
            models.append((model, load(model.family, folder)))
    return models


def _nothing_known(inputs: tuple[Input, ...]) -> pl.DataFrame:
    return pl.DataFrame([pl.Series(wanted.name, [None], dtype=NULL_AS[wanted.kind]) for wanted in inputs])


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Whatever a parser of files from elsewhere raises is a refusal of the bundle."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        raise Refusal(
            f"{what}: {str(error) or type(error).__name__}",
            expected="a bundle as `register` writes it",
            next_step="pull the bundle again",
        ) from error
