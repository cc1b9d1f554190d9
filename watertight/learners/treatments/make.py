"""The steps of a treatment, each a function of the rows as they are by then."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from watertight.core.errors import Refusal
from watertight.core.treatment import Mismatched, Noisy, Oversampled, Smoothed
from watertight.learners.matrix import Matrix
from watertight.learners.treatments.exchange import exchanged, turned
from watertight.learners.treatments.served import Served, places_of
from watertight.learners.treatments.treated import NOBODY, Base, Places, Treated

Chance = np.random.Generator
DRAWS = 30
"""How often a partner is drawn for a row before the row is given up."""


@singledispatch
def made(step: Any, rows: Treated, base: Base, served: Served, chance: Chance) -> Treated:
    """``rows`` after ``step``; raises Refusal where it can make none."""
    raise TypeError(f"no such step: {step!r}")


@made.register
def _(step: Mismatched, rows: Treated, base: Base, served: Served, chance: Chance) -> Treated:
    parent = _parents(base, step.share, chance)
    partner = _partners(base, parent, step.entity, chance)
    parent, partner = parent[partner != NOBODY], partner[partner != NOBODY]
    if not len(parent):
        raise Refusal(
            f"no row can be made by exchanging {step.entity!r}",
            column=step.entity,
            expected="rows of several groups with several values of the key",
            next_step="leave the step out of the treatment, or bring rows of more groups",
        )
    taken = chance.uniform(*step.taken, len(parent))
    low = _low(exchanged(base, parent, partner, taken, step.entity, served), parent, partner, step, rows, chance)
    return rows.beside(replace(low, y=taken * low.y + (1 - taken) * base.y[parent]))


@made.register
def _(step: Noisy, rows: Treated, base: Base, served: Served, chance: Chance) -> Treated:
    served.demand_turned(base.x, step.entity)
    parent = _parents(base, step.share, chance)
    vectors = {
        column: _turned(_vectors(base, column, parent), step.scale, chance)
        for column in served.of_entity(step.entity)
        if column in base.vectors or len(places_of(base.x, column)) > 1
    }
    x = turned(base, parent, vectors, step.entity, served)
    return rows.beside(_low(x, parent, np.full(len(parent), NOBODY), step, rows, chance))


@made.register
def _(step: Oversampled, rows: Treated, base: Base, served: Served, chance: Chance) -> Treated:
    bins = _bins(rows.y, step.bins)
    counts = np.bincount(bins)
    wanted = np.minimum(np.ceil(step.to * counts.max()).astype(int) - counts, step.most * counts)
    repeated = [_dealt(np.flatnonzero(bins == place), count, chance) for place, count in enumerate(wanted) if count > 0]
    return rows.beside(rows.at(np.concatenate(repeated), "oversampled")) if repeated else rows


@made.register
def _(step: Smoothed, rows: Treated, base: Base, served: Served, chance: Chance) -> Treated:
    bins = _bins(rows.y, step.bins)
    weighed = np.bincount(bins, weights=rows.weight)
    smooth = gaussian_filter1d(weighed, step.width, mode="constant")
    factor = 1 / np.maximum(smooth[bins], 1e-9)
    return replace(rows, weight=rows.weight * factor / np.average(factor, weights=rows.weight))


def _low(x: Matrix, parent: Places, partner: Places, step: Mismatched | Noisy, rows: Treated, chance: Chance) -> Treated:
    """Made rows with labels from the declared range, each as heavy as its parent."""
    labels = chance.uniform(*step.labels, len(parent))
    blocks = None if rows.x.blocks is None else rows.x.blocks[parent]
    return Treated(
        replace(x, blocks=blocks), labels, rows.weight[parent], parent, partner, (f"{step.step} {step.entity}",) * len(parent)
    )


def _parents(base: Base, share: float, chance: Chance) -> Places:
    """So many places of real rows, each as often as any other, but for one."""
    return _dealt(base.drawn, max(1, round(share * len(base.drawn))), chance)


def _dealt(places: Places, count: int, chance: Chance) -> Places:
    rounds = [chance.permutation(places) for _ in range(-(-count // len(places)))]
    return np.concatenate(rounds)[:count]


def _partners(base: Base, parent: Places, entity: str, chance: Chance) -> Places:
    """For each parent a real row of its block, of another group and with another value of the key; NOBODY where none is found."""
    key, blocks = base.keys[entity], np.zeros(len(base.y)) if base.blocks is None else base.blocks
    partner = np.full(len(parent), NOBODY)
    for block in np.unique(blocks[parent]):
        open_, among = np.flatnonzero(blocks[parent] == block), base.drawn[blocks[base.drawn] == block]
        for _ in range(DRAWS):
            drawn = chance.choice(among, len(open_))
            mine = parent[open_]
            good = (base.groups[drawn] != base.groups[mine]) & (key[drawn] != key[mine])
            partner[open_[good]] = drawn[good]
            open_ = open_[~good]
    return partner


def _vectors(base: Base, column: str, parent: Places) -> npt.NDArray[np.float32]:
    if column in base.vectors:
        return base.vectors[column][parent]
    return base.x.values[np.ix_(parent, places_of(base.x, column))]


def _turned(vectors: npt.NDArray[np.float32], scale: float, chance: Chance) -> npt.NDArray[np.float32]:
    """Vectors with noise added, as long as before; null stays null."""
    wide = vectors.astype(np.float64)
    noisy = wide + chance.normal(0, scale * float(np.sqrt(np.nanmean(wide**2))), wide.shape)
    lengths = np.linalg.norm(noisy, axis=1, keepdims=True)
    return (noisy * np.linalg.norm(wide, axis=1, keepdims=True) / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _bins(y: npt.NDArray[Any], bins: int) -> Places:
    """The bin of each label, from 0: classes as they are, numbers in bins of equal width from the lowest to the highest."""
    if np.issubdtype(y.dtype, np.integer):
        return y.astype(np.int64)
    low, high = float(y.min()), float(y.max())
    return np.minimum(((y - low) / ((high - low) or 1.0) * bins).astype(np.int64), bins - 1)
