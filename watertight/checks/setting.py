"""What a gate tells its checks beside the flat frame that it judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

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
    """

    judged: pl.DataFrame
    features: tuple[str, ...] = ()
    targets: Mapping[str, Target] = field(default_factory=dict)
    reference: tuple[str, ...] | None = None
    superseded: pl.DataFrame | None = None

    def vectors(self, column: str) -> NDArray[np.float32]:
        """A column of vectors as a matrix, float32 (rows, dimension); a row of NaN for null."""
        lists = self.judged[column].cast(pl.List(pl.Float32))
        there = lists.is_not_null().to_numpy()
        flat = lists.drop_nulls().explode(empty_as_null=False).to_numpy()
        matrix = np.full((len(lists), len(flat) // max(int(there.sum()), 1)), np.nan, dtype=np.float32)
        matrix[there] = flat.reshape(int(there.sum()), -1)
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
