"""The files of a case, made of a seed alone: labels as an Arrow file, each view as a Parquet file as pandas would write it.

Event times are spread over two years, in µs. A twentieth of the feature rows has the event time of another row of its key, so
that the created time must decide; all created times of a view differ by less than three hours from the event's. A label's time
may lie before any feature of its key, and a hundredth of the labels bears a key that no view knows. A fiftieth of each view's
last float column is null: where that is the newest value, null is the answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .cases import CREATED, DIMENSION, EVENT, FLOATS, KEY, LABEL, VECTOR, Case

BEGIN, SPAN = 1_640_995_200_000_000, 730 * 86_400_000_000  # 2022-01-01, and two years
INSTANT = pa.timestamp("us", "UTC")
TIED, UNKNOWN, EARLY, NULL = 0.05, 0.01, 0.02, 0.02
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Files:
    """A case and the folder in which its files are, or are to be; ``row_group`` is the most rows of a row group."""

    case: Case
    data: Path
    row_group: int

    @property
    def folder(self) -> Path:
        """The folder of this case's files."""
        return self.data / f"{self.case.folder}-{self.row_group}"

    @property
    def labels(self) -> Path:
        """The labels: label (its place), key, event_timestamp; in the caller's order, which is none."""
        return self.folder / "labels.arrow"

    def view(self, name: str) -> Path:
        """The rows of a view: key, event_timestamp, created_timestamp and its feature columns."""
        return self.folder / f"{name}.parquet"

    def right_rows(self, view: str) -> Path:
        """Per label, the place of the feature row that answers it, −1 for none; by TTL, as the files serve several."""
        return self.folder / f"{view}-ttl-{self.case.ttl_days or 'none'}.npy"

    def all(self) -> list[Path]:
        """Labels and views."""
        return [self.labels, *(self.view(name) for name in self.case.views)]


def read_labels(files: Files) -> pa.Table:
    """The labels, read into memory (not mapped, for a mapped page would count as the engine's)."""
    with pa.OSFile(str(files.labels)) as source:
        return pa.ipc.open_file(source).read_all()


def make(files: Files) -> None:
    """Write what is not there yet; a file that is there is whole, for it gets its name last."""
    files.folder.mkdir(parents=True, exist_ok=True)
    keys = _keys(files.case)
    if not files.labels.exists():
        _write_labels(files, keys)
    for number, name in enumerate(files.case.views):
        if not files.view(name).exists():
            _write_view(files, name, keys, np.random.default_rng([files.case.rows, files.case.per_key, number]))


def _keys(case: Case) -> pa.Array:
    """The known keys in ascending order, then the unknown ones."""
    known = max(case.rows // case.per_key, 1)
    unknown = max(known // 100, 1)
    if case.string_keys:
        return pa.array([f"customer-{number:09d}" for number in range(known + unknown)])
    drawn = np.random.default_rng(known).integers(1, 2**62, known + unknown)
    return pa.array(np.concatenate([np.sort(drawn[:known]), drawn[known:]]))


def _write_labels(files: Files, keys: pa.Array) -> None:
    case, chance = files.case, np.random.default_rng([files.case.labels, files.case.rows])
    known = max(case.rows // case.per_key, 1)
    codes = chance.integers(0, known, case.labels)
    strange = chance.random(case.labels) < UNKNOWN
    codes[strange] = chance.integers(known, len(keys), strange.sum())
    times = BEGIN - int(EARLY * SPAN) + chance.integers(0, int((1 + EARLY) * SPAN), case.labels)
    columns = {LABEL: pa.array(np.arange(case.labels)), KEY: keys.take(pa.array(codes)), EVENT: pa.array(times).cast(INSTANT)}
    table = pa.table(columns)
    draft = files.labels.with_suffix(".draft")
    with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    os.replace(draft, files.labels)


def _write_view(files: Files, name: str, keys: pa.Array, chance: np.random.Generator) -> None:
    codes, events, created = _instants(files.case, chance)
    draft = files.view(name).with_suffix(".draft")
    writer = None
    for start in range(0, files.case.rows, files.row_group):
        part = slice(start, min(start + files.row_group, files.case.rows))
        instants = {EVENT: pa.array(events[part]).cast(INSTANT), CREATED: pa.array(created[part]).cast(INSTANT)}
        taken = keys.take(pa.array(codes[part]))
        group = pa.table({KEY: taken, **instants, **dict(_features(files.case, part.stop - part.start, chance))})
        writer = writer or pq.ParquetWriter(draft, group.schema)
        writer.write_table(group, row_group_size=files.row_group)
    if writer:
        writer.close()
    os.replace(draft, files.view(name))


def _instants(case: Case, chance: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Key numbers, event and created times, in the order of the file; no two rows have all three alike."""
    codes = chance.integers(0, max(case.rows // case.per_key, 1), case.rows)
    events = BEGIN + chance.integers(0, SPAN, case.rows)
    order = np.lexsort((events, codes))
    codes, events = codes[order], events[order]
    tied = np.flatnonzero((codes[1:] == codes[:-1]) & (chance.random(case.rows - 1) < TIED))
    events[tied + 1] = events[tied]
    created = events + 1_000 * (chance.permutation(case.rows) % 10**7)
    order = np.lexsort((events, codes)) if case.clustered else chance.permutation(case.rows)
    return codes[order], events[order], created[order]


def _features(case: Case, rows: int, chance: np.random.Generator) -> Iterator[tuple[str, Any]]:
    if case.embedding:
        values = chance.standard_normal(rows * DIMENSION, dtype=np.float32)
        yield VECTOR, pa.ListArray.from_arrays(np.arange(0, rows * DIMENSION + 1, DIMENSION, dtype=np.int32), values)
        return
    for column in FLOATS:
        values = chance.standard_normal(rows)
        yield column, pa.array(values, mask=chance.random(rows) < NULL if column == FLOATS[-1] else None)
