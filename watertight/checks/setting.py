"""What a gate tells its checks beside the flat frame that it judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.core.contract import Target


@dataclass(frozen=True)
class Setting:
    """What a gate knows beside the flat frame that it judges.

    ``judged``: the same rows with their vectors (lists). ``features``: the columns that a model may take, vectors among
    them. ``targets``: what is predicted, by column. ``reference``: the drops of the frozen reference profile; None where
    there is none. ``superseded``: earlier versions of the rows, with the columns of the contract.
    ``texts``: the columns of text that a model may read.
    ``asked``: the ids of the rows that were to come out of the step before; None where nobody said.
    """

    judged: pl.DataFrame
    features: tuple[str, ...] = ()
    targets: Mapping[str, Target] = field(default_factory=dict)
    reference: tuple[str, ...] | None = None
    asked: Sequence[str] | None = None
    superseded: pl.DataFrame | None = None
    texts: tuple[str, ...] = ()

    @cached_property
    def scalars(self) -> list[str]:
        """The features that are one value a row."""
        return [name for name in self.features if name not in self.blocks]

    @cached_property
    def blocks(self) -> list[str]:
        """The features that are a vector a row."""
        kinds = self.judged.schema
        return [name for name in self.features if isinstance(kinds[name], pl.List | pl.Array)]

    def vectors(self, column: str) -> NDArray[np.float32]:
        """A column of vectors as a matrix, float32 (rows, dimension); a row of NaN for null."""
        return as_matrix(self.judged[column])


def as_matrix(vectors: pl.Series) -> NDArray[np.float32]:
    """Vectors of one size as a matrix, float32 (rows, dimension); a row of NaN for null."""
    lists = vectors.cast(pl.List(pl.Float32))
    there = lists.is_not_null().to_numpy()
    flat = lists.drop_nulls().explode(empty_as_null=False).to_numpy()
    matrix = np.full((len(lists), len(flat) // max(int(there.sum()), 1)), np.nan, dtype=np.float32)
    matrix[there] = flat.reshape(int(there.sum()), matrix.shape[1])
    return matrix


_CURRENT: ContextVar[Setting] = ContextVar("setting")


@contextmanager
def judging(setting: Setting) -> Iterator[None]:
    """Within, checks find ``setting``: Great Expectations hands them a pandas frame and nothing else."""
    token = _CURRENT.set(setting)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> Setting:
    """The setting of the gate that is judging; raises LookupError outside one."""
    return _CURRENT.get()
