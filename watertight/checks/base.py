"""The base of the platform's expectations: a Great Expectations batch expectation that answers with row ids."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd
from great_expectations.expectations.expectation import BatchExpectation


def microseconds(instants: pd.Series) -> pd.Series:
    """UTC instants as whole microseconds since the epoch; null becomes the least int64."""
    return instants.astype("datetime64[us, UTC]").astype("int64")


class RowCheck(BatchExpectation):
    """A check on a whole frame that names the rows which break it.

    A subclass declares ``needs`` (columns without which it is *skipped*, with the reason) and gives ``offending``.
    A subclass's name in snake case is its type in a suite. Example::

        class ExpectGroupsInOneFold(RowCheck):
            needs = ("group_id", "fold")

            def offending(self, frame):
                return frame.groupby("group_id")["fold"].transform("nunique") > 1
    """

    needs: ClassVar[tuple[str, ...]] = ()
    metric_dependencies: ClassVar[tuple[str, ...]] = ()

    def columns(self) -> tuple[str, ...]:
        """The columns that the check reads; by default ``needs``."""
        return self.needs

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """A boolean per row of ``frame``: true where the row breaks the rule."""
        raise NotImplementedError

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
        frame = execution_engine.get_domain_records({})
        absent = [name for name in self.columns() if name not in frame]
        if absent:
            return {"success": True, "result": {"skipped": f"no column {', '.join(map(repr, absent))}"}}
        rows = frame.loc[self.offending(frame).fillna(False).astype(bool), "row_id"]
        return {"success": rows.empty, "result": {"unexpected_count": len(rows), "row_ids": rows.astype(str).tolist()}}
