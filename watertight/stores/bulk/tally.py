"""What became of each row: written, or superseded by a newer one that was there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from watertight.core.errors import Refusal
from watertight.stores.bulk.pulled import Pulled


@dataclass
class Tally:
    """Rows counted where they are read and again where the online store has acknowledged them."""

    view: str
    tell: Callable[[int], object]
    read: int = 0
    written: int = 0
    superseded: int = 0

    def reading(self, pulled: Pulled) -> Iterator[pa.RecordBatch]:
        """The batches, counted; raises Refusal at the end if there were more or fewer rows than announced."""
        for batch in pulled.batches:
            self.read += batch.num_rows
            yield batch
        total = pulled.total()
        if total not in (None, self.read):
            raise Refusal(f"view {self.view!r}: {self.read} row(s) read", expected=f"the {total} that were pulled")

    def done(self, written: int, superseded: int = 0) -> None:
        """Count rows that the online store has acknowledged, and those that it did not need."""
        self.written += written
        self.superseded += superseded
        self.tell(written + superseded)

    def demand_all(self) -> None:
        """Raise Refusal unless every row read was written or superseded."""
        if self.read != self.written + self.superseded:
            raise Refusal(
                f"view {self.view!r}: of {self.read} row(s) read {self.written} were written and {self.superseded} superseded",
                expected="every row one or the other",
                next_step="materialise again: what was written stays as it is",
            )
