"""How well single features tell a target, all features at once, and by groups that were not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.stats import rankdata

Floats = NDArray[np.float64]
PARTS, BINS, SEED = 5, 32, 0
LEAST_ROWS, LEAST_GROUPS = 20, 10


@dataclass(frozen=True)
class Ranked:
    """Features (rows, features) by their ranks, in (0, 1], 0 where null; by bins, the last of which holds the nulls; whether
    each bin is one value; and the group per row, by numbers from 0.
    """

    ranks: Floats
    bins: NDArray[np.uint8]
    few: NDArray[np.bool_]
    groups: NDArray[np.int64]

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """Where a feature is set."""
        return self.bins != BINS

    @cached_property
    def cells(self) -> tuple[csr_matrix, Floats]:
        """Per feature, part and bin which rows it holds, and how many (features, parts, bins); a group is in one part."""
        rows, features = self.bins.shape
        cells = (np.arange(features) * PARTS + parts(self.groups)[:, None]) * (BINS + 1) + self.bins
        shape = (rows, features * PARTS * (BINS + 1))
        held = csr_matrix((np.ones(cells.size), cells.ravel(), np.arange(rows + 1) * features), shape=shape).T
        return held, np.asarray(held.sum(axis=1)).reshape(features, PARTS, BINS + 1)

    def supported(self, some: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Per feature, whether enough rows of enough groups are among ``some`` (rows, features)."""
        groups = np.logical_or.reduceat(some[self._order], self._starts, axis=0).sum(axis=0)
        return (some.sum(axis=0) >= LEAST_ROWS) & (groups >= LEAST_GROUPS)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return np.argsort(self.groups, kind="stable")

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.searchsorted(self.groups[self._order], np.arange(int(self.groups.max()) + 1))


def numbered(groups: pl.Series) -> NDArray[np.int64]:
    """Groups by numbers from 0, in the order of their names."""
    return groups.rank("dense").to_numpy().astype(np.int64) - 1


def parts(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Per row one of five parts, drawn by group; ``groups`` by numbers from 0."""
    drawn = np.random.default_rng(SEED).permutation(int(groups.max()) + 1)
    return np.asarray(drawn[groups] % PARTS)


def ranked(features: pl.DataFrame, groups: pl.Series) -> Ranked:
    """Numbers, booleans and texts (by their order) ranked; nulls and NaN have no rank."""
    floats = [name for name, kind in features.schema.items() if kind.is_float()]
    numbers = features.with_columns(pl.col(floats).fill_nan(None))
    ranks = numbers.select(pl.all().rank("average") / pl.all().count()).to_numpy().astype(np.float64).reshape(features.shape)
    dense = numbers.select(pl.all().rank("dense")).to_numpy().astype(np.float64).reshape(features.shape)
    few = np.nan_to_num(dense).max(axis=0, initial=0) <= BINS
    bins = np.where(few, dense - 1, np.ceil(ranks * BINS) - 1)
    codes = np.where(np.isnan(bins), BINS, bins).astype(np.uint8)
    return Ranked(np.nan_to_num(ranks), codes, few, numbered(groups))


def by_rank(features: Ranked, target: Floats) -> Floats:
    """|Spearman's rank correlation| of each feature with ``target``, over the rows where the feature is set.

    For a feature of few values, relative to the greatest that its ties allow (Kendall's remedy for ties, taken to ranks):
    else a flag that is the target cut in two would reach 0.87 at most.
    """
    of_target = rankdata(target) / len(target)
    there, ranks = features.there.astype(np.float64), features.ranks
    count = there.sum(axis=0)
    mean, mean_target = _over(ranks.sum(axis=0), count), _over(of_target @ there, count)
    spread = np.sqrt(np.maximum(_over((ranks**2).sum(axis=0), count) - mean**2, 0))
    spread_target = np.sqrt(np.maximum(_over(of_target**2 @ there, count) - mean_target**2, 0))
    together = np.abs(_over(of_target @ ranks, count) - mean * mean_target)
    most, ordered = spread * spread_target, np.sort(of_target)
    for place in np.flatnonzero(features.few & features.supported(features.there & (features.bins != _commonest(features)))):
        some = features.there[:, place]
        of_some = ordered if some.all() else np.sort(of_target[some])
        most[place] = _most(features.cells[1][place].sum(axis=0)[:BINS], of_some)
    return np.where(features.supported(features.there), np.minimum(_over(together, most), 1.0), 0.0)


def _most(counts: Floats, ordered: Floats) -> float:
    """The greatest covariance of ranks that values with these counts, in their order, can have with the sorted target."""
    total = counts.sum()
    ranks = (np.cumsum(counts) - (counts - 1) / 2) / total
    return float(ranks @ _pieces(counts, ordered) / total - (ranks @ counts / total) * ordered.mean())


def by_area(features: Ranked, flag: Floats) -> Floats:
    """How well each feature, where it is set, tells the rows with ``flag`` 1 from those with 0: |2 · AUC − 1|, ties by half."""
    there, ones = features.there, flag == 1
    count, of_one = there.sum(axis=0), flag @ there
    ranks = flag @ features.ranks * count
    area = _over(ranks - of_one * (of_one + 1) / 2, of_one * (count - of_one))
    both = features.supported(there & ones[:, None]) & features.supported(there & ~ones[:, None])
    return np.where(both, np.abs(2 * area - 1), 0.0)


def by_null(features: Ranked, target: Floats) -> Floats:
    """How well it tells high from low targets whether a feature is null: |2 · AUC − 1|."""
    null = ~features.there
    count = null.sum(axis=0)
    area = _over(rankdata(target) @ null - count * (count + 1) / 2, count * (len(target) - count))
    return np.where(features.supported(null) & features.supported(~null), np.abs(2 * area - 1), 0.0)


def by_bins(features: Ranked, target: Floats) -> Floats:
    """The correlation ratio of ``target`` over 32 bins of equally many rows (or the values themselves, where there are fewer)
    and one of nulls: the root of the share of its variance that the bins' means over the *other* groups explain. For a feature
    of few values, relative to the greatest share that bins of these sizes could explain.
    """
    held, count = features.cells
    centred = target - target.mean()
    sums = (held @ centred).reshape(count.shape)
    others = count.sum(axis=1, keepdims=True) - count
    predicted = _over(sums.sum(axis=1, keepdims=True) - sums, others)
    explained = (2 * predicted * sums - predicted**2 * count).sum(axis=(1, 2))
    most, ordered = np.full(len(explained), (centred**2).sum()), np.sort(centred)
    for place in np.flatnonzero(features.few & features.supported(features.bins != _commonest(features))):
        of_bins, mean = count[place].sum(axis=0), _over(sums[place].sum(axis=0), count[place].sum(axis=0))
        most[place] = _most_explained(of_bins[np.argsort(mean, kind="stable")], ordered)
    return np.sqrt(np.clip(_over(explained, most), 0, 1))


def _most_explained(counts: Floats, ordered: Floats) -> float:
    """The sum of squares between bins of these sizes that cut the sorted target, of mean 0, into pieces."""
    return float(_over(_pieces(counts, ordered) ** 2, counts).sum())


def _pieces(counts: Floats, ordered: Floats) -> Floats:
    """The sums of consecutive pieces of these sizes."""
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.diff(np.concatenate([[0.0], np.cumsum(ordered)])[ends])


def _commonest(features: Ranked) -> NDArray[np.int64]:
    return np.asarray(features.cells[1].sum(axis=1)[:, :BINS].argmax(axis=1))


def _over(above: Floats, below: Floats) -> Floats:
    """A quotient, 0 where it is none."""
    above = np.asarray(above, dtype=np.float64)
    return np.divide(above, below, out=np.zeros_like(above), where=np.asarray(below) > 1e-15)
