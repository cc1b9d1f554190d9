"""The kernel of the join: labels sorted by key and instant are slots; feature rows are dropped into them as they are read.

A feature row is seen by the labels of its key from some instant on: its event, or, where what was not yet written is not
seen, the later of event and creation. The first such label is its *slot*. Each slot keeps the newest row that fell into
it; when all rows were dropped, what a slot keeps is carried on to the later labels of its key unless they have newer.

So feature rows are neither sorted nor kept: any number of them, in any order, costs one binary search among the labels of
one key, and memory grows with the labels alone. An ASOF or a windowed join sorts or hashes the feature rows instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

NONE = -1
# What a slot keeps.
EVENT, CREATED, ROW = 0, 1, 2
LONG_AGO = -(2**63)


@dataclass(frozen=True)
class Labels:
    """Labels in the order of their slots.

    ``order`` (n,) is the label of each slot; ``instants`` (n,) the instants, ascending within each key; ``starts``
    (keys + 1,) the first slot of each key. Labels without a key, of code -1, have no slot.
    """

    order: Longs
    instants: Longs
    starts: Longs


def labels_in_slots(codes: Codes, instants: Longs, keys: int) -> Labels:
    """Sort labels by key and instant; ``codes`` (n,) are the keys of the labels, 0 … ``keys`` - 1, or -1 for none."""
    by_time = np.argsort(instants)
    order, starts = _grouped(codes, by_time, keys)
    return Labels(order, instants[order], starts)


class Slots:
    """What has been dropped into the slots of some labels; one per thread, merged in the end."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.best = np.full((len(labels.order), 3), LONG_AGO, np.int64)
        self.best[:, ROW] = NONE

    def drop(self, codes: Codes, event: Longs, created: Longs, seen_from: Longs, first_row: int) -> None:
        """Drop feature rows, which bear the numbers ``first_row`` and on, into the slots of their keys.

        ``codes`` (m,) are their keys, -1 for one that no label has or a row without an event; ``event``, ``created`` and
        ``seen_from`` (m,) are instants. Of two rows in one slot the newer event stays, then the newer creation, then the
        higher number.
        """
        _drop(codes, event, created, seen_from, first_row, self.labels.instants, self.labels.starts, self.best)

    def take(self, other: Slots) -> None:
        """Take over what is newer in the same slots of another thread."""
        _merge(self.best, other.best)

    def winners(self, ttl: int | None) -> Longs:
        """The number of the row that each label sees, (n labels,) in their own order, -1 for none.

        ``ttl`` is the greatest age at which an event is still seen, itself included, in the unit of the instants.
        """
        _carry_on(self.labels.starts, self.best)
        rows = self.best[:, ROW]
        if ttl is not None:
            # Not `instants - event > ttl`: an event of long ago would overflow. Nor may the oldest that is seen.
            oldest = np.maximum(self.labels.instants, LONG_AGO + ttl) - ttl
            rows = np.where(self.best[:, EVENT] < oldest, NONE, rows)
        return rows


@numba.njit(cache=True, nogil=True)
def _grouped(codes: Codes, by_time: Longs, keys: int) -> tuple[Longs, Longs]:
    """A counting sort by key, which keeps the order of time."""
    starts = np.zeros(keys + 1, np.int64)
    for code in codes:
        if code >= 0:
            starts[code + 1] += 1
    for key in range(keys):
        starts[key + 1] += starts[key]
    free = starts[:-1].copy()
    order = np.empty(starts[keys], np.int64)
    for label in by_time:
        code = codes[label]
        if code >= 0:
            order[free[code]] = label
            free[code] += 1
    return order, starts


@numba.njit(cache=True, nogil=True)
def _newer(event: int, created: int, row: int, best: Longs) -> bool:
    if event != best[EVENT]:
        return event > best[EVENT]
    if created != best[CREATED]:
        return created > best[CREATED]
    return row > best[ROW]


@numba.njit(cache=True, nogil=True)
def _set(event: int, created: int, row: int, best: Longs) -> None:
    best[EVENT] = event
    best[CREATED] = created
    best[ROW] = row


@numba.njit(cache=True, nogil=True)
def _drop(
    codes: Codes, event: Longs, created: Longs, seen_from: Longs, first_row: int, instants: Longs, starts: Longs, best: Longs
) -> None:
    for i in range(len(codes)):
        code = codes[i]
        if code < 0:
            continue
        low, end = starts[code], starts[code + 1]
        high = end
        while low < high:
            middle = (low + high) >> 1
            if instants[middle] < seen_from[i]:
                low = middle + 1
            else:
                high = middle
        if low < end and _newer(event[i], created[i], first_row + i, best[low]):
            _set(event[i], created[i], first_row + i, best[low])


@numba.njit(cache=True, nogil=True)
def _merge(best: Longs, other: Longs) -> None:
    for slot in range(len(best)):
        event, created, row = other[slot]
        if row >= 0 and _newer(event, created, row, best[slot]):
            _set(event, created, row, best[slot])


@numba.njit(cache=True, nogil=True)
def _carry_on(starts: Longs, best: Longs) -> None:
    for key in range(len(starts) - 1):
        event, created, row = LONG_AGO, LONG_AGO, NONE
        for slot in range(starts[key], starts[key + 1]):
            if row >= 0 and _newer(event, created, row, best[slot]):
                _set(event, created, row, best[slot])
            else:
                event, created, row = best[slot, EVENT], best[slot, CREATED], best[slot, ROW]
