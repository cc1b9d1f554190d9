"""Which rows hold the same vector: a column is gone through in slices, and of equal vectors one is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.checks.setting import as_matrix

AT_ONCE = 4096
KEY, NUMBER = "__key", "__number"


@dataclass(frozen=True)
class Different:
    """``vectors``: float32 (m, dimension), in the order in which they come first. ``of``: (rows,), the number of the row's.

    ``first``: (m,), the first row of each.
    """

    vectors: NDArray[np.float32]
    of: NDArray[np.int64]
    first: NDArray[np.int64]


def different_vectors(column: pl.Series, beside: pl.DataFrame) -> Different:
    """The vectors of ``column`` that differ: in their bytes, or in what the row has in ``beside``; all null are one, of NaN.

    Memory is that of the different ones, and of some thousand rows.
    """
    keys = [key for start in range(0, len(column), AT_ONCE) for key in _keys(column.slice(start, AT_ONCE))]
    keyed = beside.with_columns(pl.Series(KEY, keys, dtype=pl.Binary))
    once = keyed.with_row_index("first").unique(keyed.columns, keep="first", maintain_order=True).with_row_index(NUMBER)
    numbered = keyed.join(once, on=keyed.columns, how="left", nulls_equal=True, maintain_order="left")[NUMBER]
    first = once["first"].cast(pl.Int64).to_numpy()
    return Different(as_matrix(column.gather(first)), numbered.cast(pl.Int64).to_numpy(), first)


def _keys(vectors: pl.Series) -> Iterator[bytes]:
    for row in as_matrix(vectors):
        yield blake2b(row, digest_size=16).digest()
