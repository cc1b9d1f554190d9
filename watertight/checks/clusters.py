"""How much rows of one group tell: the effective number of rows on each side of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln


@dataclass(frozen=True)
class Clusters:
    """Two sides of rows in cells, a cell being the rows of one group on one side.

    ``new``: bool (rows,), the side; ``cell``: int (rows,), 0 … cells - 1. A group that stands on both sides makes two cells:
    its rows of today resemble one another more than they do its rows of last year, so its presence on both sides is not
    credited to the comparison.
    """

    new: NDArray[np.bool_]
    cell: NDArray[np.int64]

    @classmethod
    def of(cls, new: NDArray[np.bool_], group: NDArray[np.int64]) -> Clusters:
        """From the side and the group, int (rows,), of each row."""
        return cls(new, np.unique(group.astype(np.int64) * 2 + new, return_inverse=True)[1])

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Rows per cell, int (cells,)."""
        return np.bincount(self.cell)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the reference and of the new side, int (2,)."""
        return np.bincount(self.new, minlength=2)

    @cached_property
    def certainty(self) -> float:
        """Degrees of freedom with which variance between cells is known, at least 1: as many cells of one size, less the sides.

        The largest cells have nearly all weight in that variance, so few large ones count and not the many small ones.
        """
        return max(len(self.cell) ** 2 / float((self.sizes**2).sum()) - 2, 1.0)

    @cached_property
    def least_p(self) -> float:
        """The least p-value that exchanging whole cells between the sides could give: one over the ways to deal them.

        However strange a single new group is, among nineteen others it is the strangest one time in twenty.
        """
        cells, new = len(self.sizes), int(self.side_of_cell.sum())
        return float(np.exp(gammaln(new + 1) + gammaln(cells - new + 1) - gammaln(cells + 1)))

    @cached_property
    def concentration(self) -> NDArray[np.float64]:
        """Sum over a side's cells of the square of its share in the side's rows, float (2,): 1 where one cell has all."""
        squares = np.bincount(self.side_of_cell, weights=self.sizes.astype(float) ** 2, minlength=2)
        return squares / self.rows.astype(float) ** 2

    @cached_property
    def side_of_cell(self) -> NDArray[np.int64]:
        """The side of each cell, int (cells,)."""
        side = np.zeros(len(self.sizes), dtype=np.int64)
        side[self.cell] = self.new
        return side

    def counted(self, kinds: NDArray[np.int64], most: int) -> NDArray[np.float64]:
        """Rows of each cell and kind, float (cells, most); ``kinds``: int (rows,), 0 … most - 1."""
        flat = np.bincount(self.cell * most + kinds, minlength=len(self.sizes) * most)
        return flat.reshape(-1, most).astype(float)

    def shares(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of a side's rows that each column of ``counts``, float (cells, k), counts: float (2, k)."""
        after = self.side_of_cell @ counts
        return np.stack([counts.sum(axis=0) - after, after]) / self.rows[:, None]

    def likeness(self, counts: NDArray[np.float64]) -> float:
        """The intraclass correlation, in [0, 1], of what ``counts``, float (cells, k), count per cell, over all columns.

        One-way analysis of variance of the indicators, within sides so that a shift between them is no likeness (Donner &
        Koval 1980). 1 where it cannot be known: a cell a side, or nothing varies within a side.
        """
        rows, cells = len(self.cell), len(self.sizes)
        if rows == cells:
            return 0.0
        held = float((counts**2 / self.sizes[:, None]).sum())
        between = held - float((self.shares(counts) ** 2 * self.rows[:, None]).sum())
        within = float(counts.sum()) - held
        if cells < 3 or between + within < 1e-9:
            return 1.0
        typical = (rows - float(self.concentration @ self.rows)) / (cells - 2)
        inside = within / (rows - cells)
        excess = between / (cells - 2) - inside
        return excess / (excess + typical * inside) if excess > 0 else 0.0

    def effective(self, likeness: float) -> NDArray[np.float64]:
        """How many independent rows each side is worth, float (2,): rows over Kish's design effect.

        The variance of a side's mean is σ² (ρ Σ share² + (1 - ρ) / rows), with ρ the ``likeness``; cells may differ in size.
        """
        return np.asarray(1 / (likeness * self.concentration + (1 - likeness) / self.rows))
