"""Which feature row answers each label, found without any of the engines; and how many rows of an answer are wrong."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .cases import CREATED, DIMENSION, EVENT, KEY, LABEL
from .files import Files, Ints, read_labels

SAMPLE = 20
DAY = 86_400_000_000
EVER = 2**62
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Verdict:
    """Of an answer: labels without a row, rows beyond one per label, rows with a wrong value; and whether they are in order."""

    lost: int
    added: int
    wrong: int
    in_order: bool


@dataclass(frozen=True)
class Instants:
    """The rows of a view or the labels: key numbers, times and, of a view, created times, in µs."""

    keys: Ints
    times: Ints
    created: Ints


def settle(files: Files) -> None:
    """Write the right rows of every view of a case, unless they are there; raises RuntimeError if brute force finds others."""
    for view in files.case.views:
        if not files.right_rows(view).exists():
            rows, labels = _read(files, view)
            ttl = files.case.ttl_days * DAY if files.case.ttl_days else EVER
            right = right_rows(rows, labels, ttl)
            _demand_agreement(rows, labels, ttl, right)
            draft = files.right_rows(view).with_suffix(".draft.npy")
            np.save(draft, right)
            os.replace(draft, files.right_rows(view))


def right_rows(rows: Instants, labels: Instants, ttl: int) -> Ints:
    """Per label, its key's newest row not later than the label and not older than ``ttl``, ties by created; −1 for none.

    Rows and labels are put into one order by key and time, labels after rows of the same time: the right row is then the
    last one before the label.
    """
    count = len(rows.keys)
    asks = np.repeat([0, 1], [count, len(labels.keys)])
    columns = (np.concatenate([getattr(rows, name), getattr(labels, name)]) for name in ("created", "times", "keys"))
    created, times, keys = columns
    order = np.lexsort((created, asks, times, keys))
    last = np.maximum.accumulate(np.where(order < count, np.arange(len(order)), -1))
    asking = order >= count
    label, row = order[asking] - count, np.where(last[asking] < 0, 0, order[last[asking]])
    fits = (last[asking] >= 0) & (rows.keys[row] == labels.keys[label]) & (rows.times[row] >= labels.times[label] - ttl)
    right = np.full(len(labels.keys), -1)
    right[label[fits]] = row[fits]
    return right


def _demand_agreement(rows: Instants, labels: Instants, ttl: int, right: Ints) -> None:
    for label in np.random.default_rng(0).choice(len(right), min(SAMPLE, len(right)), replace=False):
        key, time = labels.keys[label], labels.times[label]
        seen = np.flatnonzero((rows.keys == key) & (rows.times <= time) & (rows.times >= time - ttl))
        best = max(seen, key=lambda row: (rows.times[row], rows.created[row]), default=-1)
        if best != right[label]:
            raise RuntimeError(f"label {label}: the reference finds row {right[label]}, brute force {best}")


def _read(files: Files, view: str) -> tuple[Instants, Instants]:
    rows, labels = pq.read_table(files.view(view), columns=[KEY, EVENT, CREATED]), read_labels(files)
    keys = pa.chunked_array([*rows[KEY].chunks, *labels[KEY].chunks]).combine_chunks().dictionary_encode().indices.to_numpy()
    times, asked = _microseconds(rows[EVENT]), _microseconds(labels[EVENT])
    seen = Instants(keys[: len(rows)], times, _microseconds(rows[CREATED]))
    return seen, Instants(keys[len(rows) :], asked, np.zeros_like(asked))


def _microseconds(column: Any) -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy())


def judge(files: Files, answer: pa.Table) -> Verdict:
    """Compare every value of an answer (label, key, event_timestamp, ``<view>__<feature>``) with what stands in the files."""
    labels = read_labels(files)
    asked = answer[LABEL].cast(pa.int64()).to_numpy()
    wrong = np.zeros(len(asked), dtype=bool)
    for column in (KEY, EVENT):
        wrong |= differs(answer[column], labels[column].take(pa.array(asked)))
    for view in files.case.views:
        row = np.load(files.right_rows(view))[asked]
        places = pa.array(row, mask=row < 0)
        for column in files.case.columns:
            true = pq.read_table(files.view(view), columns=[column])[column].combine_chunks().take(places)
            wrong |= differs(answer[f"{view}__{column}"], true)
    distinct = len(np.unique(asked))
    in_order = bool((np.diff(asked) >= 0).all())
    return Verdict(len(labels) - distinct, len(asked) - distinct, int(wrong.sum()), in_order)


def differs(mine: Any, true: Any) -> Flags:
    """Per row, whether the values differ; null equals null alone, and a list equals a list of the same numbers."""
    mine, true = _whole(mine), _whole(true)
    null = np.asarray(mine.is_null()) != np.asarray(true.is_null())
    if not pa.types.is_list(true.type):
        return null | np.asarray(pc.not_equal(mine.cast(true.type, safe=False), true).fill_null(False))
    both = pc.and_(mine.is_valid(), true.is_valid())
    told, right = (np.asarray(column.filter(both).flatten()) for column in (mine, true))
    if len(told) != len(right):
        return np.ones(len(mine), dtype=bool)
    null[np.asarray(both)] = (told != right).reshape(-1, DIMENSION).any(axis=1)
    return null


def _whole(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
